"""Promises of gRPC's protocol on libnghttp2, with clients that others made and by hand.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from taskman_authz_sidecar.door import Call
from taskman_authz_sidecar.settings import Settings

from tests.sidecar.http2.serving import PATH, Serving, serving
from tests.sidecar.process import PATIENCE
from tests.sidecar.raw import framed

ECHO = f"{PATH}Echo"


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "tls"])
def running(request: pytest.FixtureRequest) -> Iterator[Serving]:
    settings = Settings(transport="fast", max_message_bytes=100_000)
    with serving(settings, tls=request.param) as running:
        yield running


def ask(running: Serving, method: str, data: bytes, **options: Any) -> bytes:
    with running.channel() as channel:
        call: Callable[..., bytes] = channel.unary_unary(f"{PATH}{method}", None, None)
        return call(data, timeout=PATIENCE, **options)


def refused(running: Serving, method: str, data: bytes, **options) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        ask(running, method, data, **options)
    return caught.value


# -- clients of others -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 16_379, 16_384, 65_535, 99_999])
def test_a_stock_client_has_its_answer_whatever_its_size(running, size):
    data = os.urandom(size)
    assert ask(running, "Echo", data) == data


def test_a_stock_client_of_asyncio_asks_many_at_once(running):
    async def main() -> None:
        async with running.channel(grpc.aio) as channel:
            echo = channel.unary_unary(ECHO, None, None)
            asked = [b"%d" % number * 100 for number in range(500)]
            calls = [echo(data, timeout=PATIENCE) for data in asked]
            assert await asyncio.gather(*calls) == asked

    asyncio.run(main())


@pytest.mark.parametrize("program", ["nghttp", "h2load"])
def test_clients_of_nghttp2_are_answered(running, program, tmp_path):
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: apt-get install nghttp2-client")
    (tmp_path / "request").write_bytes(framed(b"hello"))
    command = [program, f"--data={tmp_path / 'request'}"]
    command += ["--header=content-type: application/grpc", "--header=te: trailers"]
    command += ["-v"] if program == "nghttp" else ["--requests=100", "--clients=4", "-m", "5"]
    command.append(f"{'https' if running.tls else 'http'}://{running.address}{ECHO}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0
    wanted = "grpc-status: 0" if program == "nghttp" else "100 succeeded, 0 failed"
    assert wanted in done.stdout


def test_each_of_many_answers_comes_when_it_can_be_taken(running):
    with running.channel() as channel:
        count: Any = channel.unary_stream(f"{PATH}Count", None, None)
        answers = count(b"300", timeout=PATIENCE)
        for number in range(300):
            assert next(answers)[:4] == b"%04d" % number
        running.methods.gone.clear()
        answers.cancel()
        assert running.methods.gone.wait(PATIENCE)


def test_what_the_peer_does_not_read_yet_waits_and_comes_whole_and_in_order(running):
    number = 9_000  # kilobytes: more than the sockets of a connection hold
    with running.raw(window=2**30) as raw:
        raw.http.increment_flow_control_window(2**30)
        stream = raw.begin(f"{PATH}Count", framed(b"%d" % number))
        counted = -1
        while counted < running.methods.counted:  # until nothing more is sent
            counted = running.methods.counted
            assert ask(running, "Echo", b"x") == b"x"
        assert counted < number - 1
        while len(raw.bodies.get(stream, b"")) < number * 1_029:
            assert raw.hear()
        found = raw.bodies[stream]
    assert found == b"".join(framed(b"%04d" % each + bytes(1_020)) for each in range(number))


def test_what_takes_long_keeps_nobody_waiting(running):
    running.methods.going.clear()
    with running.channel() as channel:
        waiting = channel.unary_unary(f"{PATH}Wait", None, None).future(b"a", timeout=PATIENCE)
        assert ask(running, "Echo", b"b") == b"b"
        assert not waiting.done()
        running.methods.going.set()
        assert waiting.result(PATIENCE) == b"a"


# -- statuses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["no", "100 % — ñandú\n", ""])
def test_the_message_of_a_status_comes_as_it_was_said(running, text):
    error = refused(running, "Refuse", text.encode())
    assert (error.code(), error.details()) == (grpc.StatusCode.PERMISSION_DENIED, text)
    trailers: Any = error.trailing_metadata()
    assert dict(trailers)["grpc-retry-pushback-ms"] == "1500"


@pytest.mark.parametrize("path", ["/test.Service/Nothing", "/none.Service/Echo", "/"])
def test_a_method_that_is_not_there_is_unimplemented(running, path):
    with running.raw() as raw:
        assert raw.ask(path, framed(b""))["grpc-status"] == "12"


def test_what_is_no_call_of_grpc_has_a_status_of_http(running):
    with running.raw() as raw:
        assert raw.ask(ECHO, framed(b""), "application/json")[":status"] == "415"
        assert raw.ask(ECHO, framed(b""), "application/grpcs")[":status"] == "415"
        assert raw.end(raw.begin(ECHO, b"", method="GET"))[":status"] == "405"
        for content_type in ("application/grpc+proto", "application/grpc;charset=utf-8"):
            assert raw.ask(ECHO, framed(b""), content_type)["grpc-status"] == "0"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", "13"),
        (b"\0\0\0", "13"),
        (framed(b"hello")[:-1], "13"),
        (framed(b"hello") + b"\0", "13"),
        (framed(b"hello") * 2, "13"),
        (framed(b"hello", flag=2), "13"),
        (framed(b"hello", flag=1), "13"),
        (framed(b"", length=100_001), "8"),
        (framed(b"", length=2**32 - 1), "8"),
    ],
)
def test_a_body_that_is_not_one_message_is_refused_and_the_connection_goes_on(
    running, data, status
):
    with running.raw() as raw:
        for end in (True, False) if status == "8" else (True,):
            stream = raw.begin(ECHO, data, end=end)
            assert raw.end(stream)["grpc-status"] == status
        assert raw.ask(ECHO, framed(b"x"))["grpc-status"] == "0"


def test_a_message_in_crumbs_is_one(running):
    with running.raw() as raw:
        data = framed(os.urandom(300))
        stream = raw.begin(ECHO, b"", end=False)
        for at in range(len(data)):
            raw.http.send_data(stream, data[at : at + 1])
            raw.flush()
        raw.http.end_stream(stream)
        raw.flush()
        assert raw.end(stream)["grpc-status"] == "0"
        assert raw.bodies[stream] == data


# -- headers -----------------------------------------------------------------------------------


def test_what_a_method_is_told_of_its_call(running):
    told = {
        "x-request-id": "r-1",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "tracestate": "x=1",
        "authorization": "Bearer t",
        "other": "thing",
    }
    ask(running, "Echo", b"", metadata=tuple(told.items()))
    call = running.methods.calls[-1]
    assert (call.face, call.method, call.caller.names) == ("grpc", "Echo", ())
    assert (call.request_id, call.authorization) == (told["x-request-id"], told["authorization"])
    assert (call.traceparent, call.tracestate) == (told["traceparent"], told["tracestate"])
    assert 0 < call.left < PATIENCE + 1  # the client rounds up


def test_its_calls_are_calls(running):
    ask(running, "Echo", b"")
    call, other = running.methods.calls[-1], Call("grpc", "Echo")
    for name in Call.__slots__:
        assert type(getattr(call, name)) in (type(getattr(other, name)), float), name
    for name in ("caller", "request_id", "span", "seen"):  # guards and faces may know better
        setattr(call, name, getattr(other, name))
    call.check_time()
    assert call.left is not None and 0 < (call.remaining() or 0) <= call.left
    assert call.ids() == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1H", 3_600), ("2M", 120), ("99999999S", 99_999_999), ("5000m", 5), ("9000000u", 9)]
    + [("9000000n", 0.009)],
)
def test_a_timeout_is_read_in_each_of_its_units(running, text, seconds):
    with running.raw() as raw:
        stream = raw.begin(ECHO, framed(b""), more=[("grpc-timeout", text)])
        assert raw.end(stream)["grpc-status"] in ("0", "4")
    if seconds > 1:
        assert running.methods.calls[-1].left == pytest.approx(seconds, abs=0.9)


@pytest.mark.parametrize("text", ["S", "1", "1x", "-1S", "123456789S", "1.5S", "1 S"])
def test_a_timeout_that_is_none_is_refused(running, text):
    with running.raw() as raw:
        stream = raw.begin(ECHO, framed(b""), more=[("grpc-timeout", text)])
        assert raw.end(stream)["grpc-status"] == "13"


def test_what_comes_too_late_is_not_decided(running):
    before = len(running.methods.calls)
    with running.raw() as raw:
        stream = raw.begin(ECHO, framed(b""), more=[("grpc-timeout", "0S")])
        assert raw.end(stream)["grpc-status"] == "4"
    assert len(running.methods.calls) == before


def test_the_kernel_names_who_asks_at_a_unix_socket(tmp_path):
    with serving(listen=f"unix://{tmp_path}/s") as running:
        assert ask(running, "Echo", b"x") == b"x"
        names = running.methods.calls[-1].caller.names
        assert names == (f"uid:{os.getuid()}", f"gid:{os.getgid()}", "unix")
    assert not (tmp_path / "s").exists()


# -- compression -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "encoding", "status"),
    [
        (gzip.compress(b"hello"), "gzip", "0"),
        (zlib.compress(b"hello"), "deflate", "0"),
        (gzip.compress(bytes(100_000)), "gzip", "0"),
        (gzip.compress(bytes(100_001)), "gzip", "8"),
        (gzip.compress(b"hello")[:-4], "gzip", "13"),
        (gzip.compress(b"hello") + b"x", "gzip", "13"),
        (b"hello", "gzip", "13"),
        (b"hello", "identity", "13"),
        (b"hello", "snappy", "12"),
    ],
)
def test_a_compressed_request_is_unpacked_or_refused(running, data, encoding, status):
    with running.raw(window=200_000) as raw:
        raw.http.increment_flow_control_window(200_000)
        stream = raw.begin(ECHO, framed(data, flag=1), more=[("grpc-encoding", encoding)])
        ended = raw.end(stream)
    assert ended["grpc-status"] == status
    if status in ("0", "12"):
        assert ended["grpc-accept-encoding"] == "identity, deflate, gzip"
    if status == "0":
        assert raw.bodies[stream][0] == 0


def test_answers_are_compressed_where_it_is_set_and_the_caller_reads_it(running):
    data = bytes(16_000)
    with serving(Settings(transport="fast", compression="gzip")) as packing:
        assert ask(packing, "Echo", data) == data
        with packing.raw() as raw:
            more = [("grpc-accept-encoding", "identity,gzip")]
            stream = raw.begin(ECHO, framed(data), more=more)
            assert raw.end(stream)["grpc-encoding"] == "gzip"
            assert len(raw.bodies[stream]) < 1_000
            stream = raw.begin(ECHO, framed(data))
            assert "grpc-encoding" not in raw.end(stream)
