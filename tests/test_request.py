"""A request is made at one door, which names what it cannot understand and never shows a value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from taskman_authz import PDP, CheckRequest, Limits, RequestError, cel
from taskman_authz.policy import compile_documents
from taskman_authz.request import make_request

GOOD: dict[str, Any] = {"subject": "user:1", "action": "tasks:edit", "resource": "tasks/2"}
EMPTY = PDP(compile_documents([("none.yaml", "policies: []")]))


@pytest.mark.parametrize("ask", [make_request, EMPTY.check])
@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("subject", {"subject": "secret"}),
        ("subject.type", {"subject": {"type": "user:x", "id": "secret"}}),
        ("subject.id", {"subject": {"type": "user"}}),
        ("subject.roles", {"subject": {"type": "user", "id": "secret", "roles": "secret"}}),
        ("resource", {"resource": "secret"}),
        ("resource.type", {"resource": {"type": "tasks/7", "id": "secret"}}),
        ("action", {"action": ""}),
        ("company_id", {"company_id": ""}),
        ("company_id", {"company_id": 7}),
        ("now", {"now": datetime(2026, 1, 1)}),
    ],
)
def test_what_cannot_be_asked_is_refused_by_the_name_of_its_field(
    ask: Any, field: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(RequestError) as raised:
        ask(**{**GOOD, **changed})
    assert raised.value.field == field
    assert "secret" not in str(raised.value)


def test_a_time_with_nanoseconds_keeps_them() -> None:
    now = cel.evaluate("timestamp('2026-01-15T10:30:00.123456789Z')")
    plain = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
    assert make_request(**GOOD, now=now).now == int(plain.timestamp()) * 10**9 + 123_456_789


# -- requests made by hand -------------------------------------------------------------------------

FIELDS: dict[str, Any] = {
    "subject_type": "user",
    "subject_id": "1",
    "action": "tasks:edit",
    "resource_type": "tasks",
    "resource_id": "2",
}


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("subject.type", {"subject_type": "us:er"}),
        ("subject.type", {"subject_type": 7}),
        ("subject.id", {"subject_id": ""}),
        ("subject.roles", {"subject": {"roles": "admin"}}),
        ("action", {"action": None}),
        ("resource.type", {"resource_type": "tasks/7"}),
        ("resource.id", {"resource_id": "x" * 2_000}),
        ("roles", {"roles": ("admin",)}),
        ("roles", {"roles": ["guest"], "subject": {"roles": ["guest"]}}),
        ("company_id", {"company_id": ""}),
        ("now", {"now": datetime(2026, 1, 1, tzinfo=UTC)}),
    ],
)
def test_a_request_made_by_hand_is_checked_as_any_other(
    field: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(RequestError) as raised:
        CheckRequest(**{**FIELDS, **changed})
    assert raised.value.field == field


def test_roles_are_those_of_the_subjects_attributes() -> None:
    request = CheckRequest(**FIELDS, subject={"roles": ["developer"]})
    assert request.roles == ("developer",)
    assert msgspec.structs.replace(request, action="tasks:view").roles == ("developer",)
    assert CheckRequest(**FIELDS).roles == ()
    with pytest.raises(RequestError, match="roles"):
        msgspec.structs.replace(request, subject={"roles": ["admin"]})


def test_a_request_is_held_to_its_own_limits() -> None:
    long = "x" * 2_000
    wide = Limits(name_length=3_000)
    assert make_request(f"user:{long}", "a:b", "t/1", limits=wide).subject_id == long
    with pytest.raises(RequestError, match=r"subject\.id"):
        make_request("user:123456789", "a:b", "t/1", limits=Limits(name_length=8))
