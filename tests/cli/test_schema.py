"""`schema`: what editors complete policy documents by."""

from __future__ import annotations

import json

from taskman_authz.cli import main


def test_the_schema_is_json_schema(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) >= {"company", "roles", "policies"}
