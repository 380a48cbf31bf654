"""Promises of TLS where the transport speaks it without the loop: a handshake is bounded in time
and number, what comes in pieces or is none is taken as such, and an end is said."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from random import Random

import pytest
from taskman_authz_sidecar.http2 import server
from taskman_authz_sidecar.security.tls import server_context

from tests.fuzz.mutation import mutated
from tests.sidecar.http2.serving import PATH, Serving, authority, certificates, serving
from tests.sidecar.http2.test_calls import ask
from tests.sidecar.process import PATIENCE
from tests.sidecar.raw import Raw, framed

ECHO = f"{PATH}Echo"


class Dribbled:
    """TLS over a socket whose bytes go out `step` at a time, however records are cut."""

    def __init__(self, running: Serving, step: int) -> None:
        self._socket, self._step = running.dial(), step
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cadata=authority().pem.decode())
        context.set_alpn_protocols(["h2"])
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._holds = False
        self.changed: Callable[[bytes], bytes] = bytes  # what becomes of what is sent
        self._until(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        """As of a socket."""
        if data:
            self._tls.write(data)
            self._push()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is sent within is sent at the end, at once."""
        self._holds = True
        yield
        self._holds = False
        self._push()

    def recv(self, size: int) -> bytes:
        """As of a socket. Raises SSLEOFError for an end that was not said."""
        return self._until(lambda: self._tls.read(size))

    def finish(self) -> None:
        """Send nothing more."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """As of a socket."""
        self._socket.close()

    def _until(self, step):
        while True:
            try:
                done = step()
                self._push()
                return done
            except ssl.SSLWantReadError:
                self._push()
                data = self._socket.recv(65_536)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()

    def _push(self) -> None:
        if self._holds:
            return
        data = self.changed(self._outgoing.read())
        for at in range(0, len(data), self._step):
            self._socket.sendall(data[at : at + self._step])


def ended(connection: socket.socket) -> bool:
    """Read until the server ends it."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65_536):
            pass
    return True


@pytest.fixture
def running():
    with serving(tls=True) as running:
        yield running


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_records_that_come_in_pieces_are_records(running, step):
    raw = Raw(Dribbled(running, step))
    data = framed(os.urandom(20_000))
    stream = raw.begin(ECHO, data)
    assert raw.end(stream)["grpc-status"] == "0"
    assert raw.bodies[stream] == data
    raw.socket.close()


def test_many_records_that_come_at_once_are_gone_through(running):
    dribbled = Dribbled(running, 1_000_000)
    raw = Raw(dribbled, window=2**20)
    data = framed(bytes(500))
    with dribbled.held():
        streams = [raw.begin(ECHO, data) for _ in range(90)]
    for stream in streams:
        assert raw.end(stream)["grpc-status"] == "0"
        assert raw.bodies[stream] == data
    dribbled.close()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n", bytes(500)])
def test_who_does_not_speak_tls_is_let_go(running, said):
    with running.dial() as plain:
        plain.sendall(said)
        assert ended(plain)
    assert ask(running, "Echo", b"x") == b"x"


def test_who_would_speak_something_else_than_http_2_is_let_go(running):
    context = ssl.create_default_context(cadata=authority().pem.decode())
    for protocols in ([], ["http/1.1"]):
        if protocols:
            context.set_alpn_protocols(protocols)
        with contextlib.suppress(ssl.SSLError):  # it may be refused in the handshake already
            with context.wrap_socket(running.dial(), server_hostname="localhost") as connection:
                assert connection.recv(1) == b""
    assert running.server.endpoint.connections == set()


def test_a_handshake_that_does_not_end_is_given_up():
    with serving(tls=True, handshake=0.2) as running, running.dial() as silent:
        assert ended(silent)


def test_handshakes_count_as_connections():
    with serving(tls=True, connections=2) as running:
        silent = [running.dial() for _ in range(2)]
        with running.dial() as another:
            assert ended(another)
        assert "too many connections" in running.said()
        for each in silent:
            each.close()
        with running.channel() as channel:
            echo = channel.unary_unary(ECHO, None, None)
            assert echo(b"x", timeout=PATIENCE, wait_for_ready=True) == b"x"


def test_when_stopping_handshakes_are_broken_off():
    with serving(tls=True) as running, running.dial() as silent:
        assert ask(running, "Echo", b"x") == b"x"
        running.stop(0.1).join(PATIENCE)
        assert ended(silent)


def test_an_end_is_said_and_heard(running):
    dribbled = Dribbled(running, 65_536)
    raw = Raw(dribbled)
    assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"
    dribbled.sendall(b"no frame of HTTP/2 that there is")
    assert ended(dribbled)  # raises where it was not said
    dribbled.close()
    with running.raw() as raw:
        assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"
        with contextlib.suppress(OSError):
            raw.socket.unwrap()
        while running.server.endpoint.connections:
            assert ask(running, "Echo", b"x") == b"x"


def test_bytes_that_were_changed_on_the_way_end_the_connection_and_ask_nothing(running):
    random = Random(1)
    for number in range(100):
        dribbled = Dribbled(running, 65_536)
        raw = Raw(dribbled)
        assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"
        asked = len(running.methods.calls)
        dribbled.changed = lambda data: mutated(random, [data], [b"\x17\3\3\0\x20", b"\x15\3\3"])
        with contextlib.suppress(OSError):
            raw.begin(ECHO, framed(b"%d" % number))
            dribbled.changed = bytes
            dribbled.finish()
            ended(dribbled)
        assert [call.method for call in running.methods.calls[asked:]] in ([], ["Echo"])
        dribbled.close()
    assert ask(running, "Echo", b"x") == b"x"


@pytest.mark.parametrize("tls", [False, True])
def test_where_this_has_no_lines_the_loops_transports_serve(tls, monkeypatch):
    monkeypatch.setattr(server, "HAS_LINES", False)
    with serving(tls=tls) as running:
        data = os.urandom(100_000)
        assert ask(running, "Echo", data) == data
        with running.raw() as raw:
            assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"


def test_renegotiation_is_refused(running):
    """CVE-2011-1473; RFC 9113, section 9.2.1."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    command = ["openssl", "s_client", "-connect", running.address, "-tls1_2", "-alpn", "h2"]
    done = subprocess.run(command, input=b"R\n", capture_output=True, timeout=PATIENCE)
    said = done.stdout + done.stderr
    assert b"RENEGOTIATING" in said
    # Or it hears the server's first frame, where that was on its way, and gives up.
    assert b"no renegotiation" in said or b"unexpected record" in said
    assert server_context(certificates()).options & ssl.OP_NO_RENEGOTIATION  # older OpenSSL asks
