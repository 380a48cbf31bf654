"""What is sent: the question of `cases.DECISIONS`, alone and in batches, as ours and as Cerbos
reads it, and what makes an answer right.

Cerbos' messages are written field by field (`cerbos.svc.v1.CheckResourcesRequest`): it is a page
of numbers, and needs no generated code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import Struct

from taskman_authz.request import make_request
from taskman_authz.wire import SERVICE, read_decision, read_decisions, write_batch, write_check

from ..cases import Data, Decision
from .echo import METHOD as ECHO_METHOD
from .echo import SERVICE as ECHO_SERVICE

BATCH = 200
CERBOS_RESOURCES, CERBOS_ACTIONS = 50, 4  # the most that it takes, and the same two hundred
CERBOS_PATH = "/cerbos.svc.v1.CerbosService/CheckResources"
STATES = ("open", "review", "blocked")
ALLOW = 1  # cerbos.effect.v1.Effect


@dataclass(frozen=True)
class Question:
    """A gRPC call: its path, its message, and whether a reply is the right one."""

    path: str
    data: bytes
    is_right: Callable[[bytes], bool]


def echo(data: bytes, reply: bytes) -> Question:
    """The same bytes to and fro, and nothing done with them."""
    return Question(f"/{ECHO_SERVICE}/{ECHO_METHOD}", data, lambda found: found == reply)


def check(case: Decision) -> Question:
    """One check of ours."""
    data = write_check(_request(case, case.resource))
    return Question(f"/{SERVICE}/Check", data, lambda reply: bool(read_decision(reply)))


def batch(case: Decision) -> Question:
    """Two hundred of them, each about another resource."""
    items = [_request(case, _resource(case, number)) for number in range(BATCH)]
    data, errors = write_batch(items)
    assert not any(errors)

    def is_right(reply: bytes) -> bool:
        decisions = read_decisions(reply)
        return len(decisions) == BATCH and all(decisions)

    return Question(f"/{SERVICE}/BatchCheck", data, is_right)


def same_batch(case: Decision) -> Question:
    """The two hundred that Cerbos is asked in `cerbos_batch`."""
    items = [
        _request(case, resource, action)
        for resource in _resources(case)
        for action in _actions(case)
    ]
    data, errors = write_batch(items)
    assert not any(errors)

    def is_right(reply: bytes) -> bool:
        decisions = read_decisions(reply)
        allowed = [number for number, each in enumerate(decisions) if each]
        return len(decisions) == BATCH and allowed == list(range(0, BATCH, CERBOS_ACTIONS))

    return Question(f"/{SERVICE}/BatchCheck", data, is_right)


def cerbos_check(case: Decision) -> Question:
    """One check of Cerbos."""
    return _cerbos(case, [case.resource], [case.action])


def cerbos_batch(case: Decision) -> Question:
    """Two hundred: of fifty resources four actions each. One of them is allowed."""
    return _cerbos(case, _resources(case), _actions(case))


def _resources(case: Decision) -> list[Data]:
    return [_resource(case, number) for number in range(CERBOS_RESOURCES)]


def _actions(case: Decision) -> list[str]:
    return [case.action, *(f"other{number}" for number in range(CERBOS_ACTIONS - 1))]


def _resource(case: Decision, number: int) -> Data:
    """One of many that the same may be done with: other attributes, where the answer allows it."""
    return {
        **case.resource,
        "id": f"{number}",
        "project": f"project-{number % 20}",
        "status": STATES[number % len(STATES)],
        "priority": number % 5,
    }


def _request(case: Decision, resource: Data, action: str = "") -> Any:
    named = f"{resource['type']}:{action or case.action}"
    return make_request(case.subject, named, resource, case.context)


def _cerbos(case: Decision, resources: list[Data], actions: list[str]) -> Question:
    subject = case.subject
    # A request carries no context: its attributes are the principal's.
    roles = b"".join(_field(3, role.encode()) for role in subject["roles"])
    principal = _field(1, subject["id"].encode()) + roles
    principal += _attributes(4, {**subject, **case.context})
    entries = b""
    for resource in resources:
        about = _field(1, resource["type"].encode()) + _field(3, resource["id"].encode())
        about += _attributes(4, resource)
        named = b"".join(_field(1, action.encode()) for action in actions)
        entries += _field(4, named + _field(2, about))
    data = _field(1, b"benchmark") + _field(3, principal) + entries
    allowed = _field(1, case.action.encode()) + bytes([2 << 3, ALLOW])
    return Question(CERBOS_PATH, data, lambda reply: reply.count(allowed) == len(resources))


def _attributes(number: int, attributes: Mapping[str, Any]) -> bytes:
    """A `map<string, google.protobuf.Value>`."""
    struct = Struct()
    struct.update(dict(attributes))
    return b"".join(
        _field(number, _field(1, key.encode()) + _field(2, value.SerializeToString()))
        for key, value in sorted(struct.fields.items())
    )


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + _varint(value >> 7)
