"""The chain of lines: whole as it was written, broken at the first line that somebody touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import Limits
from taskman_authz.decision_log import verify
from taskman_authz.decision_log.chain import START, chained, last_hash

RECORDS = st.lists(
    st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=8), max_size=3).map(
        lambda record: json.dumps({"time": "now", **record}).encode()
    ),
    min_size=1,
    max_size=8,
)


def lines_of(records: list[bytes]) -> list[bytes]:
    return lines_after(START, records)


def lines_after(last: str, records: list[bytes]) -> list[bytes]:
    lines = []
    for record in records:
        line, last = chained(record, last)
        lines.append(line)
    return lines


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chain") / "log"


def broken_at(file: Path, lines: list[bytes]) -> int | None:
    file.write_bytes(b"".join(lines))
    found = verify([file]).broken
    return found and found.line


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_is_verified_or_named(file, data):
    file.write_bytes(data)
    found = verify([file])
    assert (found.broken is None) == (data == b"")


def test_a_line_is_read_up_to_its_limit(file):
    line = lines_of([json.dumps({"x": "y" * 70_000}).encode()])[0]
    file.write_bytes(line)
    assert verify([file]).broken is None
    broken = verify([file], Limits(log_line_bytes=1_000)).broken
    assert broken is not None and broken.line == 1


@given(RECORDS)
def test_what_was_written_is_whole(file, records):
    lines = lines_of(records)
    file.write_bytes(b"".join(lines))
    found = verify([file])
    assert (found.lines, found.first, found.broken) == (len(lines), START, None)
    assert found.last == json.loads(lines[-1])["hash"]
    assert [json.loads(line)["previous"] for line in lines] == [
        START,
        *(json.loads(line)["hash"] for line in lines[:-1]),
    ]


@given(RECORDS, st.data())
def test_a_changed_byte_breaks_its_line(file, records, data):
    lines = lines_of(records)
    number = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[number]) - 2))
    byte = data.draw(
        st.integers(0, 255).filter(lambda byte: byte not in (10, lines[number][place]))
    )
    lines[number] = lines[number][:place] + bytes([byte]) + lines[number][place + 1 :]
    assert broken_at(file, lines) == number + 1


@given(RECORDS.filter(lambda records: len(records) > 2), st.data())
def test_a_line_that_is_taken_out_put_in_or_moved_breaks_the_chain_there(file, records, data):
    lines = lines_of(records)
    number = data.draw(st.integers(0, len(lines) - 2))
    without = lines[:number] + lines[number + 1 :]
    assert broken_at(file, without) == (number + 1 if number else None)  # a log may begin anywhere
    twice = lines[: number + 1] + lines[number:]
    assert broken_at(file, twice) == number + 2
    swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
    assert broken_at(file, swapped) == (number + 1 if number else 2)


@given(RECORDS, st.data())
def test_a_torn_end_is_named_and_nothing_else_is(file, records, data):
    whole = b"".join(lines := lines_of(records))
    cut = data.draw(st.integers(0, len(whole) - 1))
    kept = whole[:cut]
    expected = None if kept.endswith(b"\n") or not kept else kept.count(b"\n") + 1
    assert broken_at(file, [kept]) == expected
    assert verify([file]).lines == kept.count(b"\n") <= len(lines)


@given(RECORDS, st.data())
def test_the_chain_goes_on_behind_a_torn_line_and_still_breaks_where_it_is_touched(
    file, records, data
):
    lines = lines_of(records)
    begun = len(b'{"previous":"",') + len(START)  # what says which line it follows
    cut = data.draw(st.integers(begun, len(lines[-1]) - 1))
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
    with file.open("rb") as opened:
        last, _ = last_hash(opened.fileno())
    after = [lines[-1][:cut] + b"\n", *lines_after(last, records)]
    whole = [*lines[:-1], *after]
    assert broken_at(file, whole) is None
    is_torn = cut < len(lines[-1]) - 1  # else only the end of the line was lost
    assert verify([file])[4:] == (int(is_torn),)
    for number in range(1, len(whole) - 1):
        assert broken_at(file, whole[:number] + whole[number + 1 :]) is not None
    number = data.draw(st.integers(0, len(whole) - 2))
    touched = whole[number][: begun + 1] + b"?" + whole[number][begun + 1 :]
    broken = broken_at(file, [*whole[:number], touched, *whole[number + 1 :]])
    # A torn line is held by the one that follows it, or by nothing.
    assert broken == (number if is_torn and number == len(lines) else number + 1)


@given(RECORDS, st.data())
def test_lines_that_are_cut_off_are_missed_by_who_kept_a_hash(file, records, data):
    lines = lines_of(records)
    number = data.draw(st.integers(0, len(lines) - 1))
    kept = json.loads(lines[number])["hash"]
    left = data.draw(st.integers(0, len(lines)))
    file.write_bytes(b"".join(lines[:left]))
    found = verify([file], kept=kept)
    assert (found.broken is None) == (number < left)
    assert found.broken is None or found.broken.line == left + 1
    assert verify([file], kept=START).broken is None or not left


@given(RECORDS, st.data())
def test_the_chain_goes_on_over_files(tmp_path_factory, records, data):
    lines = lines_of(records)
    cut = data.draw(st.integers(0, len(lines)))
    folder = tmp_path_factory.mktemp("files")
    older, newer = folder / "1", folder / "2"
    older.write_bytes(b"".join(lines[:cut]))
    newer.write_bytes(b"".join(lines[cut:]))
    assert verify([older, newer])[::3] == (len(lines), None)
    if 0 < cut < len(lines):
        broken = verify([newer, older]).broken
        assert broken is not None and (broken.file, broken.line) == (os.fspath(older), 1)


@given(RECORDS, st.binary(max_size=20))
def test_what_follows_an_open_file_is_found_at_its_end(file, records, torn):
    torn = torn.replace(b"\n", b"")
    lines = lines_of(records)
    file.write_bytes(b"".join(lines) + torn)
    with file.open("rb") as opened:
        found, whole = last_hash(opened.fileno())
    assert whole == (not torn)
    assert torn or found == json.loads(lines[-1])["hash"]


def test_a_long_last_line_is_found(file):
    line = lines_of([json.dumps({"x": "y" * 200_000}).encode()])[0]
    file.write_bytes(lines_of([b'{"time":1}'])[0] + line)
    with file.open("rb") as opened:
        assert last_hash(opened.fileno()) == (json.loads(line)["hash"], True)
