"""The certificate that the sidecar answers with, its key, and whose certificates it takes.

Laws: what is in place was whole when it was put there: it parses, the key is its own, it is in
force. One that is not is refused at the start, and later leaves the last good one in place.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from taskman_authz.errors import AuthzError

from ..kept import Kept

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from structlog.typing import FilteringBoundLogger

    from ..secrets import Source

SHORTEST_RSA = 2_048  # bits
CURVES = ("secp256r1", "secp384r1")

Clock = Callable[[], datetime]


class Identity(NamedTuple):
    """A chain of certificates (PEM) with the key of the first, and the authorities of callers."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None
    expires: datetime  # the first of the chain to expire

    def __repr__(self) -> str:
        return f"Identity(expires={self.expires.isoformat()})"


class Certificates(Kept["tuple[bytes, bytes, bytes | None]", Identity]):
    """The identity that these read, and read again. Raises AuthzError where there is none, or no
    good one."""

    def __init__(
        self, certificate: Source, key: Source, client_ca: Source | None, log: FilteringBoundLogger
    ) -> None:
        def read() -> tuple[bytes, bytes, bytes | None]:
            return certificate.read(), key.read(), client_ca.read() if client_ca else None

        interval = max(certificate.interval, key.interval)
        super().__init__(
            "certificate", read, lambda raw: make_identity(*raw), log, interval=interval
        )

    @property
    def identity(self) -> Identity:
        """The one in place."""
        assert self.value is not None  # it is made with one
        return self.value


def warn_of_readers(key: Path, log: FilteringBoundLogger) -> None:
    """Say where everybody can read the file of a private key."""
    if key.stat().st_mode & stat.S_IROTH:
        log.warning("everybody on this machine can read the private key", path=str(key))


def utc() -> datetime:
    """Now."""
    return datetime.now(UTC)


def make_identity(
    certificate: bytes, key: bytes, client_ca: bytes | None, clock: Clock = utc
) -> Identity:
    """Raises AuthzError for what is no certificate, no key, not one pair, or not in force."""
    chain = _certificates("--tls-cert", certificate)
    now = clock()
    for each in chain:
        if each.not_valid_after_utc <= now:
            raise AuthzError(
                f"--tls-cert: expired at {each.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
            )
        if each.not_valid_before_utc > now:
            begins = f"{each.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
            raise AuthzError(f"--tls-cert: not in force before {begins}")
    if not _is_spoken(chain[0].public_key()):
        raise AuthzError("--tls-cert: expected a key of RSA (2048 bits or more), P-256 or P-384")
    if _bits(chain[0].public_key()) != _bits(_public_key(key)):
        raise AuthzError("--tls-key: the key of another certificate than that of --tls-cert")
    if client_ca is not None:
        _certificates("--tls-client-ca", client_ca)
    return Identity(certificate, key, client_ca, min(each.not_valid_after_utc for each in chain))


def _certificates(place: str, data: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise AuthzError(f"{place}: expected certificates in PEM") from None


def _is_spoken(key: PublicKeyTypes) -> bool:
    """Whether gRPC's library can answer with the key: of others it says so at each handshake."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SHORTEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES


def _public_key(data: bytes) -> PublicKeyTypes:
    try:
        return load_pem_private_key(data, None).public_key()
    except TypeError:
        raise AuthzError("--tls-key: expected a key without a passphrase") from None
    except Exception:  # what cannot be read as one, by whichever error cryptography says so
        raise AuthzError("--tls-key: expected a private key in PEM") from None


def _bits(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
