"""Promises of servers of asyncio: who is at the other end, and certificates that are replaced."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from typing import Any

import pytest
import structlog
import uvloop
from cryptography.x509 import DNSName
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.secrets import Secrets
from taskman_authz_sidecar.security import connection_names
from taskman_authz_sidecar.security.certificates import Certificates
from taskman_authz_sidecar.security.tls import server_context

from tests.sidecar.authority import Authority, spiffe
from tests.sidecar.process import PATIENCE

LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def run(loop, main) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(main(), PATIENCE))


async def tell_names(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(" ".join(connection_names(writer.transport)).encode() + b"\n")
    await writer.drain()
    await reader.read()
    writer.close()


ASK = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
print(connection.makefile().readline(), end="")
"""


@LOOPS
def test_the_kernel_names_the_process_at_a_unix_socket(loop):
    user = 12_345 if os.getuid() == 0 else os.getuid()  # another one, where we may choose

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/s"
            server = await asyncio.start_unix_server(tell_names, path)
            os.chmod(folder, 0o755)
            os.chmod(path, 0o666)
            command = [sys.executable, "-c", ASK, path, str(user)]
            asked = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE
            )
            assert asked.stdout == f"uid:{user} gid:{os.getgid()} unix\n", asked.stderr
            server.close()

    run(loop, main)


@LOOPS
def test_nobody_is_named_by_an_address(loop):
    async def main() -> None:
        server = await asyncio.start_server(tell_names, "127.0.0.1")
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.readline() == b"\n"
        writer.close()
        server.close()

    run(loop, main)


@LOOPS
def test_a_certificate_and_its_authority_are_replaced_while_we_listen(loop, tmp_path):
    old, new = Authority(), Authority()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(old.pem)
    old.issue().write(tmp_path)
    log = structlog.wrap_logger(CapturingLogger())
    places = [
        Secrets(1.0, log).file("", tmp_path / name) for name in ("cert.pem", "key.pem", "ca.pem")
    ]
    certificates = Certificates(*places, log)
    callers = {
        authority: authority.issue([spiffe("ns/web"), DNSName("Web.test")], "web")
        for authority in (old, new)
    }

    async def asked(trusted: Authority, caller: Authority) -> str:
        context = ssl.create_default_context(cadata=trusted.pem.decode())
        (tmp_path / "caller.pem").write_bytes(b"".join(callers[caller]))
        context.load_cert_chain(tmp_path / "caller.pem")
        # With TLS 1.3 a client learns after its own handshake that it was refused.
        try:
            reader, writer = await asyncio.open_connection(*address, ssl=context)
            told = (await reader.readline()).decode().strip()
            writer.close()
        except (ssl.SSLError, ConnectionError):
            return "refused"
        return told or "refused"

    async def main() -> None:
        nonlocal address
        server = await asyncio.start_server(
            tell_names, "127.0.0.1", ssl=server_context(certificates)
        )
        address = server.sockets[0].getsockname()
        names = "spiffe://test/ns/web dns:web.test cn:web"
        assert await asked(old, old) == names
        new.issue().write(tmp_path)
        ca.write_bytes(new.pem)
        certificates.look()
        assert await asked(new, new) == names
        assert await asked(old, old) == await asked(new, old) == "refused"
        server.close()

    address: tuple[str, int] = ("", 0)
    run(loop, main)


def test_a_session_of_before_does_not_bring_back_who_may_not_come_any_more(tmp_path):
    """A caller of TLS 1.2 takes up its session by its id, and shows no certificate then."""
    old, new = Authority(), Authority()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(old.pem)
    shown = old.issue()
    shown.write(tmp_path)
    log = structlog.wrap_logger(CapturingLogger())
    places = [
        Secrets(1.0, log).file("", tmp_path / name) for name in ("cert.pem", "key.pem", "ca.pem")
    ]
    certificates = Certificates(*places, log)
    context = ssl.create_default_context(cadata=old.pem.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    (tmp_path / "caller.pem").write_bytes(b"".join(old.issue([DNSName("web.test")], "web")))
    context.load_cert_chain(tmp_path / "caller.pem")

    def asked(address: tuple[str, int], session: ssl.SSLSession | None) -> tuple[bool, Any]:
        """Whether the session was taken up, and the one to take up next."""
        with socket.create_connection(address, PATIENCE) as plain:
            with context.wrap_socket(plain, session=session, server_hostname="localhost") as tls:
                assert tls.makefile().readline().startswith("dns:web.test")
                found = bool(tls.session_reused), tls.session
                tls.unwrap().close()  # or nobody would take up the session again
                return found

    async def main() -> None:
        server = await asyncio.start_server(
            tell_names, "127.0.0.1", ssl=server_context(certificates)
        )
        address = server.sockets[0].getsockname()
        _, session = await asyncio.to_thread(asked, address, None)
        is_reused, session = await asyncio.to_thread(asked, address, session)
        assert is_reused
        ca.write_bytes(new.pem)  # and the sidecar's own certificate stays, so that it is trusted
        certificates.look()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(asked, address, session)
        server.close()

    asyncio.run(main())
