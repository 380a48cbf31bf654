"""An authority of a test's own, and the certificates that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
HERE = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


def spiffe(path: str) -> x509.UniformResourceIdentifier:
    """An alternative name in the trust domain of the tests."""
    return x509.UniformResourceIdentifier(f"spiffe://test/{path}")


class Issued(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path) -> list[str]:
        """Put both into files of the folder, the key last. Returns the options that name them."""
        paths = (folder / "cert.pem", folder / "key.pem")
        for path, data in zip(paths, self, strict=True):
            aside = path.with_suffix(".new")
            aside.write_bytes(data)
            aside.chmod(0o600)
            aside.replace(path)
        return ["--tls-cert", str(paths[0]), "--tls-key", str(paths[1])]


class Authority:
    """Makes certificates; `pem` is its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority of a test")
        own = self._builder(self._name, self._key, DAY)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        own = own.add_extension(constraints, critical=True)
        self.pem = own.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def issue(
        self,
        names: Sequence[x509.GeneralName] = HERE,
        common_name: str = "",
        lasts: timedelta = DAY,
        key: CertificateIssuerPrivateKeyTypes | None = None,
    ) -> Issued:
        """A certificate that began a day ago and is in force for so long from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(common_name), key, lasts)
        if names:
            names_of = x509.SubjectAlternativeName(names)
            builder = builder.add_extension(names_of, critical=False)
        kind = PrivateFormat.PKCS8
        return Issued(
            builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, kind, NoEncryption()),
        )

    def _builder(
        self, name: x509.Name, key: CertificateIssuerPrivateKeyTypes, lasts: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - DAY,
            not_valid_after=now + lasts,
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])
