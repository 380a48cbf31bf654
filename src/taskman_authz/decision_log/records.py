"""What a line holds: the question, the decision, and no value that is masked.

Laws: a line is made where the decision is, so that it shows what was decided on, whatever becomes
of the caller's objects. Attributes are those of mappings and of classes that declare their fields;
of other objects there is only what the question names, because to read more could ask a database.
What cannot be written, or is too long, is left out, and the line says `incomplete`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MemberDescriptorType
from typing import Any

import msgspec

from .._fast.times import Timestamp, timestamp_text
from ..decision import Decision
from ..errors import ArgumentError
from ..limits import DEFAULT, Limits
from ..request import CheckRequest

MASKED = "***"
_BASES: tuple[Any, ...] = (str, int, float, bytes, list, tuple)  # of subclasses
ROOTS = ("subject", "action", "resource", "context")


class Records:
    """Makes the JSON of decisions. `mask` are paths of attributes (`subject.email`,
    `context.device.ip`; through lists they mean each element). Raises ArgumentError."""

    def __init__(self, mask: Iterable[str] = (), limits: Limits = DEFAULT) -> None:
        self._masks = check_mask(mask)
        self._limit = limits.log_line_bytes

    def encode(self, request: CheckRequest, decision: Decision, duration: int) -> bytes:
        """The JSON object of a decision that took `duration` nanoseconds."""
        try:
            parts = _question(request)
            if self._masks:
                parts = _copied(parts)
            encoded = _ENCODER.encode(self._record(parts, request, decision, duration))
            if len(encoded) <= self._limit:
                return encoded
        except Exception:  # the caller's objects: a key of no text, one that fails, a cycle
            pass
        names = _names(request)
        del names["subject"]["roles"]  # which may be many, and long
        record = self._record({**names, "incomplete": True}, request, decision, duration)
        try:
            return _ENCODER.encode(record)
        except UnicodeEncodeError:  # a name of which UTF-8 has no bytes is written in escapes
            return json.dumps(msgspec.to_builtins(record), separators=(",", ":")).encode()

    def _record(
        self, parts: dict[str, Any], request: CheckRequest, decision: Decision, duration: int
    ) -> dict[str, Any]:
        for root, *path in self._masks:
            _mask(parts, root, path)
        return {
            "time": _time(time.time_ns()),
            **parts,
            "company_id": request.company_id,
            "now": _time(request.now),
            "allowed": decision.allowed,
            "reasons": decision.reasons,
            "revision": decision.revision,
            "duration_ns": duration,
        }


def check_mask(paths: Iterable[str]) -> list[list[str]]:
    """The parts of each path. Raises ArgumentError for what is none."""
    return [_path(each) for each in ([paths] if isinstance(paths, str) else paths)]


def _path(text: Any) -> list[str]:
    if not isinstance(text, str):
        raise ArgumentError.of("mask", "a path such as `subject.email`", text)
    parts = text.split(".")
    if len(parts) < 2 or parts[0] not in ROOTS or not all(parts):
        raise ArgumentError("mask", "a path such as `subject.email`", f"`{text}`")
    if any(character in text for character in "[]*"):  # it would mask nothing, and say nothing
        expected = "a path such as `resource.items.price`, which goes through lists by itself"
        raise ArgumentError("mask", expected, f"`{text}`")
    return parts


def _mask(value: Any, name: str, rest: list[str]) -> None:
    if type(value) is list:
        for element in value:
            _mask(element, name, rest)
    elif type(value) is dict and name in value:
        if rest:
            _mask(value[name], rest[0], rest[1:])
        else:
            value[name] = MASKED


def _names(request: CheckRequest) -> dict[str, Any]:
    subject = {"type": request.subject_type, "id": request.subject_id}
    return {
        "subject": {**subject, "roles": list(request.roles)},
        "action": {"name": request.action},
        "resource": {"type": request.resource_type, "id": request.resource_id},
    }


def _question(request: CheckRequest) -> dict[str, Any]:
    """Each part with its attributes, over which its names are the request's."""
    names = _names(request)
    given = (request.subject, request.action_attributes, request.resource)
    parts = {
        root: {**_attributes(attributes), **names[root]}
        for root, attributes in zip(names, given, strict=True)
    }
    return {**parts, "context": _attributes(request.context)}


def _attributes(value: Any) -> dict[Any, Any]:
    """The attributes of what holds some; of other objects none."""
    if value is None or type(value) is dict:
        return value or {}
    found = value if isinstance(value, Mapping) else _declared(value)
    return {} if found is None else dict(found)


def _declared(value: Any) -> dict[str, Any] | None:
    """What a class declares (a dataclass, a msgspec struct, a pydantic model) and the object holds:
    what a mapped class would have to fetch is not."""
    kind = type(value)
    for names in ("__dataclass_fields__", "__struct_fields__", "model_fields"):
        if fields := getattr(kind, names, None):
            held = getattr(value, "__dict__", {})
            return {
                name: held[name] if name in held else getattr(value, name)
                for name in fields
                if not name.startswith("_") and (name in held or _is_slot(kind, name))
            }
    return None


def _is_slot(kind: type, name: str) -> bool:
    return type(getattr(kind, name, None)) is MemberDescriptorType


def _copied(value: Any) -> Any:
    """A copy of plain dicts and lists, in which each attribute has the name that policies know it
    by: an encoder may give those of a struct others, or none."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_copied(each) for each in value]
    held = value if isinstance(value, Mapping) else _declared(value)
    if held is None:
        return value
    return {_key(key): _copied(each) for key, each in dict(held).items()}


def _key(key: Any) -> Any:
    """A key as it is written."""
    if type(key) is str:
        return key
    (text,) = msgspec.to_builtins({key: None}, enc_hook=_plain, str_keys=True)
    return text


def _plain(value: Any) -> Any:
    """What JSON says for a value that it has no word for: a name of its type at worst."""
    if isinstance(value, Mapping):
        return dict(value)
    for base in _BASES:
        if isinstance(value, base):
            return base(value)
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    declared = _declared(value)
    return f"<{type(value).__name__}>" if declared is None else declared


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def _time(ns: int) -> str | int:
    """RFC 3339; nanoseconds where no calendar has the day."""
    try:
        return timestamp_text(Timestamp(ns))
    except (OverflowError, ValueError):
        return ns
