"""What hostile or clumsy clients do to servers of HTTP/2, by the names that it is known by: each is
cut off, what is kept stays bounded, and others are answered meanwhile."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import struct
from collections.abc import Callable
from typing import Any

import grpc
import h2.errors
import h2.exceptions
import pytest

from tests.sidecar.http2.serving import PATH, Serving
from tests.sidecar.http2.test_calls import ask
from tests.sidecar.process import PATIENCE
from tests.sidecar.raw import Raw, framed

ECHO = f"{PATH}Echo"
CALM = int(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = (
    0,
    1,
    2,
    3,
    4,
    6,
    8,
    9,
)
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, stream: int, body: bytes = b"", flags: int = 0) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack(">BHBBL", 0, len(body), kind, flags, stream) + body


def is_well(running: Serving) -> bool:
    """Somebody else is answered, and nothing is kept of who has gone."""
    return ask(running, "Echo", b"x") == b"x"


def flood(running: Serving, begin: Callable[[Raw], None], frames: bytes, times: int) -> None:
    """Begin a connection and send frames again and again, until the server ends it."""
    with running.raw() as raw:
        begin(raw)
        with contextlib.suppress(OSError):
            for _ in range(times):
                raw.socket.sendall(frames)
        drained(raw)


def drained(raw: Raw) -> None:
    """Read until the server ends the connection."""
    with contextlib.suppress(ConnectionError):
        while raw.socket.recv(65_536):
            pass


def nothing(_raw: Raw) -> None:
    """Begin nothing more."""


def opened(raw: Raw) -> None:
    """A call whose body goes on."""
    raw.begin(ECHO, framed(b"", length=90_000), end=False)


@pytest.mark.parametrize(
    ("begin", "frames"),
    [
        (nothing, frame(PING, 0, bytes(8)) * 10),
        (nothing, frame(SETTINGS, 0) * 10),
        (nothing, frame(SETTINGS, 0, struct.pack(">HL", 4, 1) * 30) * 10),
        (opened, frame(DATA, 1) * 10),
        (opened, frame(DATA, 1, b"x") * 10),
        (nothing, frame(PRIORITY, 3, struct.pack(">LB", 1, 1)) * 10),
        (nothing, frame(WINDOW_UPDATE, 0, struct.pack(">L", 1)) * 10),
    ],
    ids=["ping flood (CVE-2019-9512)", "settings flood (CVE-2019-9515)", "large settings"]
    + ["empty frames flood (CVE-2019-9518)", "data dribble (CVE-2019-9511)"]
    + ["resource loop (CVE-2019-9513)", "window update flood"],
)
def test_frames_that_ask_nothing_are_cut_off(serving, begin, frames):
    with serving(ping_interval=0.0) as running:
        flood(running, begin, frames, 1_000)
        assert is_well(running)
        assert "a connection was closed: too many frames that ask nothing" in running.said()


def test_rapid_reset_is_cut_off(serving):
    """CVE-2023-44487: calls that are given up as soon as they are asked."""
    with serving(resets=100, resets_rate=10) as running:
        with running.raw() as raw:
            with contextlib.suppress(OSError):
                for _ in range(1_000):
                    stream = raw.begin(ECHO, framed(b"x"), end=False)
                    raw.http.reset_stream(stream)
                    raw.flush()
            drained(raw)
        assert is_well(running)


def test_made_you_reset_is_cut_off(serving):
    """CVE-2025-8671: calls that the server gives up because of a frame that is wrong."""
    with serving(idle_frames=200) as running:
        with running.raw() as raw:
            wrong = struct.pack(">L", 0)  # a window that grows by nothing (RFC 9113, section 6.9)
            with contextlib.suppress(OSError):
                for _ in range(1_000):
                    stream = raw.begin(ECHO, framed(b"x")[:-1], end=False)
                    raw.socket.sendall(frame(WINDOW_UPDATE, stream, wrong))
            drained(raw)
        assert is_well(running)
        assert running.server.endpoint.calls == 0


def test_a_flood_of_continuations_is_cut_off(serving):
    """CVE-2024-27316, CVE-2024-28182: headers that never end."""
    with serving() as running:
        with running.raw() as raw:
            raw.socket.sendall(frame(HEADERS, 1, b"\x82"))
            with contextlib.suppress(OSError):
                for _ in range(10_000):
                    raw.socket.sendall(frame(CONTINUATION, 1, b"\x00\x01a\x01b" * 100))
            drained(raw)
        assert is_well(running)
        assert running.server.endpoint.calls == 0


def test_an_hpack_bomb_keeps_nothing(serving):
    """CVE-2016-1544: one long header in the table, named thousands of times."""
    with serving() as running:
        with running.raw() as raw:
            value = b"x" * 3_900
            long = (
                b"\x40\x01a"
                b"\x7f"
                + bytes([0x80 | (len(value) - 127) & 127])
                + bytes([(len(value) - 127) >> 7])
                + value
            )
            raw.socket.sendall(frame(HEADERS, 1, b"\x83\x86\x84" + long + b"\xbe" * 10_000, 4))
        assert is_well(running)
        assert (running.server.endpoint.calls, running.server.endpoint.held) == (0, 0)


def test_headers_that_are_too_long_are_refused_in_words(serving):
    with serving(header_bytes=4_096) as running:
        with running.raw() as raw:
            more = [(f"x-{number}", "y" * 100) for number in range(50)]
            stream = raw.begin(ECHO, framed(b""), more=more)
            ended = raw.end(stream)
            assert ended["grpc-message"] == "the headers are longer than 4096 bytes"
            assert raw.ask(ECHO, framed(b""))["grpc-status"] == "0"


def test_zero_length_headers_are_refused(serving):
    """CVE-2019-9516: headers without a name."""
    with serving() as running:
        with running.raw() as raw:
            raw.socket.sendall(frame(HEADERS, 1, b"\x83\x86\x84" + b"\x00\x00\x00" * 1_000, 4))
        assert is_well(running)
        assert running.server.endpoint.calls == 0


def test_answers_that_nobody_takes_are_not_made_without_end(serving):
    """CVE-2019-9517, internal data buffering: a window of nothing, and calls."""
    with serving(held_bytes=300_000) as running:
        with running.raw(window=0) as raw:
            for _ in range(30):
                with contextlib.suppress(h2.exceptions.StreamClosedError):  # refused already
                    raw.begin(ECHO, framed(bytes(20_000)))
            while len(raw.ended) < 20:  # the others are kept with their answers, 40 kB each
                assert raw.hear()
            told = {ended["grpc-message"] for ended in raw.ended.values()}
            assert told <= {"too many calls at once", "too much is asked at once"}
            assert is_well(running)
            assert running.server.endpoint.held <= 400_000
        assert is_well(running)
        assert running.server.endpoint.held == 0


def test_answers_that_are_not_taken_in_time_are_given_up(serving):
    """Slow read (CVE-2011-0762 and its like): who opens no window, and who does not read at all."""
    with serving(patience=0.2) as running, running.raw(window=0) as raw:
        stream = raw.begin(ECHO, framed(b"x" * 100))
        assert raw.end(stream) == {"reset": str(int(h2.errors.ErrorCodes.CANCEL))}
        assert is_well(running)
        assert running.server.endpoint.held == 0


def test_who_does_not_read_is_cut_off(serving):
    with serving(patience=0.3) as running, running.raw(window=2**31 - 1) as raw:
        raw.http.increment_flow_control_window(2**31 - 1 - 65_535)
        raw.begin(f"{PATH}Count", framed(b"1000000"))
        assert running.methods.gone.wait(PATIENCE)
        assert is_well(running)
        assert (running.server.endpoint.calls, running.server.endpoint.held) == (0, 0)


def test_calls_that_do_not_come_are_given_up(serving):
    """Slow post: half a request, and a connection that says nothing (slowloris)."""
    with serving(patience=0.2) as running:
        silent = running.connect()
        with silent, running.raw() as raw:
            stream = raw.begin(ECHO, framed(b"hello")[:-1], end=False)
            ended = raw.end(stream)
            assert (ended["grpc-status"], ended["grpc-message"]) == (
                "4",
                "the request did not come in time",
            )
            while silent.recv(4_096):  # its greeting, then the end
                pass
        assert is_well(running)


def test_half_requests_are_bounded_for_a_connection_and_for_all(serving):
    for bounds in ({"held_bytes": 300_000}, {"all_held_bytes": 300_000}):
        with serving(**bounds) as running:
            with running.raw() as raw:
                for _ in range(20):
                    half = raw.begin(ECHO, b"", end=False)
                    with contextlib.suppress(h2.exceptions.StreamClosedError):
                        raw.send(half, framed(bytes(60_000))[:-1])
                assert raw.end(half)["grpc-message"] in (
                    "too much is asked at once",
                    "too many calls at once",
                )
                assert running.server.endpoint.held < 500_000
            assert is_well(running)
            assert running.server.endpoint.held == 0


def test_more_streams_than_are_allowed_are_refused(serving):
    with serving(streams=10) as running, running.raw() as raw:
        while not raw.http.remote_settings.max_concurrent_streams == 10:
            assert raw.hear()
        raw.http.remote_settings._settings[3].append(100)  # as who does not care
        raw.http.remote_settings.acknowledge()
        streams = [raw.begin(ECHO, framed(b"x")[:-1], end=False) for _ in range(15)]
        assert raw.end(streams[-1])["reset"]
        assert is_well(running)


def test_more_calls_than_are_allowed_are_refused_in_words(serving):
    with serving(calls=10) as running, running.raw() as raw:
        streams = [raw.begin(ECHO, framed(b"x")[:-1], end=False) for _ in range(11)]
        assert raw.end(streams[-1])["grpc-message"] == "too many calls at once"


def test_more_connections_than_are_allowed_are_closed(serving):
    with serving(connections=3) as running:
        connected = [running.raw() for _ in range(3)]
        for raw in connected:
            assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"
        with running.dial() as another:
            with pytest.raises(ConnectionError):
                if not another.recv(1):
                    raise ConnectionResetError
        for raw in connected:
            raw.socket.close()
        with running.channel() as channel:
            assert (
                channel.unary_unary(ECHO, None, None)(b"", timeout=PATIENCE, wait_for_ready=True)
                == b""
            )


def test_where_too_much_is_open_accepting_is_tried_again(serving, monkeypatch):
    accept, failures = socket.socket.accept, [errno.EMFILE, errno.ECONNABORTED]

    def failing(self: socket.socket) -> Any:
        if failures:
            raise OSError(failures.pop(0), "as a test wants it")
        return accept(self)

    with serving() as running:
        monkeypatch.setattr(socket.socket, "accept", failing)
        assert is_well(running)
        assert not failures
        assert running.said() == ["no connection can be accepted: too much is open"]


def test_pings_that_come_too_often_are_answered_by_grpcs_own_word(serving):
    with serving(ping_interval=60.0) as running, running.raw() as raw:
        for _ in range(5):
            raw.http.ping(bytes(8))
            raw.flush()
        assert raw.goaway() == CALM
        assert is_well(running)


def test_a_connection_that_is_silent_is_asked_whether_it_is_alive(serving):
    with serving(keepalive=0.2, keepalive_timeout=0.3, patience=PATIENCE) as running:
        with running.raw() as raw:
            for _ in range(2):
                raw.ask(ECHO, framed(b"x"))
            raw.socket.settimeout(PATIENCE)
            while raw.socket.recv(65_536):  # pings that it does not answer
                pass
        assert is_well(running)


def test_when_stopping_calls_end_and_new_ones_are_sent_elsewhere(serving):
    with serving() as running, running.channel() as channel:
        wait: Any = channel.unary_unary(f"{PATH}Wait", None, None)
        call = wait.future(b"x", timeout=PATIENCE)
        ask(running, "Echo", b"x")
        states: queue.Queue[grpc.ChannelConnectivity] = queue.Queue()
        channel.subscribe(states.put)
        while states.get(timeout=PATIENCE) is not grpc.ChannelConnectivity.READY:
            pass
        thread = running.stop(PATIENCE)
        while states.get(timeout=PATIENCE) is grpc.ChannelConnectivity.READY:
            pass
        assert not call.done()
        running.methods.going.set()
        assert call.result(PATIENCE) == b"x"
        thread.join(PATIENCE)
        assert not thread.is_alive()
        with pytest.raises(grpc.RpcError) as caught:
            ask(running, "Echo", b"x")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_when_stopping_what_does_not_end_is_broken_off_after_the_grace(serving):
    with serving() as running, running.channel() as channel:
        count: Any = channel.unary_stream(f"{PATH}Count", None, None)
        answers = count(b"1", timeout=PATIENCE)
        next(answers)
        running.stop(0.1).join(PATIENCE)
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert running.methods.gone.wait(PATIENCE)
