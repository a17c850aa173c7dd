"""The keys of checkpoints: made once, never overwritten, and known again."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot import seal
from bot.core.errors import UsageError


def key_pair(folder: Path, name: str = "key.pem") -> tuple[Path, Path]:
    private, public = folder / name, folder / f"{name}.pub"
    public.write_text(seal.new_key(private))
    return private, public


def test_a_new_key_is_its_owners_alone_and_prints_its_public_half(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert seal.public_key(private) == public.read_text()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path)
    before = private.read_bytes()

    with pytest.raises(UsageError, match="exists, and a key is never overwritten"):
        seal.new_key(private)

    assert private.read_bytes() == before


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        seal.new_key(tmp_path / "no" / "key.pem")


def test_a_signature_is_known_by_its_own_key_alone(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    _, others = key_pair(tmp_path, "other.pem")
    signature = seal.signer(private)(b"statement")

    assert seal.trusting([public])(b"statement", signature)
    assert not seal.trusting([public])(b"statement.", signature)
    assert not seal.trusting([others])(b"statement", signature)
    assert seal.trusting([others, public])(b"statement", signature), "a key that was replaced still counts"


@pytest.mark.parametrize("junk", ["", "zz", "00", "00" * 64, "ü"])
def test_junk_is_no_signature(tmp_path: Path, junk: str) -> None:
    _, public = key_pair(tmp_path)

    assert not seal.trusting([public])(b"statement", junk)


def test_files_that_are_no_keys_are_refused_by_name(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    curve = tmp_path / "curve.pem"
    curve.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    other_public = tmp_path / "curve.pub"
    other_public.write_bytes(
        generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )

    for wrong in (public, curve, other_public):
        with pytest.raises(UsageError, match=f"{wrong.name} is no Ed25519 private key"):
            seal.signer(wrong)
    for wrong in (private, other_public, curve):
        with pytest.raises(UsageError, match=f"{wrong.name} is no Ed25519 public key"):
            seal.trusting([wrong])
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        seal.signer(tmp_path / "none.pem")


def test_a_passphrase_is_refused_because_nobody_is_there_to_type_it(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    )

    with pytest.raises(UsageError, match="has a passphrase"):
        seal.signer(locked)
