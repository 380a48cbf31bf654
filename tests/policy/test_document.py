"""The schema that editors read says what the models say, and the file of it is fresh."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from taskman_authz.policy.document import Policy, PolicyDocument, json_schema, schema_text

POLICY: dict[str, Any] = {"id": "a", "effect": "allow", "actions": ["*"], "resources": ["*"]}


def test_schema_file_is_the_one_of_the_models() -> None:
    published = files("taskman_authz.policy").joinpath("schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run tools/generate_schema.py"


def test_schema_describes_every_key() -> None:
    schema = json_schema()
    objects = [schema, *schema["$defs"].values()]
    for described in objects:
        assert described["additionalProperties"] is False
        for name, key in described["properties"].items():
            assert key.get("description"), name
            # A key with nothing behind it is refused, so editors must not offer it.
            assert "null" not in json.dumps(key), name


def test_minimal_policy_is_one() -> None:
    policy = Policy.model_validate(POLICY)
    assert (policy.roles, policy.condition, policy.name) == ([], "", "")


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": "a b"},
        {"id": "a\n"},
        {"id": "x" * 256},
        {"id": 1},
        {"effect": "Allow"},
        {"effect": None},
        {"actions": []},
        {"actions": "tasks:edit"},
        {"actions": [""]},
        {"actions": ["x" * 1_025]},
        {"actions": ["x"] * 1_001},
        {"resources": []},
        {"roles": [""]},
        {"roles": [" admin"]},
        {"roles": ["ad\tmin"]},
        {"roles": None},
        {"condition": ""},
        {"condition": None},
        {"condition": True},
        {"priority": 1},
    ],
)
def test_document_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyDocument.model_validate({"policies": [{**POLICY, **change}]})


@pytest.mark.parametrize("name", ["admin", "project manager", "Müller & Söhne", "a"])
def test_role_may_have_several_words(name: str) -> None:
    assert Policy.model_validate({**POLICY, "roles": [name]}).roles == [name]
