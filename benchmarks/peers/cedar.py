"""cedarpy: Cedar (Rust) under Python, with parsed handles for policies and entities."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version as distribution_version
from typing import Any

import cedarpy

from ..cases import Case, Data, Decision, Rule
from . import Cannot, Timed, Variant

TITLE = "cedarpy"
VARIANTS = {
    "": Variant(", handles", (Decision,)),
    "json": Variant(", entities as JSON", (Decision,)),
}


def version() -> str:
    """The distribution's."""
    return distribution_version("cedarpy")


def prepare(case: Case, variant: str) -> Timed:
    """All policies parsed once; the entities once too (`json`: at every call)."""
    if not isinstance(case, Decision):
        raise Cannot("decides, evaluates no CEL")
    entities = json.dumps([_user(case.subject), _entity(case.resource)])
    names = {
        "ask": cedarpy.is_authorized,
        "request": {
            "principal": _name(case.subject),
            "action": f'Action::"{case.action}"',
            "resource": _name(case.resource),
            "context": dict(case.context),
        },
        "policies": cedarpy.PolicySet.from_str(_text(case.rules)),
        "entities": entities if variant == "json" else cedarpy.Entities.from_json_str(entities),
    }
    return Timed("ask(request, policies, entities).allowed", names)


def _text(rules: Iterable[Rule]) -> str:
    return "\n".join(
        f'{"permit" if rule.effect == "allow" else "forbid"}(principal in Role::"{rule.role}", '
        f'action == Action::"{rule.action}", resource is {rule.resource}) '
        f"when {{ {rule.cedar} }};"
        for rule in rules
    )


def _name(entity: Data) -> str:
    return f'{entity["type"]}::"{entity["id"]}"'


def _entity(entity: Data) -> dict[str, Any]:
    return {
        "uid": {"type": entity["type"], "id": entity["id"]},
        "attrs": {key: value for key, value in entity.items() if key != "type"},
        "parents": [],
    }


def _user(subject: Data) -> dict[str, Any]:
    parents = [{"type": "Role", "id": role} for role in subject["roles"]]
    return _entity(subject) | {"parents": parents}
