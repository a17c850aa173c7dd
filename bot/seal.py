"""The keys of the audit's checkpoints: Ed25519, in PEM files. One is made, one signs, some are trusted."""

import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from bot.core.checkpoint import Sign, Trusts
from bot.core.errors import UsageError


def new_key(path: Path) -> str:
    """Make a key in a new file that only its owner reads; returns the public one (PEM).

    Raises UsageError where the file exists (a key is never overwritten) or cannot be made.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise UsageError(
            f"{path} exists, and a key is never overwritten.",
            hint="Name a new file; without --new the public key of this one is printed.",
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    return _pem(key.public_key())


def public_key(path: Path) -> str:
    """The public key (PEM) of a key's file. Raises UsageError."""
    return _pem(_private(path).public_key())


def signer(path: Path) -> Sign:
    """What signs with the key of a file. Raises UsageError."""
    key = _private(path)
    return lambda statement: key.sign(statement).hex()


def trusting(paths: Sequence[Path]) -> Trusts:
    """What knows the signatures of the public keys in these files: several, where a key was replaced once.

    Raises UsageError.
    """
    keys = [_public(path) for path in paths]
    return lambda statement, signature: any(_signed(key, statement, signature) for key in keys)


def _signed(key: Ed25519PublicKey, statement: bytes, signature: str) -> bool:
    try:
        key.verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(path: Path) -> Ed25519PrivateKey:
    pem = _read(path)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise UsageError(f"The key in {path} has a passphrase, and nobody is there to type it at a start.") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{path} is no Ed25519 private key in PEM form.", hint=f"`steersman audit key --new {path}.new` makes one."
        )
    return key


def _public(path: Path) -> Ed25519PublicKey:
    pem = _read(path)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(
            f"{path} is no Ed25519 public key in PEM form.", hint="`steersman audit key FILE` prints that of a key."
        )
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"The key {path} cannot be read: {error.strerror}.") from error


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
