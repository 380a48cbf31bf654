"""A request of HTTP as the message of an RPC, and a message as JSON. Names are those of the
messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.json_format import MessageToJson, ParseDict, ParseError

from .problems import Problem
from .routes import Route

OURS = "taskman."  # packages of messages, as opposed to those that are values (google.protobuf)


def message_of(
    route: Route, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: dict[str, Any]
) -> Any:
    """The message that a request asks with. Raises Problem."""
    request = route.request()
    asked: dict[str, Any] = {}
    for name, value in query:
        if route.verb != "GET" or name in path or name in asked:
            raise Problem(400, "not expected in the query, or twice", name)
        asked[name] = _of_query(request.DESCRIPTOR, name, value)
    if body and not route.fill:
        raise Problem(400, "expected no body")
    if route.fill == "*":
        allowed = set(route.takes or request.DESCRIPTOR.fields_by_name) - set(path)
        unknown = next((name for name in body if name not in allowed), None)
        if unknown is not None:
            raise Problem(400, f"expected one of {', '.join(sorted(allowed))}", _shown(unknown))
        asked |= body
    elif route.fill:
        asked[route.fill] = body
    _parse(asked, request)
    for name, value in path.items():
        setattr(request, name, value)
    if route.masked:
        request.update_mask.paths[:] = _names(getattr(request, route.fill).DESCRIPTOR, body)
    return request


def json_of(message: Any) -> str:
    """A message as JSON, with the fields that are empty too."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
    )


def _parse(asked: dict[str, Any], into: Any) -> None:
    for name, value in asked.items():  # one by one, so that one can say which it was
        try:
            ParseDict({name: value}, into)
        except (ParseError, TypeError, ValueError) as error:
            field = f"{name}.{inner}" if (inner := _inner(error, value)) else name
            raise Problem(400, "not a value of this field", _shown(field)) from None


def _inner(error: Exception, value: Any) -> str:
    """The key within a value that an error is about, if it is one of them."""
    if not isinstance(value, dict):
        return ""
    said = str(error)
    return next((str(key) for key in value if f'"{key}"' in said or f" {key} " in said), "")


def _shown(name: str) -> str:
    """A name of the caller's as it may be shown: a name, or nothing of it."""
    return name if name.replace(".", "").isidentifier() and len(name) < 100 else "body"


def _names(descriptor: Any, body: Mapping[str, Any]) -> list[str]:
    """The fields that a body changes; of a message within, its own."""
    found: list[str] = []
    for name, value in body.items():
        inner = descriptor.fields_by_name[name].message_type
        is_ours = inner is not None and inner.full_name.startswith(OURS)
        found += list(value) if is_ours and isinstance(value, dict) else [name]
    return found


def _of_query(descriptor: Any, name: str, value: str) -> Any:
    """The value of a field as JSON would have it."""
    field = descriptor.fields_by_name.get(name)
    if field is None:
        expected = ", ".join(sorted(descriptor.fields_by_name))
        raise Problem(
            400, f"expected one of {expected}" if expected else "not expected", _shown(name)
        )
    if field.type == field.TYPE_BOOL:
        if value not in ("true", "false"):
            raise Problem(400, "expected true or false", name)
        return value == "true"
    return value
