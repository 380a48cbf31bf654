"""protobuf messages ↔ `CheckRequest` and `Decision`, from bytes and to bytes.

A server reads requests and writes decisions, a client writes requests and reads decisions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from google.protobuf.message import DecodeError

from .._fast import messages as plain
from .._fast.messages import Fields
from .._fast.writer import Writer, framed, told_once
from ..decision import Decision, Reason
from ..errors import RequestError
from ..limits import DEFAULT, Limits
from ..request import CheckRequest, Entity, make_request
from ..v1 import authorization_pb2 as pb
from .properties import read_properties, write_properties

# -- what a server does --------------------------------------------------------------------------


def read_check(data: bytes, limits: Limits = DEFAULT) -> CheckRequest:
    """The question in the bytes of a CheckRequest message, stamped now."""
    now = time.time_ns()
    fields = plain.read_check(_bounded(data, limits), limits.property_depth)
    if fields is not None:
        return _request(fields, now, limits)
    return _read_request(_parse(pb.CheckRequest, data, limits), now, limits)


def read_batch(data: bytes, limits: Limits = DEFAULT) -> list[CheckRequest | RequestError]:
    """The questions in the bytes of a BatchCheckRequest, all stamped with one time; in the place
    of an item that cannot be asked, what is wrong with it."""
    now = time.time_ns()
    fields = plain.read_batch(_bounded(data, limits), limits.property_depth, limits.batch_size)
    if fields is not None:
        return [_item(each, now, limits) for each in fields]
    message = _parse(pb.BatchCheckRequest, data, limits)
    if len(message.items) > limits.batch_size:
        raise RequestError("items", f"more than {limits.batch_size} items")
    if message.HasField("defaults"):
        for item in message.items:
            _fill(item, message.defaults)
    return [_read_item(item, now, limits) for item in message.items]


def read_explain(data: bytes, limits: Limits = DEFAULT) -> tuple[CheckRequest, bool]:
    """The question in the bytes of an ExplainRequest, stamped now, and whether the policies that
    do not apply are to be explained too."""
    message = _parse(pb.ExplainRequest, data, limits)
    return _read_request(message.request, time.time_ns(), limits), message.others


def write_decision(decision: Decision) -> bytes:
    """The bytes of a CheckResponse."""
    return _reply(decision)


def wants_distinct(data: bytes, limits: Limits = DEFAULT) -> bool:
    """Whether the bytes of a BatchCheckRequest ask for distinct answers."""
    found = plain.is_distinct(data)
    return _parse(pb.BatchCheckRequest, data, limits).distinct if found is None else found


def write_decisions(decisions: Iterable[Decision], distinct: bool = False) -> bytes:
    """The bytes of a BatchCheckResponse."""
    if distinct:
        told, places = told_once(list(decisions))
        return b"".join([*map(_result, told), places])
    found: list[bytes] = []
    former: Decision | None = None
    for decision in decisions:
        if decision is not former:  # as it most often is
            former, data = decision, _result(decision)
        found.append(data)
    return b"".join(found)


# What an item leaves out together, or not at all: nobody is given somebody else's properties.
_PARTS = (
    ("subject", "subject_properties"),
    ("action", "action_properties"),
    ("resource", "resource_properties"),
    ("context", "context_properties"),
    ("company_id",),
)


def _fill(item: pb.CheckRequest, defaults: pb.CheckRequest) -> None:
    """As `Fields.fill`."""
    there = {field.name for field, _ in item.ListFields()}
    wanted = pb.CheckRequest()
    wanted.CopyFrom(defaults)
    for part in _PARTS:
        if not there.isdisjoint(part):
            for name in part:
                wanted.ClearField(name)  # type: ignore[arg-type]  # one of its fields
    item.MergeFrom(wanted)


def _item(fields: Fields, now: int, limits: Limits) -> CheckRequest | RequestError:
    try:
        return _request(fields, now, limits)
    except RequestError as error:
        return error


def _request(fields: Fields, now: int, limits: Limits) -> CheckRequest:
    """What `_read_request` makes of a message, of fields that were read without one."""
    context = _joined_context(fields.context, fields.context_properties)
    subject_type, colon, subject_id = fields.subject.partition(":")
    resource_type, slash, resource_id = fields.resource.partition("/")
    if not colon or not slash:
        return make_request(fields.subject, fields.action, fields.resource)  # says what is wrong
    return CheckRequest(
        subject_type,
        subject_id,
        fields.action,
        resource_type,
        resource_id,
        subject=fields.subject_properties,
        action_attributes=fields.action_properties,
        resource=fields.resource_properties,
        context=context,
        company_id=fields.company_id or None,
        now=now,
        limits=limits,
    )


def _read_item(message: pb.CheckRequest, now: int, limits: Limits) -> CheckRequest | RequestError:
    try:
        return _read_request(message, now, limits)
    except RequestError as error:
        return error


def _read_request(message: pb.CheckRequest, now: int, limits: Limits) -> CheckRequest:
    action: Any = message.action
    if message.HasField("action_properties"):
        properties = read_properties(message.action_properties, "action_properties", limits)
        action = Entity("action", action, properties)
    return make_request(
        _read_entity(message, "subject", ":", limits),
        action,
        _read_entity(message, "resource", "/", limits),
        _read_context(message, limits),
        message.company_id or None,
        now,
        limits,
    )


def _read_entity(message: pb.CheckRequest, field: str, separator: str, limits: Limits) -> Any:
    text = getattr(message, field)
    name = f"{field}_properties"
    kind, found, id = text.partition(separator)
    if not found or not message.HasField(name):  # type: ignore[arg-type]  # one of two fields
        return text  # without a separator `make_request` says what is wrong with it
    return Entity(kind, id, read_properties(getattr(message, name), name, limits))


def _read_context(message: pb.CheckRequest, limits: Limits) -> dict[str, Any]:
    context: dict[str, Any] = dict(sorted(message.context.items()))
    if message.HasField("context_properties"):
        properties = read_properties(message.context_properties, "context_properties", limits)
        return _joined_context(context, properties)
    return context


def _joined_context(context: dict[str, Any], properties: dict[str, Any] | None) -> dict[str, Any]:
    if properties is None:
        return context
    if not context:
        return properties
    if not context.keys().isdisjoint(properties):
        raise RequestError("context_properties", "a key that is in `context` too")
    return {**context, **properties}


def decision_message(decision: Decision) -> pb.CheckResponse:
    """A decision as a message, to be a part of others."""
    return pb.CheckResponse(
        allowed=decision.allowed,
        reasons=[reason.message for reason in decision.reasons],
        revision=decision.revision,
        details=[
            pb.Reason(code=reason.code, policy=reason.policy, message=reason.message)
            for reason in decision.reasons
        ],
    )


# A PDP makes the same few decisions again and again.
@lru_cache(maxsize=DEFAULT.reply_memory)
def _reply(decision: Decision) -> bytes:
    return decision_message(decision).SerializeToString()


@lru_cache(maxsize=DEFAULT.reply_memory)
def _result(decision: Decision) -> bytes:
    """A reply as a field of a BatchCheckResponse: messages that follow each other are merged."""
    return pb.BatchCheckResponse(results=[decision_message(decision)]).SerializeToString()


# -- what a client does --------------------------------------------------------------------------


def write_check(request: CheckRequest, limits: Limits = DEFAULT) -> bytes:
    """The bytes of a CheckRequest message. The request's `now` is not sent: the decision point
    has its own clock."""
    return _bounded(_written(request, Writer(limits.property_depth), limits), limits)


def write_batch(
    items: Sequence[CheckRequest | RequestError], limits: Limits = DEFAULT
) -> tuple[bytes, list[RequestError | None]]:
    """The bytes of a BatchCheckRequest of the items that can be written, and for each item what
    is wrong with it, if anything. What all items have in common is written once, and answers that
    are equal are to be told once."""
    if len(items) > limits.batch_size:
        raise RequestError("items", f"more than {limits.batch_size} items")
    writer, parts = Writer(limits.property_depth), []
    errors: list[RequestError | None] = []
    defaults = writer.defaults([item for item in items if not isinstance(item, RequestError)])
    for item in items:
        try:
            if isinstance(item, RequestError):
                raise item
            parts.append(framed(_written(item, writer, limits), b"\x0a"))
        except RequestError as error:
            errors.append(error)
        else:
            errors.append(None)
    if defaults:
        parts.append(framed(defaults, b"\x12"))
    parts.append(b"\x18\x01")  # distinct: true
    return _bounded(b"".join(parts), limits), errors


def _written(request: CheckRequest, writer: Writer, limits: Limits) -> bytes:
    data = writer.check(request)
    if data is None:
        # In an order: the same question has the same bytes.
        data = _message(request, limits).SerializeToString(deterministic=True)
    return data


def read_decision(data: bytes) -> Decision:
    """The decision in the bytes of a CheckResponse. Raises ValueError on other bytes."""
    return _decision(_parse_reply(pb.CheckResponse, data))


def read_decisions(data: bytes) -> list[Decision]:
    """The decisions in the bytes of a BatchCheckResponse. Raises ValueError on other bytes."""
    message = _parse_reply(pb.BatchCheckResponse, data)
    found = [_decision(result) for result in message.results]
    if not message.places:
        return found
    try:
        return [found[place] for place in message.places]
    except IndexError:
        raise ValueError("not a reply of this method") from None


def _message(request: CheckRequest, limits: Limits) -> pb.CheckRequest:
    message = pb.CheckRequest()
    message.subject = _joined("subject", request.subject_type, ":", request.subject_id)
    message.action = _encodable("action", request.action)
    message.resource = _joined("resource", request.resource_type, "/", request.resource_id)
    if request.company_id is not None:
        if not request.company_id:
            # The wire does not tell an empty text from none.
            raise RequestError("company_id", "expected a name, found an empty string")
        message.company_id = _encodable("company_id", request.company_id)
    subject = message.subject_properties
    write_properties(subject, request.subject, ("type", "id"), "subject", limits)
    if request.roles and "roles" not in subject.fields:
        # Roles that an object computes are among its attributes, though not among its fields.
        write_properties(subject, {"roles": request.roles}, (), "subject", limits)
    action = message.action_properties
    write_properties(action, request.action_attributes, ("name",), "action", limits)
    resource = message.resource_properties
    write_properties(resource, request.resource, ("type", "id"), "resource", limits)
    write_properties(message.context_properties, request.context, (), "context", limits)
    return message


def _joined(field: str, kind: str, separator: str, id: str) -> str:
    if separator in kind:
        # The other side splits at the first separator and would see another kind and id.
        raise RequestError(f"{field}.type", f"contains `{separator}`")
    return _encodable(field, f"{kind}{separator}{id}")


def _encodable(field: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(field, "text that UTF-8 cannot encode") from None
    return text


def _decision(message: pb.CheckResponse) -> Decision:
    reasons = tuple(Reason(item.code, item.policy, item.message) for item in message.details)
    return Decision(message.allowed, reasons, message.revision)


# -- bytes and messages --------------------------------------------------------------------------

M = TypeVar("M", covariant=True)


class _MessageClass(Protocol[M]):
    """A generated message class."""

    def FromString(self, data: bytes, /) -> M: ...


def _parse(kind: _MessageClass[M], data: bytes, limits: Limits) -> M:
    try:
        return kind.FromString(_bounded(data, limits))
    except DecodeError:
        raise RequestError(
            "message", "not a message of this method: truncated, too deep or text that is not UTF-8"
        ) from None


def _parse_reply(kind: _MessageClass[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise ValueError("not a reply of this method") from None


def _bounded(data: bytes, limits: Limits) -> bytes:
    if len(data) > limits.message_bytes:
        raise RequestError("message", f"longer than {limits.message_bytes} bytes")
    return data
