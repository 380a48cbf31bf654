"""TLS of each transport, by the certificates in place when a connection begins. At least TLS 1.2.

Law: connections that are open stay as they were made.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .certificates import Certificates, Identity

DER = Encoding.DER


def server_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Credentials for one port of a grpcio server."""
    given = certificates.identity

    # grpcio asks at each handshake, in a thread of its own, and keeps what a port was told: so
    # ports share no credentials.
    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        if given is certificates.identity:
            return None
        given = certificates.identity
        return _configuration(given)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(given),
        newer,  # type: ignore[arg-type]  # None says: as before
        require_client_authentication=given.client_ca is not None,
    )


def server_context(certificates: Certificates, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """A context for a server of the standard library's kind that speaks `protocols` (ALPN)."""

    def make(identity: Identity) -> ssl.SSLContext:
        context = _context(identity)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    first = certificates.identity
    made = first, make(first)

    def choose(connection: ssl.SSLObject, _name: str, _context_then: ssl.SSLContext) -> int | None:
        nonlocal made
        identity = certificates.identity
        if connection.session_reused and identity is not first:
            # Of TLS 1.2, by its id, which no option turns off: the caller was verified when it
            # began, by authorities that may be none any more.
            return ssl.ALERT_DESCRIPTION_ACCESS_DENIED
        if made[0] is not identity:
            made = identity, make(identity)
        connection.context = made[1]
        return None

    # Called at each handshake, also where the client names no server.
    made[1].sni_callback = choose
    return made[1]


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    pair = (identity.key, identity.certificate)
    return grpc.ssl_server_certificate_configuration([pair], identity.client_ca)


def _context(identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A session that is taken up again would skip the authorities of now.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    # What was checked, and not what the files hold by now; the library takes nothing but files.
    descriptor = os.memfd_create("identity")
    try:
        os.write(descriptor, identity.key + b"\n" + identity.certificate)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    if identity.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        authorities = x509.load_pem_x509_certificates(identity.client_ca)
        context.load_verify_locations(
            cadata=b"".join(each.public_bytes(DER) for each in authorities)
        )
    return context
