"""What a caller's own objects do, or fail to do, never turns a deny into an allow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
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
