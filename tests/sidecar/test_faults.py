"""Whatever comes over the wire: an error in words or none, never a yes, never the end of it all."""

from __future__ import annotations

import contextlib
import socket

import grpc
import pytest

from taskman_authz.v1 import authorization_pb2 as pb
from tests.sidecar.process import PATIENCE, SERVING, Sidecar
from tests.sidecar.raw import BATCH_CHECK, CHECK, Raw, framed
from tests.sidecar.test_answering import check, question, refusal

pytestmark = pytest.mark.process

GOOD = question().SerializeToString()


@pytest.fixture(autouse=True)
def unharmed(sidecar: Sidecar):
    """After each of these it answers, and nothing failed inside."""
    yield
    assert check(sidecar, question()).allowed
    assert sidecar.health("") == SERVING
    assert not [event for event in sidecar.said if event.get("level") == "error"]


def test_a_raw_call_is_one(sidecar):
    with Raw(sidecar.address) as raw:
        assert raw.ask(CHECK, framed(GOOD))["grpc-status"] == "0"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        framed(GOOD)[:-10],
        framed(GOOD, length=len(GOOD) + 100),
        framed(GOOD, length=2**32 - 1),
        framed(GOOD, flag=1),
        framed(GOOD, flag=0x7F),
        framed(GOOD, length=len(GOOD) - 5),
    ],
    ids=["nothing", "half a head", "cut short", "promises more", "promises 4 GiB", "not compressed"]
    + ["unknown flag", "promises less"],
)
def test_a_frame_that_is_no_message_is_never_answered_by_a_yes(sidecar, data):
    # gRPC leaves some of these unanswered until the connection ends: the good one comes after.
    with Raw(sidecar.address) as raw:
        wrong, good = raw.begin(CHECK, data), raw.begin(CHECK, framed(GOOD))
        assert raw.end(good).get("grpc-status") in ("0", None)
        assert raw.ended.get(wrong, {}).get("grpc-status") != "0"


def test_json_is_not_read_whatever_the_content_type(sidecar):
    with Raw(sidecar.address) as raw:
        for content_type in ("application/json", "application/grpc+json", "text/plain", ""):
            ended = raw.ask(CHECK, framed(b'{"subject": "user:dev"}'), content_type)
            assert ended.get("grpc-status") != "0"


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\0\x01", b"\xff" * 10_000],
    ids=["HTTP/1.1", "TLS", "noise"],
)
def test_who_does_not_speak_http_2_is_sent_away(sidecar, data):
    host, _, port = sidecar.address.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(data)
            while raw.recv(65_536):
                pass


def test_unknown_fields_change_nothing(sidecar):
    unknown = b"\xf8\x07\x01" + b"\xfa\x07\x05hello"  # 127: a number, and a text
    plain = sidecar.call("Check", GOOD)
    assert sidecar.call("Check", unknown + GOOD + unknown) == plain


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x01\xff",  # subject
        GOOD + b"\x22\x06\x0a\x01\xff\x12\x01a",  # a key of context
        GOOD + b"\x2a\x08\x0a\x06\x0a\x01\xff\x12\x01a",  # a name in subject_properties
        GOOD + b"\x2a\x0a\x0a\x08\x0a\x01a\x12\x03\x1a\x01\xff",  # a text there
    ],
    ids=["subject", "context", "name", "text"],
)
def test_text_that_is_not_utf_8_is_an_invalid_argument(sidecar, data):
    code, details = refusal(sidecar, "Check", data)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("message: ")


def test_as_many_keys_as_a_message_holds_are_read(sidecar):
    message = question()
    message.context.update({str(number): "x" for number in range(9_000)})
    assert 90_000 < message.ByteSize() < 100_000
    assert check(sidecar, message).allowed
    message.context.update({f"more {number}": "x" for number in range(9_000)})
    code, _ = refusal(sidecar, "Check", message.SerializeToString())
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_ten_thousand_items_are_refused_as_a_whole(sidecar):
    data = pb.BatchCheckRequest(items=[pb.CheckRequest()] * 10_000).SerializeToString()
    code, details = refusal(sidecar, "BatchCheck", data)
    assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "items: more than 50 items")


def test_calls_that_are_given_up_harm_nobody(sidecar):
    with grpc.insecure_channel(sidecar.address) as channel:
        batch = channel.unary_unary(BATCH_CHECK, None, None)
        data = pb.BatchCheckRequest(items=[question()] * 50).SerializeToString()
        calls = [batch.future(data, timeout=PATIENCE) for _ in range(100)]
        for call in calls:
            call.cancel()
    with Raw(sidecar.address) as raw:
        for _ in range(50):
            stream = raw.begin(CHECK, framed(GOOD)[:-1], end=False)
            raw.http.reset_stream(stream)
            raw.flush()


def test_who_does_not_read_answers_holds_up_nobody(sidecar):
    data = framed(pb.BatchCheckRequest(items=[question()] * 50).SerializeToString())
    with Raw(sidecar.address, window=0) as raw:
        for _ in range(10):  # as many as are taken of one connection at once
            raw.begin(BATCH_CHECK, data)
        for _ in range(20):
            assert check(sidecar, question()).allowed


def test_who_does_not_read_holds_up_the_end_no_longer_than_the_grace(policies, start):
    sidecar = start(policies, "--grace", "0.2")
    with Raw(sidecar.address, window=0) as raw:
        stream = raw.begin("/grpc.health.v1.Health/Watch", framed(b""))
        raw.begin(CHECK, framed(GOOD))
        assert raw.http.open_outbound_streams == 2 and stream
        assert check(sidecar, question()).allowed
        assert sidecar.stop() == 0
