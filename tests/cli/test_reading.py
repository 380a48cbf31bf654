"""What a user gives a command is read, or refused with its place."""

from __future__ import annotations

import io
import sys

import pytest

from taskman_authz.cli.reading import parse_json, read_entity, read_file, read_object, read_time
from taskman_authz.errors import CompileError, RequestError


def refusal(call, *arguments):
    with pytest.raises(CompileError) as caught:
        call(*arguments)
    (issue,) = caught.value.issues
    return issue


@pytest.fixture
def standard_input(monkeypatch):
    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


def test_a_name_is_taken_as_it_is():
    assert read_entity("subject", "user:123") == "user:123"


def test_braces_are_json():
    assert read_entity("subject", '{"type": "user", "id": "1"}') == {"type": "user", "id": "1"}


def test_at_sign_is_a_file(tmp_path):
    path = tmp_path / "subject.json"
    path.write_text('{"id": "é"}', encoding="utf-8")
    assert read_entity("subject", f"@{path}") == {"id": "é"}


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path):
    path = tmp_path / "subject.json"
    path.write_bytes(b'\xef\xbb\xbf{"id": "1"}')
    assert read_object("subject", f"@{path}") == {"id": "1"}


def test_dash_is_standard_input(standard_input):
    standard_input(b'{"id": "1"}')
    assert read_entity("subject", "-") == {"id": "1"}


def test_a_file_of_input_can_be_standard_input(standard_input):
    standard_input(b"[1, 2]")
    assert read_file("-") == [1, 2]


def test_bad_json_is_told_with_line_and_caret(tmp_path):
    path = tmp_path / "context.json"
    path.write_text('{\n  "ip": 10.0.0.7\n}')
    issue = refusal(read_object, "context", f"@{path}")
    assert (issue.place.source, issue.place.line, issue.place.column) == (str(path), 2, 13)
    assert issue.place.text == '  "ip": 10.0.0.7'


def test_bad_json_in_an_option_names_the_option():
    issue = refusal(read_entity, "subject", "{id: 1}")
    assert str(issue.place) == "subject:1:2"


@pytest.mark.parametrize("text", ["[1]", "1", '"a"', "null"])
def test_an_object_is_expected(text):
    assert refusal(read_object, "context", text).message == "expected a JSON object"


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1, "a": 2}', ""])
def test_what_is_no_json_is_refused(text):
    assert refusal(read_object, "context", text).code == "invalid_json"


def test_a_hostile_depth_is_refused():
    issue = refusal(parse_json, "context", "[" * 1_000_000)
    assert issue.message == "not JSON: nested too deeply"


def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path):
    path = tmp_path / "subject.json"
    path.write_bytes(b'\xef\xbb\xbf{\n"\xc3\xa9": "\xff"}')
    issue = refusal(read_object, "subject", f"@{path}")
    assert (issue.place.line, issue.place.column) == (2, 7)
    assert (issue.code, issue.message) == ("unreadable", "not UTF-8")


def test_time_is_in_nanoseconds():
    assert read_time("now", "1970-01-01T00:00:01.000000002Z") == 1_000_000_002


@pytest.mark.parametrize("text", ["", "now", "2026-01-15", "2026-01-15T10:30:00", "1"])
def test_a_time_without_a_zone_is_no_time(text):
    with pytest.raises(RequestError, match="now: expected a time"):
        read_time("now", text)
