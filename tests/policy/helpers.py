"""Policy documents for tests."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from taskman_authz.errors import CompileError
from taskman_authz.issues import Issue
from taskman_authz.policy import PolicySet, compile_documents


def policy(id: str = "a", **fields: Any) -> dict[str, Any]:
    """A policy that allows everybody everything, changed by `fields` (None takes one out)."""
    whole = {"id": id, "effect": "allow", "roles": ["*"], "actions": ["*"], "resources": ["*"]}
    return {key: value for key, value in {**whole, **fields}.items() if value is not None}


def document(*policies: dict[str, Any], **fields: Any) -> str:
    """The YAML text of a document."""
    return str(yaml.safe_dump({**fields, "policies": list(policies)}, sort_keys=False))


def compiled(*texts: str) -> PolicySet:
    return compile_documents([(f"f{number}.yaml", text) for number, text in enumerate(texts)])


def issues_of(*texts: str) -> list[Issue]:
    """What is wrong with documents that do not compile."""
    with pytest.raises(CompileError) as caught:
        compiled(*texts)
    return list(caught.value.issues)


def told(issue: Issue) -> tuple[str, int, int, str]:
    return issue.place.source, issue.place.line, issue.place.column, issue.code


def pointed_at(issue: Issue, length: int) -> str:
    """What stands where the caret points."""
    return issue.place.text[issue.place.column - 1 :][:length]
