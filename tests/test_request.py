"""A request is made at one door, which names what it cannot understand and never shows a value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from taskman_authz import PDP, RequestError, cel
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
