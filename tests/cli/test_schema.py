"""`schema`: what editors complete policy documents by."""

from __future__ import annotations

import json

import pytest

from taskman_authz.cli import main


def test_the_schema_is_json_schema(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) >= {"company", "roles", "policies"}


@pytest.mark.parametrize("kind", ["types", "entities"])
def test_other_documents_have_one_too(kind, capsys):
    assert main(["schema", kind]) == 0
    assert {"subjects", "resources"} <= set(json.loads(capsys.readouterr().out)["properties"])
