"""Policies that the commands are tried on."""

from __future__ import annotations

import pytest

POLICIES = """\
policies:
  - id: owners-write
    effect: allow
    roles: ["*"]
    actions: ["notes:write"]
    resources: ["notes/*"]
    condition: resource.owner == subject.id
  - id: members-read-by-day
    effect: allow
    roles: [member]
    actions: ["notes:read"]
    resources: ["notes/*"]
    condition: now < timestamp('2026-01-01T18:00:00Z') && context.ip.startsWith('10.')
"""


@pytest.fixture
def policies(tmp_path, monkeypatch):
    """The path of a folder with policies; it is also where the commands look by themselves."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "notes.yaml").write_text(POLICIES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASKMAN_AUTHZ_POLICIES", raising=False)
    return folder
