"""What is asked: a `CheckRequest`, and `make_request`, which makes one of what a caller has.

A subject is `type:id` (split at the first colon), a resource `kind/id` (first slash), an action
`kind:verb`. All three may carry attributes: a mapping with `type` and `id` (or `name` for an
action) among its keys, an `Entity` around any object, or an object with these attributes.

Laws: a request is immutable, checked where it is made, however it is made, and holds everything
that a decision may read, the time included (`now`, nanoseconds since the Unix epoch, stamped
once). Its roles are those of the subject's attributes, so that no condition sees others than the
index. Errors name the field and the type that was found, never a value; what the caller's own code
raises while it is read is such an error too, never an absent attribute.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from .errors import RequestError
from .limits import DEFAULT, Limits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MISSING: Final = object()
_OF_SUBJECT: Final[Any] = None  # roles that were not given
_WITHOUT_ATTRIBUTES = (
    *(str, bytes, bytearray, int, float, complex, list, tuple, set, frozenset),
    Awaitable,  # that nobody awaited: what a deny policy asks for would seem not to be there
)


class Entity(msgspec.Struct, frozen=True):
    """A subject, resource or action with attributes in any object: a mapping, a dataclass, a
    pydantic or ORM model. Attributes are read when a condition needs them, and only then."""

    type: str
    id: str
    attributes: Any = None


class CheckRequest(msgspec.Struct, frozen=True):
    """One question: may this subject do this action on this resource?

    `roles` are the subject's attribute of this name and need not be given; given ones must be
    those. Raises RequestError naming the field that is wrong.
    """

    subject_type: str
    subject_id: str
    action: str
    resource_type: str
    resource_id: str
    roles: tuple[str, ...] = _OF_SUBJECT
    subject: Any = None  # the subject's attributes: a mapping or an object
    action_attributes: Any = None
    resource: Any = None  # the resource's attributes
    context: Any = None
    company_id: str | None = None
    # Nanoseconds since the Unix epoch; the clock's where it is not given.
    now: int = msgspec.field(default_factory=time.time_ns)
    limits: Limits = DEFAULT  # what its names and roles are held to

    def __post_init__(self) -> None:
        if not self._is_usual():
            self._check()
        found = () if self.subject is None else _roles(self.subject, self.limits)
        if self.roles is not _OF_SUBJECT and self.roles != found:
            raise RequestError("roles", "not those of the subject's attributes; leave them out")
        msgspec.structs.force_setattr(self, "roles", found)

    def _is_usual(self) -> bool:
        """Whether nothing is wrong, as is mostly so, found out in one look: a batch is made of
        hundreds of requests, and checking each field for itself takes longer than to decide."""
        most = self.limits.name_length
        kind, id, action = self.subject_type, self.subject_id, self.action
        other_kind, other_id, company = self.resource_type, self.resource_id, self.company_id
        return (
            type(kind) is type(id) is type(action) is type(other_kind) is type(other_id) is str
            and 0 < len(kind) <= most
            and 0 < len(id) <= most
            and 0 < len(action) <= most
            and 0 < len(other_kind) <= most
            and 0 < len(other_id) <= most
            and ":" not in kind
            and "/" not in other_kind
            and (company is None or (type(company) is str and 0 < len(company) <= most))
            and type(self.now) is int
            and (self.subject is None or type(self.subject) is dict)
            and (self.action_attributes is None or type(self.action_attributes) is dict)
            and (self.resource is None or type(self.resource) is dict)
            and (self.context is None or type(self.context) is dict)
        )

    def _check(self) -> None:
        """Raises RequestError for the first thing that is wrong, if anything is."""
        limits = self.limits
        _check_kind("subject.type", self.subject_type, ":", limits)
        _check_name("subject.id", self.subject_id, limits)
        _check_name("action", self.action, limits)
        _check_kind("resource.type", self.resource_type, "/", limits)
        _check_name("resource.id", self.resource_id, limits)
        if self.company_id is not None:
            _check_name("company_id", self.company_id, limits)
        if type(self.now) is not int:
            raise RequestError("now", f"expected nanoseconds, found {_kind(self.now)}")
        for field, value in (
            ("subject", self.subject),
            ("action", self.action_attributes),
            ("resource", self.resource),
            ("context", self.context),
        ):
            if value is not None and type(value) is not dict:
                check_attributes(field, value)


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
    subject_type, subject_id, subject_attributes = _entity("subject", subject, ":")
    resource_type, resource_id, resource_attributes = _entity("resource", resource, "/")
    if type(action) is str:
        action_name, action_attributes = action, None
    else:
        action_name, action_attributes = _action(action)
    return CheckRequest(
        subject_type,
        subject_id,
        action_name,
        resource_type,
        resource_id,
        _OF_SUBJECT,
        subject_attributes,
        action_attributes,
        resource_attributes,
        context,
        company_id,
        time.time_ns() if now is None else _nanoseconds(now),
        limits,
    )


def check_attributes(field: str, value: Any) -> None:
    """Raises RequestError for what holds no attributes: a text, a number, a list, a coroutine."""
    if isinstance(value, _WITHOUT_ATTRIBUTES):
        expected = "a mapping or an object with attributes"
        raise RequestError(field, f"expected {expected}, found {_kind(value)}")


def failed(field: str) -> RequestError:
    """What is said where the caller's own code raised while `field` was read."""
    return RequestError(field, "cannot be read: the object that holds it failed")


