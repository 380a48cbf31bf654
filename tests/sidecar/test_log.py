"""Promises of the log: one JSON object a line with the fields that operators look for first, and
nobody waits for who reads it."""

from __future__ import annotations

import json
import logging
import os
import threading

import pytest
from taskman_authz_sidecar.door import Call, Door
from taskman_authz_sidecar.log import make_log, take_over
from taskman_authz_sidecar.log_writer import LogWriter
from taskman_authz_sidecar.settings import Settings

from taskman_authz.errors import RequestError

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Pipe:
    """What a writer has written so far."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.writer = LogWriter(self.writing)

    def lines(self) -> list[str]:
        assert self.writer.flush(30)
        return os.read(self.reading, 2**16).decode().splitlines()

    def log(self, **settings):
        return make_log(Settings(**{"log_format": "json"} | settings), self.writer)


@pytest.fixture
def pipe():
    pipe = Pipe()
    yield pipe
    os.close(pipe.reading)
    os.close(pipe.writing)


def test_an_event_is_one_line_of_json_with_the_common_fields_first(pipe):
    pipe.log().info("serving", revision="r1", listen=["a", "b"])
    (line,) = pipe.lines()
    event = json.loads(line)
    assert list(event)[:4] == ["timestamp", "level", "service", "message"]
    assert event["timestamp"].endswith("Z")
    assert (event["level"], event["service"]) == ("info", "authorization-service")
    assert (event["message"], event["revision"]) == ("serving", "r1")


def test_the_service_is_called_as_the_settings_say(pipe):
    pipe.log(service_name="authz-2").info("serving")
    assert json.loads(pipe.lines()[0])["service"] == "authz-2"


def test_a_traceback_is_a_field(pipe):
    try:
        raise ValueError("why")
    except ValueError as error:
        pipe.log().error("call failed", exc_info=error)
    (line,) = pipe.lines()
    assert "ValueError: why" in json.loads(line)["exception"]


def test_what_is_below_the_level_is_not_said(pipe):
    log = pipe.log(log_level="warning")
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["message"] for line in pipe.lines()] == ["loud"]


@pytest.mark.parametrize("log_format", ["text", "auto"])
def test_text_is_for_terminals(log_format, pipe, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: log_format == "auto")
    pipe.log(log_format=log_format).info("serving", revision="r1")
    (said,) = pipe.lines()
    assert "serving" in said and "r1" in said and "{" not in said


def test_what_is_said_while_a_call_is_answered_names_the_call(pipe):
    log = pipe.log()

    def method(data, call):
        log.info("deciding")
        raise RequestError("subject", "expected a text")

    traceparent = f"00-{TRACE}-{SPAN}-00"
    call = Call("grpc", "Check", request_id="req-789", traceparent=traceparent)
    Door(log).answer(call, method, b"")
    log.info("afterwards")
    deciding, refused, afterwards = map(json.loads, pipe.lines())
    names = ["timestamp", "level", "service", "trace_id", "span_id", "request_id", "message"]
    for event in (deciding, refused):
        assert list(event)[:7] == names
        assert (event["trace_id"], event["span_id"]) == (TRACE, SPAN)
        assert event["request_id"] == "req-789"
    assert refused["duration_ms"] >= 0
    assert "trace_id" not in afterwards and "request_id" not in afterwards


def test_libraries_speak_the_same_way(pipe):
    before = logging.root.handlers[:], logging.root.level
    try:
        take_over(pipe.log())
        logging.getLogger("some.library").warning("%s is odd", "this")
        logging.getLogger("some.library").warning("%d", "no number")
        logging.getLogger("some.library").info("chatter")
    finally:
        logging.root.handlers[:], logging.root.level = before
        logging.captureWarnings(False)
    one, two = map(json.loads, pipe.lines())
    assert (one["message"], one["logger"]) == ("this is odd", "some.library")
    assert (one["level"], two["level"]) == ("warning", "warning")


def test_a_reader_that_does_not_read_costs_lines_that_are_counted_and_no_time():
    reading, writing = os.pipe()
    writer = LogWriter(writing, lines=10)
    line = "x" * 4000
    for _ in range(1_000):  # more than a pipe and the queue hold: nobody waits
        writer.msg(line)
    assert 0 < writer.dropped < 1_000
    assert not writer.flush(0)
    read: list[bytes] = []
    reader = threading.Thread(
        target=lambda: read.extend(iter(lambda: os.read(reading, 2**16), b""))
    )
    reader.start()
    assert writer.flush(30)
    os.close(writing)
    reader.join(30)
    os.close(reading)
    assert b"".join(read).count(b"\n") == 1_000 - writer.dropped


def test_a_reader_that_went_away_costs_the_lines_and_nothing_else():
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing)
    writer.msg("into the void")
    assert writer.flush(30)
    os.close(writing)
    assert writer.dropped == 1


def test_lines_of_several_writers_stay_whole():
    reading, writing = os.pipe()
    writers = [LogWriter(writing) for _ in range(3)]
    read: list[bytes] = []
    reader = threading.Thread(
        target=lambda: read.extend(iter(lambda: os.read(reading, 2**16), b""))
    )
    reader.start()
    for number in range(2_000):
        for name, writer in zip("abc", writers, strict=True):
            writer.msg(name * (number % 90))
    assert all(writer.flush(30) for writer in writers)
    os.close(writing)
    reader.join(30)
    os.close(reading)
    lines = b"".join(read).decode().splitlines()
    assert len(lines) == 6_000
    assert all(len(set(line)) <= 1 for line in lines)


def test_a_process_that_was_forked_writes_its_own_lines(pipe):
    pipe.writer.msg("parent")
    assert pipe.writer.flush(30)
    if not (child := os.fork()):
        pipe.writer.msg("child")
        pipe.writer.flush(30)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert pipe.lines() == ["parent", "child"]
