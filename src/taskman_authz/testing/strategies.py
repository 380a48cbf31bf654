"""Requests for property tests, as strategies of hypothesis (which is not installed along).

    from hypothesis import given
    from taskman_authz import PDP, authorize
    from taskman_authz.testing.strategies import requests

    POLICIES = PDP.from_path("policies").policies

    @given(requests(POLICIES))
    def test_guests_change_nothing(request):
        if "guest" in request.roles and request.action.endswith(":edit"):
            assert not authorize(POLICIES, request)

Law: a request is made of what the policies themselves name: their patterns, roles, attributes, and
the values that these are compared with; so both sides of a condition are found quickly.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from ..errors import ArgumentError
from ..pdp.changes import changed
from ..policy import PolicySet
from ..request import CheckRequest, make_request
from .generation import Template, templates

ROLES = 4  # that one subject holds, at most


def requests(
    policies: PolicySet, now: datetime | int | None = None
) -> st.SearchStrategy[CheckRequest]:
    """Requests that the rules of a policy set have something to say about, all as of one time: the
    time of this call where None. They shrink to few roles and few attributes. Raises ArgumentError
    for a policy set without a rule, about which there is nothing to ask."""
    moment = make_request("user:x", "x:x", "x/x", now=time.time_ns() if now is None else now).now
    made = templates([policies], moment, policies.rules)
    if not made:
        raise ArgumentError("policies", "rules to ask about", "none")
    return st.sampled_from(made).flatmap(_requests_of)


def _requests_of(template: Template) -> st.SearchStrategy[CheckRequest]:
    roles = st.lists(st.sampled_from(template.roles or ("x",)), max_size=ROLES, unique=True)
    attributes = st.fixed_dictionaries(
        {},
        optional={
            path: st.sampled_from(values) for path, values in template.attributes.items() if values
        },
    )
    filled = st.builds(template.filled, roles, attributes)
    if not template.starts:
        return filled
    starts: st.SearchStrategy[CheckRequest] = st.sampled_from(template.starts)
    return st.one_of(filled, st.builds(_with, starts, attributes))


def _with(start: CheckRequest, attributes: dict[Any, Any]) -> CheckRequest:
    return changed(start, list(attributes.items()))
