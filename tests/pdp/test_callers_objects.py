"""What a caller's own objects do, or fail to do, never turns a deny into an allow."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest

from taskman_authz import PDP, Entity, RequestError
from taskman_authz.limits import Limits
from taskman_authz.policy import compile_documents


def pdp(*policies: dict[str, Any]) -> PDP:
    """Policies about everything, each with an effect and a condition."""
    written = [
        {"id": f"p{number}", "roles": ["*"], "actions": ["*"], "resources": ["*"], **policy}
        for number, policy in enumerate(policies)
    ]
    return PDP(compile_documents([("all.yaml", json.dumps({"policies": written}))]))


def allowed(point: PDP, **context: Any) -> bool:
    return bool(point.check("user:1", "tasks:edit", "tasks/1", context=context))


class Hidden:
    """Shows nothing of itself."""

    def __init__(self, value: int) -> None:
        self._value = value


class Broken:
    """Has an attribute whose code looks for what is not there."""

    @property
    def locked(self) -> bool:
        return bool(self.nothing)  # type: ignore[attr-defined]


def test_objects_that_show_nothing_are_not_equal_to_each_other() -> None:
    same = pdp({"effect": "allow", "condition": "context.a == context.b"})
    assert not allowed(same, a=Hidden(1), b=Hidden(2))
    assert not allowed(same, a=Hidden(1), b={})
    differ = pdp({"effect": "allow"}, {"effect": "deny", "condition": "context.a != context.b"})
    assert not allowed(differ, a=Hidden(1), b=Hidden(2))


def test_a_property_that_fails_is_not_an_absent_attribute() -> None:
    point = pdp(
        {"effect": "allow"},
        {"effect": "deny", "condition": "has(context.o.locked) && context.o.locked"},
    )
    assert not allowed(point, o=Broken())


@pytest.mark.parametrize("key", [datetime(2026, 1, 1, tzinfo=UTC), (1, 2), None, 2**70])
def test_maps_with_keys_of_no_type_are_an_error_to_compare(key: Any) -> None:
    point = pdp({"effect": "allow"}, {"effect": "deny", "condition": "context.a == context.b"})
    assert not allowed(point, a={key: 1}, b={key: 1})


class NoClass:
    """Cannot even be asked what it is."""

    @property
    def __class__(self) -> Any:
        raise ValueError("secret")


class Denied:
    """Has roles that cannot be read now."""

    type, id = "user", "1"

    def __init__(self, error: Any) -> None:
        self.error = error

    @property
    def roles(self) -> list[str]:
        raise self.error("secret")


class Lazy(dict[str, Any]):
    """A mapping whose reading fails."""

    def get(self, key: str, default: Any = None) -> Any:
        raise ConnectionError("secret")


class Nowhere(tzinfo):
    """A time zone that is not there."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise LookupError("secret")

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> str:
        return "nowhere"


class Collides:
    """A key of a dict that is looked at wherever `name` is looked for, and fails."""

    def __init__(self, name: str) -> None:
        self.hash = hash(name)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        raise ValueError("secret")


GOOD = ("user:1", "tasks:edit", "tasks/1")
# Made when they are asked: a test's own machinery would look at them.
HOSTILE: list[tuple[str, Callable[[], tuple[Any, ...]]]] = [
    ("subject.roles", lambda: (Denied(AttributeError), *GOOD[1:])),
    ("subject.roles", lambda: (Denied(ValueError), *GOOD[1:])),
    ("subject.roles", lambda: (Entity("user", "1", Lazy()), *GOOD[1:])),
    ("subject.type", lambda: (Lazy(), *GOOD[1:])),
    ("subject.type", lambda: (NoClass(), *GOOD[1:])),
    ("subject.roles", lambda: ({"type": "user", "id": "1", "roles": NoClass()}, *GOOD[1:])),
    ("action.name", lambda: (GOOD[0], NoClass(), GOOD[2])),
    ("resource.type", lambda: (*GOOD[:2], NoClass())),
    ("now", lambda: (*GOOD, None, None, datetime(2026, 1, 1, tzinfo=Nowhere()))),
    ("now", lambda: (*GOOD, None, None, NoClass())),
    ("request", lambda: ({Collides("type"): 1}, *GOOD[1:])),
    ("request", lambda: (*GOOD, {Collides("locked"): 1})),
]
GUARDED: tuple[dict[str, Any], ...] = (
    {"effect": "allow"},
    {"effect": "deny", "roles": ["blocked"]},
    {"effect": "deny", "condition": "has(context.locked)"},
)


@pytest.mark.parametrize(("field", "question"), HOSTILE)
def test_what_a_callers_object_raises_is_a_request_error(
    field: str, question: Callable[[], tuple[Any, ...]]
) -> None:
    subject, action, resource, context, company, now = (*question(), None, None, None)[:6]
    with pytest.raises(RequestError, match="cannot be read") as raised:
        pdp(*GUARDED).check(subject, action, resource, context, company_id=company, now=now)
    assert raised.value.field == field
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "item", [*(question for _, question in HOSTILE), NoClass, lambda: Lazy(subject=1)]
)
def test_what_a_callers_object_raises_spoils_its_own_item_of_a_batch_only(
    item: Callable[[], Any],
) -> None:
    first, wrong, last = pdp(*GUARDED).batch_check([GOOD, item(), GOOD])
    assert first
    assert last
    assert wrong.reasons[0].code == "invalid_request"
    assert "secret" not in wrong.reasons[0].message


def test_a_batch_that_is_no_list_is_refused() -> None:
    with pytest.raises(RequestError, match="items"):
        pdp(*GUARDED).batch_check(iter([GOOD]))


def test_a_role_is_its_text_whatever_its_class_says() -> None:
    class Sly(str):
        def __eq__(self, other: object) -> bool:
            return other == "admin"

        def __hash__(self) -> int:
            return hash("admin")

    point = pdp({"effect": "allow", "roles": ["admin"]})
    assert not point.check(Entity("user", "1", {"roles": [Sly("guest")]}), "a:b", "t/1")


def test_a_role_is_no_longer_than_a_name() -> None:
    point = pdp({"effect": "allow"})
    with pytest.raises(RequestError, match=r"subject\.roles\[0\]"):
        point.check({"type": "user", "id": "1", "roles": ["x" * 5_000]}, "a:b", "t/1")


def test_a_time_beyond_the_calendar_closes() -> None:
    point = pdp({"effect": "allow", "condition": "now.getFullYear() > 3000"})
    assert not point.check("user:1", "a:b", "t/1", now=10**30)


def test_no_limit_makes_a_policy_of_a_condition_that_was_not_compiled() -> None:
    document = {
        "policies": [
            {
                "id": "p",
                "effect": "allow",
                "roles": ["*"],
                "actions": ["*"],
                "resources": ["*"],
                "condition": "subject.id == 'nobody'",
            }
        ]
    }
    policies = compile_documents([("one.yaml", json.dumps(document))], Limits(issues=0))
    assert not PDP(policies).check("user:1", "a:b", "t/1")
