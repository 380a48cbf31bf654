"""A small policy folder, and sidecars that end with the test that started them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sidecar.process import Sidecar

POLICIES = """\
policies:
  - id: developers-edit-their-own
    effect: allow
    roles: [developer]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: subject.department == 'engineering' && resource.owner == subject.id
  - id: everyone-views-small-tasks
    effect: allow
    roles: ["*"]
    actions: ["tasks:view"]
    resources: ["tasks/*"]
    condition: resource.size < 10 && !('hidden' in resource.labels)
  - id: nothing-from-outside
    effect: deny
    roles: ["*"]
    actions: ["*"]
    resources: ["*"]
    condition: has(context.ip) && context.ip.startsWith('10.') == false
"""


def write_policies(folder: Path, text: str = POLICIES) -> None:
    """Put a document in the folder in one step, as a careful writer does."""
    aside = folder.parent / "aside"
    aside.write_text(text, encoding="utf-8")
    aside.replace(folder / "tasks.yaml")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A folder with `POLICIES` in it."""
    folder = tmp_path / "policies"
    folder.mkdir()
    write_policies(folder)
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., Sidecar]]:
    """Starts sidecars."""
    running: list[Sidecar] = []

    def begin(policies: Path, *arguments: str, listen: str = "127.0.0.1:0") -> Sidecar:
        running.append(Sidecar(policies, *arguments, listen=listen))
        return running[-1]

    yield begin
    for sidecar in running:
        sidecar.kill()


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """One sidecar for the tests of a file that only ask."""
    folder = tmp_path_factory.mktemp("shared") / "policies"
    folder.mkdir()
    write_policies(folder)
    shared = Sidecar(folder, "--max-message-bytes", "100000", "--max-batch-size", "50")
    yield shared
    shared.kill()
