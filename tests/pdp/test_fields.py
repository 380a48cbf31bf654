"""A question that is decided as its message has it is decided as the request that it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import PDP, CheckRequest, RequestError, authorize
from taskman_authz._fast import messages
from taskman_authz.limits import DEFAULT
from taskman_authz.pdp.authorizer import decision_of
from taskman_authz.testing.strategies import requests
from taskman_authz.wire import read_check, write_check

SHIPPED = PDP.from_path(Path(__file__).parents[2] / "policies" / "taskman").policies


def compare(data: bytes) -> bool:
    """Decide both ways, where there are both. Whether there were."""
    fields = messages.read_check(data, DEFAULT.property_depth)
    if fields is None:
        return False
    outcome = SHIPPED.decider.ask_fields(fields, 0)
    try:
        request = msgspec.structs.replace(read_check(data), now=0)
    except RequestError:
        assert outcome is None
        return False
    if outcome is None:
        return False
    assert decision_of(outcome, SHIPPED) == authorize(SHIPPED, request)
    return True


@given(requests(SHIPPED, now=0))
def test_what_a_client_sends_is_decided_as_the_request_that_it_wrote(request: CheckRequest):
    try:
        data = write_check(request)
    except RequestError:
        return  # what a message cannot carry
    assert compare(data)


@given(requests(SHIPPED, now=0), st.data())
def test_bytes_that_were_changed_are_decided_as_the_request_that_they_are(request, data):
    try:
        sent = bytearray(write_check(request))
    except RequestError:
        return
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(sent) - 1))
        sent[place] = data.draw(st.integers(0, 255))
    compare(bytes(sent))
