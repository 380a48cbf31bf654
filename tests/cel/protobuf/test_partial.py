"""Messages of which not everything is known."""

from __future__ import annotations

import pytest

from taskman_authz import cel
from taskman_authz.v1 import authorization_pb2

ENV = cel.Env({"request": authorization_pb2.CheckRequest, "x": "dyn"})
REQUEST = authorization_pb2.CheckRequest(action="tasks:edit", company_id="acme")


def partial(text, *unknown):
    return ENV.compile(text).partial({"request": REQUEST}, unknown)


def test_fields_that_are_not_covered_are_known():
    assert partial("request.action", "request.company_id") == "tasks:edit"
    assert partial("request.company_id", "request.company_id") == cel.Unknown(
        ["request.company_id"]
    )
    assert partial("has(request.context)", "request.company_id") is False
    assert partial("has(request.company_id)", "request") == cel.Unknown(["request"])


@pytest.mark.parametrize(
    "text",
    [
        "request == x",
        "request == request",
        "x == request",
        "[request] == [x]",
        "taskman_authz.v1.CheckRequest{action: request.company_id}",
    ],
)
def test_a_message_that_is_known_in_part_is_not_known_as_a_whole(text):
    assert isinstance(partial(text, "request.company_id"), cel.Unknown)


def test_a_message_cannot_be_written_and_is_left():
    left = ENV.compile("request == x && request.action == 'a' || x").residual(
        {"request": REQUEST}, ["x"]
    )
    assert left.text == "false || x"
    assert ENV.compile("request == x").residual({"request": REQUEST}, ["x"]).text == "request == x"
