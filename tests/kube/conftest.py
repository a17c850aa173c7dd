"""The recording server and our door to it, for every test of the Kubernetes door."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from rigs.wire import Wire

from bot.kube.clusters import KubeClusters


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire().serving() as server:
        yield server


@pytest.fixture
async def clusters(wire: Wire, tmp_path: Path) -> AsyncIterator[KubeClusters]:
    async with wire.connected(tmp_path) as connected:
        yield connected


@pytest.fixture
def authority() -> Callable[[Path], Path]:
    """Writes a self-signed certificate and its key (`ca.crt`, `ca.key`) into a folder."""

    def make(folder: Path) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (folder / "ca.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "ca.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        return folder / "ca.crt"

    return make
