"""Rows and questions for the tests of the index and the decision."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from taskman_authz._fast.nodes import Constant, Node
from taskman_authz._fast.rows import RuleRow

COMPANIES = ["acme", "globex"]
ACTION_PATTERNS = ["t:edit", "t:view", "p:view", "t:*", "*", "*:view", "t:v*", "ping"]
RESOURCE_PATTERNS = ["t/1", "t/2", "t/*", "t/1/*", "*/1", "p/*", "*", "t*", "t/*/x"]
ROLES = ["dev", "admin", "viewer"]


def row(
    id: str = "a",
    *,
    deny: bool = False,
    company: str | None = None,
    actions: tuple[str, ...] = ("*",),
    resources: tuple[str, ...] = ("*",),
    roles: tuple[str, ...] = ("*",),
    condition: Node | None = None,
    number: int = -1,
) -> RuleRow:
    """A row whose reasons are its id and what was said: `a:decided`, `a:failed`, `a:unmet`."""
    decided, failed, unmet = ((f"{id}:{word}",) for word in ("decided", "failed", "unmet"))
    return RuleRow(
        id,
        company,
        deny,
        actions,
        resources,
        roles,
        condition,
        number,
        decided,
        failed if deny else failed[0],
        None if deny else unmet[0],
    )


def constant(value: Any) -> Node:
    """A condition of a known value."""
    return Constant(value, 0)


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple)


@st.composite
def row_lists(draw: st.DrawFn) -> list[RuleRow]:
    """Up to a dozen rows of distinct ids over small vocabularies, so that they often meet."""
    return [
        row(
            f"r{number}",
            deny=draw(st.booleans()),
            company=draw(st.sampled_from([None, *COMPANIES])),
            actions=draw(some(ACTION_PATTERNS)),
            resources=draw(some(RESOURCE_PATTERNS)),
            roles=draw(st.one_of(st.just(()), some([*ROLES, "*"]))),
            condition=draw(st.sampled_from([None, constant(True), constant(False)])),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


# (company, action, kind, id, roles)
questions = st.tuples(
    st.sampled_from([None, *COMPANIES, ""]),
    st.sampled_from(["t:edit", "t:view", "p:view", "t:", "ping", "t:view:x", "*"]),
    st.sampled_from(["t", "p", "tt", "*", "t/1"]),
    st.sampled_from(["1", "2", "3", "1/x", "1/2/x", "*"]),
    st.lists(st.sampled_from([*ROLES, "ghost", "*"]), max_size=3).map(tuple),
)


def request(question: tuple[Any, ...], **fields: Any) -> SimpleNamespace:
    """A request of user:123 about `question`, changed by `fields`."""
    company, action, kind, id, roles = question
    given_fields = {
        "subject_type": "user",
        "subject_id": "123",
        "subject": None,
        "action": action,
        "action_attributes": None,
        "resource_type": kind,
        "resource_id": id,
        "resource": None,
        "roles": roles,
        "context": None,
        "company_id": company,
        "now": 0,
    }
    return SimpleNamespace(**{**given_fields, **fields})
