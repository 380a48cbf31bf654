"""Promises of the log: one JSON object a line with the fields that operators look for first."""

from __future__ import annotations

import json

import pytest
from taskman_authz_sidecar.log import make_log
from taskman_authz_sidecar.settings import Settings


def test_an_event_is_one_line_of_json_with_the_common_fields_first(capsys):
    make_log(Settings(log_format="json")).info("serving", revision="r1", listen=["a", "b"])
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert list(event)[:4] == ["timestamp", "level", "service", "message"]
    assert event["timestamp"].endswith("Z")
    assert (event["level"], event["service"]) == ("info", "authorization-service")
    assert (event["message"], event["revision"]) == ("serving", "r1")


def test_a_traceback_is_a_field(capsys):
    try:
        raise ValueError("why")
    except ValueError as error:
        make_log(Settings(log_format="json")).error("call failed", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: why" in json.loads(line)["exception"]


def test_what_is_below_the_level_is_not_said(capsys):
    log = make_log(Settings(log_format="json", log_level="warning"))
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == [
        "loud"
    ]


@pytest.mark.parametrize("log_format", ["text", "auto"])
def test_text_is_for_terminals(log_format, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: log_format == "auto")
    make_log(Settings(log_format=log_format)).info("serving", revision="r1")
    said = capsys.readouterr().err
    assert "serving" in said and "r1" in said and "{" not in said
