"""What is asked: a `CheckRequest`, and `make_request`, the one door through which it is made.

A subject is `type:id` (split at the first colon), a resource `kind/id` (first slash), an action
`kind:verb`. All three may carry attributes: a mapping with `type` and `id` (or `name` for an
action) among its keys, an `Entity` around any object, or an object with these attributes.

Laws: a request is immutable and holds everything that a decision may read, the time included
(`now`, nanoseconds since the Unix epoch, stamped once, here). Errors name the field and the type
that was found, never a value.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from .errors import RequestError
from .limits import DEFAULT, Limits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entity(msgspec.Struct, frozen=True):
    """A subject, resource or action with attributes in any object: a mapping, a dataclass, a
    pydantic or ORM model. Attributes are read when a condition needs them, and only then."""

    type: str
    id: str
    attributes: Any = None


class CheckRequest(msgspec.Struct, frozen=True):
    """One question: may this subject do this action on this resource?"""

    subject_type: str
    subject_id: str
    action: str
    resource_type: str
    resource_id: str
    roles: tuple[str, ...] = ()
    subject: Any = None  # the subject's attributes: a mapping or an object
    action_attributes: Any = None
    resource: Any = None  # the resource's attributes
    context: Any = None
    company_id: str | None = None
    # Nanoseconds since the Unix epoch; the clock's where it is not given.
    now: int = msgspec.field(default_factory=time.time_ns)


def make_request(
    subject: Any,
    action: Any,
    resource: Any,
    context: Any = None,
    company_id: str | None = None,
    now: datetime | int | None = None,
    limits: Limits = DEFAULT,
) -> CheckRequest:
    """A `CheckRequest` from what a caller has at hand. Raises `RequestError` naming the field."""
    subject_type, subject_id, subject_attributes = _entity("subject", subject, ":", limits)
    resource_type, resource_id, resource_attributes = _entity("resource", resource, "/", limits)
    if type(action) is str:
        action_name, action_attributes = action, None
    else:
        action_name, action_attributes = _action(action)
    if not action_name or len(action_name) > limits.name_length:
        raise _bad_name("action", action_name, limits)
    if company_id is not None and type(company_id) is not str:
        raise RequestError("company_id", f"expected a string, found {_kind(company_id)}")
    if company_id is not None and not 0 < len(company_id) <= limits.name_length:
        raise _bad_name("company_id", company_id, limits)
    return CheckRequest(
        subject_type,
        subject_id,
        action_name,
        resource_type,
        resource_id,
        () if subject_attributes is None else _roles(subject_attributes, limits),
        subject_attributes,
        action_attributes,
        resource_attributes,
        context,
        company_id,
        time.time_ns() if now is None else _nanoseconds(now),
    )


def _entity(field: str, value: Any, separator: str, limits: Limits) -> tuple[str, str, Any]:
    if type(value) is str:
        kind, found, id = value.partition(separator)
        if not found:
            form = "kind/id" if separator == "/" else "type:id"
            raise RequestError(field, f"expected `{form}`, found no `{separator}`")
        attributes = None
    elif type(value) is Entity:
        kind, id, attributes = value.type, value.id, value.attributes
    else:
        kind, id, attributes = _get(value, "type"), _get(value, "id"), value
    if type(kind) is not str or not kind or len(kind) > limits.name_length:
        raise _bad_name(f"{field}.type", kind, limits)
    if separator in kind:
        raise RequestError(f"{field}.type", f"expected no `{separator}` in it")
    if type(id) is not str or not id or len(id) > limits.name_length:
        raise _bad_name(f"{field}.id", id, limits)
    return kind, id, attributes


def _action(value: Any) -> tuple[Any, Any]:
    name = value.id if type(value) is Entity else _get(value, "name")
    if type(name) is not str:
        raise RequestError("action.name", f"expected a string, found {_kind(name)}")
    return name, value.attributes if type(value) is Entity else value


def _roles(attributes: Any, limits: Limits) -> tuple[str, ...]:
    roles = _get(attributes, "roles")
    if roles is None:
        return ()
    if isinstance(roles, (set, frozenset)):
        # A set has no order of its own; reasons must not depend on a process' string hashes.
        roles = sorted(roles, key=str)
    if not isinstance(roles, (list, tuple)):
        raise RequestError("subject.roles", f"expected a list of strings, found {_kind(roles)}")
    if len(roles) > limits.subject_roles:
        raise RequestError("subject.roles", f"more than {limits.subject_roles} roles")
    for index, role in enumerate(roles):
        if not isinstance(role, str):
            raise RequestError(f"subject.roles[{index}]", f"expected a string, found {_kind(role)}")
        if len(role) > limits.name_length:
            raise _bad_name(f"subject.roles[{index}]", str.__str__(role), limits)
    return tuple(map(str.__str__, roles))  # a subclass may say that it equals what it is not


def _get(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def _nanoseconds(now: Any) -> int:
    if type(now) is int:
        return now
    if isinstance(now, datetime):
        if now.tzinfo is None:
            raise RequestError("now", "expected a time with its zone, found one without")
        return (now - _EPOCH) // _MICROSECOND * 1_000 + getattr(now, "below", 0)
    raise RequestError("now", f"expected a datetime or nanoseconds, found {_kind(now)}")


def _bad_name(field: str, value: Any, limits: Limits) -> RequestError:
    if type(value) is not str:
        return RequestError(field, f"expected a string, found {_kind(value)}")
    if not value:
        return RequestError(field, "expected a name, found an empty string")
    return RequestError(field, f"longer than {limits.name_length} characters")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
