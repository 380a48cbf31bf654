"""`serve` is the sidecar, where it is installed."""

from __future__ import annotations

import sys
import types

import pytest

from taskman_authz.cli import main, serve


@pytest.fixture
def sidecar(monkeypatch):
    """A sidecar that only remembers what it was told."""
    seen: list[list[str]] = []
    package = types.ModuleType("taskman_authz_sidecar")
    entry = types.ModuleType("taskman_authz_sidecar.__main__")
    entry.main = lambda arguments: seen.append(arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "taskman_authz_sidecar", package)
    monkeypatch.setitem(sys.modules, "taskman_authz_sidecar.__main__", entry)
    return seen


def test_arguments_are_handed_on(sidecar, monkeypatch):
    monkeypatch.setattr(serve, "_installed", lambda library: True)
    assert main(["serve", "--listen", "127.0.0.1:0", "--help"]) == 0
    assert sidecar == [["--listen", "127.0.0.1:0", "--help"]]


def test_what_is_missing_is_said_with_the_remedy(sidecar, monkeypatch, capsys):
    monkeypatch.setattr(serve, "_installed", lambda library: library != "grpc")
    assert main(["serve"]) == 2
    error = capsys.readouterr().err
    assert "grpc is not installed" in error
    assert "pip install 'taskman-authz[sidecar]'" in error
    assert sidecar == []


def test_a_library_whose_parent_is_missing_is_missing():
    assert not serve._installed("no_such_parent.child")
