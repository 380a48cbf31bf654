"""A folder with one policy, in which tests are written."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from taskman_authz.errors import CompileError
from taskman_authz.testing import load_suites

POLICIES = """\
policies:
  - id: members-read
    effect: allow
    roles: [member]
    actions: ["notes:read", "notes:list"]
    resources: ["notes/*"]
  - id: owners-write
    effect: allow
    roles: ["*"]
    actions: ["notes:*"]
    resources: ["notes/*"]
    condition: resource.owner == subject.id
  - id: nothing-after-closing-time
    effect: deny
    roles: ["*"]
    actions: ["notes:write"]
    resources: ["notes/*"]
    condition: now >= timestamp('2026-01-02T00:00:00Z')
"""


def write(folder: Path, tests: str, policies: str = POLICIES) -> str:
    """The path of a test file with `tests` in it, beside a policy document."""
    (folder / "notes.yaml").write_text(policies, encoding="utf-8")
    path = folder / "notes_test.yaml"
    path.write_text(dedent(tests), encoding="utf-8")
    return str(path)


def issues(folder: Path, tests: str, policies: str = POLICIES):
    """(line, column, code, message, hint) of all issues of a test file."""
    path = write(folder, tests, policies)
    try:
        load_suites([path])
    except CompileError as error:
        return [(i.place.line, i.place.column, i.code, i.message, i.hint) for i in error.issues]
    return []
