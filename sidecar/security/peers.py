"""Who is at the other end of a connection, as a certificate or the kernel proves it.

Names: `spiffe://domain/path` (of a certificate with exactly one URI, as an X.509-SVID has), `dns:`
with each host name of the certificate, `cn:` with its common name; `unix` for who was let in by the
file of a unix socket, and `uid:` and `gid:` of its process where the kernel can be asked. Of gRPC's
sockets it cannot: grpcio keeps them to itself.

Laws: a certificate was verified by the transport before its names are read here. What cannot be
read gives no name.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import struct
from typing import Any

UNIX = "unix"
# Certificates whose names are remembered: one a service that asks.
REMEMBERED = 1_000
_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid


def grpc_names(context: Any) -> tuple[str, ...]:
    """The names of the caller of a grpcio call."""
    certificates = context.auth_context().get("x509_pem_cert")
    if certificates:
        return certificate_names(certificates[0])
    return (UNIX,) if context.peer().startswith("unix:") else ()


def connection_names(transport: asyncio.BaseTransport) -> tuple[str, ...]:
    """The names of who is at the other end of a connection of asyncio."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if tls is not None:
        certificate = tls.getpeercert(binary_form=True)
        return certificate_names(certificate) if certificate else ()
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is None or connection.family != socket.AF_UNIX:
        return ()
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, group = _CREDENTIALS.unpack(found)
    return (f"uid:{user}", f"gid:{group}", UNIX)


@functools.lru_cache(REMEMBERED)
def certificate_names(data: bytes) -> tuple[str, ...]:
    """The names in a certificate (PEM or DER); none where it cannot be read."""
    try:
        return _names(data)
    except Exception:  # cryptography has an error for each way of breaking a standard
        return ()


def _names(data: bytes) -> tuple[str, ...]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    is_text = data.startswith(b"-----")
    load = x509.load_pem_x509_certificate if is_text else x509.load_der_x509_certificate
    certificate = load(data)
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        others = x509.SubjectAlternativeName([])
    places = others.get_values_for_type(x509.UniformResourceIdentifier)
    identity = [place for place in places if place.startswith("spiffe://")]
    hosts = [f"dns:{name.lower()}" for name in others.get_values_for_type(x509.DNSName)]
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return (
        *(identity if len(places) == 1 else ()),
        *hosts,
        *(f"cn:{each.value!s}" for each in common if each.value),
    )