def _entity(field: str, value: Any, separator: str) -> tuple[Any, Any, Any]:
    """Type, id and attributes, not checked yet."""
    if type(value) is str:
        kind, found, id = value.partition(separator)
        if not found:
            raise RequestError(field, f"expected {_form(separator)}, found no `{separator}`")
        return kind, id, None
    if type(value) is Entity:
        return value.type, value.id, value.attributes
    kind = _get(field, value, "type")
    if kind is None and (value is None or isinstance(value, _WITHOUT_ATTRIBUTES)):
        expected = f"{_form(separator)}, or a mapping or an object with `type` and `id`"
        raise RequestError(field, f"expected {expected}, found {_kind(value)}")
    return kind, _get(field, value, "id"), value


def _form(separator: str) -> str:
    """How a text names an entity."""
    return "`kind/id`" if separator == "/" else "`type:id`"


def _action(value: Any) -> tuple[Any, Any]:
    name = value.id if type(value) is Entity else _get("action", value, "name")
    if type(name) is not str:
        raise RequestError("action.name", f"expected a string, found {_kind(name)}")
    return name, value.attributes if type(value) is Entity else value


def _roles(attributes: Any, limits: Limits) -> tuple[str, ...]:
    try:
        if type(attributes) is dict:
            roles = attributes.get("roles")
        else:
            roles = _get("subject", attributes, "roles")
        if roles is None:
            return ()
        if type(roles) is list and _are_usual(roles, limits):
            return tuple(roles)
        return _role_names(roles, limits)
    except RequestError:
        raise
    except Exception as error:
        raise failed("subject.roles") from error


def _are_usual(roles: list[Any], limits: Limits) -> bool:
    most = limits.name_length
    for role in roles:
        if type(role) is not str or len(role) > most:
            return False
    return len(roles) <= limits.subject_roles


def _role_names(roles: Any, limits: Limits) -> tuple[str, ...]:
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


def _get(field: str, value: Any, name: str) -> Any:
    """What a caller's mapping or object has under a name; None where it has nothing."""
    if type(value) is dict:
        return value.get(name)
    try:
        if isinstance(value, Mapping):
            return value.get(name)
        found = getattr(value, name, _MISSING)
        if found is not _MISSING:
            return found
        if not hasattr(type(value), name):
            return None
    except Exception as error:
        raise failed(f"{field}.{name}") from error
    raise failed(f"{field}.{name}")  # a property that failed with AttributeError


def _nanoseconds(now: Any) -> Any:
    if type(now) is int:
        return now
    try:
        if isinstance(now, datetime):
            if now.utcoffset() is None:
                raise RequestError("now", "expected a time with its zone, found one without")
            return (now - _EPOCH) // _MICROSECOND * 1_000 + getattr(now, "below", 0)
    except RequestError:
        raise
    except Exception as error:  # the caller's time zone
        raise failed("now") from error
    raise RequestError("now", f"expected a datetime or nanoseconds, found {_kind(now)}")


def _check_name(field: str, value: Any, limits: Limits) -> None:
    if type(value) is not str or not value or len(value) > limits.name_length:
        raise _bad_name(field, value, limits)


def _check_kind(field: str, value: Any, separator: str, limits: Limits) -> None:
    _check_name(field, value, limits)
    if separator in value:
        raise RequestError(field, f"expected no `{separator}` in it")


def _bad_name(field: str, value: Any, limits: Limits) -> RequestError:
    if type(value) is not str:
        return RequestError(field, f"expected a string, found {_kind(value)}")
    if not value:
        return RequestError(field, "expected a name, found an empty string")
    return RequestError(field, f"longer than {limits.name_length} characters")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
