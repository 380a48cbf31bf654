"""Whatever arrives is answered or dropped, and others are answered all the same."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time

import pytest

from tests.sidecar.http.asking import EVALUATION, EVALUATIONS, JSON, ask
from tests.sidecar.http.conftest import FIXTURE, begin
from tests.sidecar.process import PATIENCE

pytestmark = pytest.mark.process

GOOD = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}
BODY = json.dumps(GOOD).encode()


@pytest.fixture(scope="module")
def impatient():
    """A sidecar that does not wait long."""
    sidecar = begin(
        *("--entities", str(FIXTURE / "entities"), "--http-timeout", "0.3"),
        *("--grace", "1"),
    )
    yield sidecar
    sidecar.kill()


def is_well(sidecar):
    """Whether a good question is answered at once."""
    return ask(sidecar.http[0], EVALUATION, GOOD).body["decision"] is True


def connect(sidecar):
    host, _, port = sidecar.http[0].rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def head(length, path=EVALUATION):
    lines = [f"POST {path} HTTP/1.1", "Host: pdp", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def all_of(connection):
    """What the other side sends until it closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


NESTED = b"[" * 100_000
HOSTILE = {
    "no JSON": b"{",
    "invalid UTF-8": b'{"subject": {"type": "\xff\xfe", "id": "1"}}',
    "a name twice": b'{"subject": 1, "subject": 2}',
    "half of a surrogate pair": b'{"subject": "\\ud800"}',
    "deep lists": NESTED,
    "deep objects": b'{"a":' * 100_000,
    "deep properties": b'{"subject":{"properties":{"x":' + b"[" * 40 + b"]" * 40 + b"}}}",
    "too long": b'"' + b"x" * 2_000_000 + b'"',
    "far too long": b'"' + b"x" * 40_000_000 + b'"',
    "a number of many digits": b'{"context": {"x": ' + b"9" * 10_000 + b"}}",
    "a number beyond doubles": b'{"context": {"x": 1e999}}',
    "10,000 items": json.dumps({**GOOD, "evaluations": [{}] * 10_000}).encode(),
    "brackets": b"[" + b"[]," * 500_000 + b"[]]",
    "quotes": b'"' + b'\\"' * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_and_others_are_answered(point, name):
    answer = ask(point.http[0], EVALUATIONS, HOSTILE[name])
    assert answer.status == 400
    assert len(answer.body) < 200
    assert is_well(point)


def test_giant_maps_are_read_within_the_limits(point):
    names = {f"name-{number}": number for number in range(80_000)}
    body = {**GOOD, "context": names, "subject": {**GOOD["subject"], "properties": names}}
    answer = ask(point.http[0], EVALUATION, {**body, "subject": GOOD["subject"]})
    assert (answer.status, answer.body["decision"]) == (200, True)
    answer = ask(point.http[0], EVALUATION, body)
    assert answer.body == "body: longer than 2000000 bytes"


def test_as_many_items_as_may_be_are_answered(point):
    answer = ask(point.http[0], EVALUATIONS, {**GOOD, "evaluations": [{}] * 1_000})
    assert [each["decision"] for each in answer.body["evaluations"]] == [True] * 1_000


def test_a_body_that_is_cut_off_is_dropped(point):
    before = len(point.said)
    with connect(point) as connection:
        connection.sendall(head(len(BODY)) + BODY[:20])
    assert is_well(point)
    assert not [event for event in point.said[before:] if event["level"] == "error"]


def test_a_body_that_does_not_come_is_not_waited_for(impatient):
    with connect(impatient) as connection:
        connection.sendall(head(len(BODY)) + BODY[:20])
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'"the body took too long"')
    assert is_well(impatient)


def test_an_idle_connection_is_closed(impatient):
    with connect(impatient) as connection:
        connection.sendall(head(len(BODY)) + BODY)
        assert all_of(connection).startswith(b"HTTP/1.1 200 ")  # and then nothing more


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\nHost: pdp\r\nX-Half: "])
def test_a_connection_whose_headers_do_not_come_is_closed(impatient, sent):
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert all_of(connection) == b""


def test_headers_that_dribble_have_no_longer_than_others(impatient):
    with connect(impatient) as connection:
        connection.setblocking(False)
        end = time.monotonic() + PATIENCE
        with contextlib.suppress(ConnectionError):
            while not select.select([connection], [], [], 0.05)[0]:
                connection.send(b"X")
                assert time.monotonic() < end, "a dribbling client is waited for"
            assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"NONSENSE\r\n\r\n",
        head(5).replace(b"Content-Length: 5", b"Content-Length: five") + b"{}",
        head(2).replace(b"Host: pdp", b"X: " + b"x" * 100_000) + b"{}",
    ],
)
def test_what_is_no_http_is_refused(point, data):
    with connect(point) as connection:
        connection.sendall(data)
        assert all_of(connection)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431")
    assert is_well(point)


def test_a_client_that_stops_reading_keeps_nobody_waiting(impatient):
    """It asks for megabytes of answers and reads none: only its own connection stands still."""
    many = json.dumps({**GOOD, "evaluations": [{}] * 1_000}).encode()
    question = head(len(many), EVALUATIONS) + many
    with connect(impatient) as connection:
        connection.setblocking(False)
        sent, end = 0, time.monotonic() + PATIENCE
        while select.select([], [connection], [], 0.5)[1] and time.monotonic() < end:
            try:
                sent += connection.send(question[sent % len(question) :])
            except BlockingIOError:
                continue
            assert sent < 200_000_000, "a client that reads nothing is still being read"
        for _ in range(20):
            assert is_well(impatient)


def test_more_connections_than_may_be_are_told_so():
    sidecar = begin("--http-connections", "5")
    held = [connect(sidecar) for _ in range(5)]
    try:
        for connection in held:
            connection.sendall(head(len(BODY)))
        with connect(sidecar) as another:
            another.sendall(head(len(BODY)) + BODY)
            assert all_of(another).startswith(b"HTTP/1.1 503 ")
        for connection in held:
            connection.close()
        end = time.monotonic() + PATIENCE
        while ask(sidecar.http[0], EVALUATION, GOOD).status != 200:
            assert time.monotonic() < end
    finally:
        for connection in held:
            connection.close()
        sidecar.kill()


def test_connections_that_send_nothing_keep_nobody_out():
    sidecar = begin("--http-connections", "5")
    held = [connect(sidecar) for _ in range(20)]
    try:
        for _ in range(5):
            assert ask(sidecar.http[0], EVALUATION, GOOD, JSON).status == 200
    finally:
        for connection in held:
            connection.close()
        sidecar.kill()


def test_it_stops_within_the_grace_whoever_is_connected():
    sidecar = begin("--grace", "1")
    try:
        with connect(sidecar) as idle, connect(sidecar) as slow:
            slow.sendall(head(len(BODY)) + BODY[:20])
            assert ask(sidecar.http[0], EVALUATION, GOOD, JSON).status == 200
            assert sidecar.stop() == 0
            assert idle.recv(1) == b""
    finally:
        sidecar.kill()
