"""Signatures of bundles: Ed25519 (RFC 8032), with keys in PEM files.

openssl genpkey -algorithm ed25519 -out bundle.key
openssl pkey -in bundle.key -pubout -out bundle.pub
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..limits import DEFAULT
from .files import read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SIGNATURE_LENGTH = 64
# What is signed begins so, and nothing else that this key signs may.
PURPOSE = b"taskman-authz bundle\0"


def sign(digest: bytes, key: str | os.PathLike[str]) -> bytes:
    """The signature of a digest by the private key in a PEM file. Raises StoreError."""
    return _private_key(Path(key)).sign(PURPOSE + digest)


def is_signed(digest: bytes, signature: bytes, key: str | os.PathLike[str]) -> bool:
    """Whether this is a digest's signature by the owner of the public key in a PEM file. Raises
    StoreError for what is no such key."""
    public = _public_key(Path(key))
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(signature, PURPOSE + digest)
    except InvalidSignature:
        return False
    return True


def _private_key(file: Path) -> Ed25519PrivateKey:
    data = read_bytes(file, DEFAULT.key_bytes)
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        raise StoreError(f"`{file}` is no Ed25519 private key (PEM, not encrypted)") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreError(f"`{file}` is no Ed25519 private key (PEM, not encrypted)")
    return key


def _public_key(file: Path) -> Ed25519PublicKey:
    data = read_bytes(file, DEFAULT.key_bytes)
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StoreError(f"`{file}` is no Ed25519 public key (PEM)") from error
    if not isinstance(key, Ed25519PublicKey):
        raise StoreError(f"`{file}` is no Ed25519 public key (PEM)")
    return key


def _require() -> None:
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError:
        raise StoreError(
            "signatures need `cryptography`: pip install 'taskman-authz[signing]'"
        ) from None
