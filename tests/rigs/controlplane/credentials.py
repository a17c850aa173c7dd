"""What a control plane proves itself with: its authority and certificates, and the tokens of those who log in."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.demo.seed_people import BOT, PEOPLE

ADMIN: Final = "admin"
MANAGER: Final = "system:kube-controller-manager"
SCHEDULER: Final = "system:kube-scheduler"

_LIFE = timedelta(days=2)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Papers:
    """The files of one control plane, all under one folder that only its owner reads."""

    folder: Path
    tokens: Mapping[str, str]

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """Serves 127.0.0.1 and localhost; the API server and the kubelet stand-in share it."""
        return self.folder / "serving.crt"

    @property
    def key(self) -> Path:
        return self.folder / "serving.key"

    @property
    def client_certificate(self) -> Path:
        """What the API server shows to kubelets."""
        return self.folder / "client.crt"

    @property
    def client_key(self) -> Path:
        return self.folder / "client.key"

    @property
    def accounts_key(self) -> Path:
        """Signs the tokens of service accounts."""
        return self.folder / "accounts.key"

    @property
    def tokens_file(self) -> Path:
        return self.folder / "tokens.csv"


def issue(folder: Path, cluster: str) -> Papers:
    """Make everything anew for one cluster; its people and their groups are the demo's."""
    people = {person.name: person.groups.get(cluster, ()) for person in PEOPLE}
    groups = {ADMIN: ("system:masters",), MANAGER: (), SCHEDULER: (), BOT: (), **people}
    papers = Papers(folder, {user: secrets.token_urlsafe(24) for user in groups})
    rows = (f'{papers.tokens[user]},{user},{user},"{",".join(groups[user])}"' for user in groups)
    _write(papers.tokens_file, "\n".join(rows).encode())

    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(f"{cluster} rig CA")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _write(papers.ca, ca.sign(ca_key, hashes.SHA256()).public_bytes(_PEM))

    def certify(name: str, key_file: Path, file: Path, use: x509.ObjectIdentifier) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            _builder(_name(name), ca_name, key)
            .add_extension(x509.SubjectAlternativeName(places), critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        _write(key_file, _private(key))
        _write(file, certificate.sign(ca_key, hashes.SHA256()).public_bytes(_PEM))

    certify("kube-apiserver", papers.key, papers.certificate, ExtendedKeyUsageOID.SERVER_AUTH)
    certify("kube-apiserver to kubelets", papers.client_key, papers.client_certificate, ExtendedKeyUsageOID.CLIENT_AUTH)
    _write(papers.accounts_key, _private(ec.generate_private_key(ec.SECP256R1())))
    return papers


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Kubernetes reads keys for its tokens in no newer form.
    return key.private_bytes(_PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
