"""Promises of how `traceparent` is read: as W3C Trace Context says, and no other way."""

from __future__ import annotations

import pytest
from taskman_authz_sidecar.trace_context import is_left_out, read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_is_read():
    found = read_traceparent(f"00-{TRACE}-{SPAN}-01")
    assert found == (TRACE, SPAN, 1) and found.sampled
    assert not read_traceparent(f"00-{TRACE}-{SPAN}-02").sampled


def test_a_later_version_may_say_more_at_its_end():
    assert read_traceparent(f"cc-{TRACE}-{SPAN}-01-what-will-be") == (TRACE, SPAN, 1)
    assert read_traceparent(f"cc-{TRACE}-{SPAN}-01.what-will-be") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
        "x" * 100,
    ],
)
def test_what_is_none_is_left(wrong):
    assert read_traceparent(wrong) is None


@pytest.mark.parametrize("flags", range(256))
def test_the_quick_look_finds_every_trace_that_is_not_recorded(flags):
    text = f"00-{TRACE}-{SPAN}-{flags:02x}"
    assert is_left_out(text) is not read_traceparent(text).sampled


@pytest.mark.parametrize("wrong", ["", "00", "nonsense"])
def test_of_what_is_none_a_new_trace_may_begin(wrong):
    assert not is_left_out(wrong)
