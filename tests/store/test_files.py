"""A folder as a store: what it gives, and that it tells when something may have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from taskman_authz.errors import StoreError
from taskman_authz.store import FileStore, Fingerprinted, Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text("company: a\n", encoding="utf-8")
    return tmp_path


def test_it_is_a_store_with_a_fingerprint(folder: Path) -> None:
    store = FileStore(folder)
    assert isinstance(store, Store)
    assert isinstance(store, Fingerprinted)
    assert store.load() == [(str(folder / "a.yaml"), "company: a\n")]


def test_missing_folder_is_told_on_loading() -> None:
    with pytest.raises(StoreError):
        FileStore("/nowhere/at/all").load()


def test_fingerprint_stays_while_nothing_changes(folder: Path) -> None:
    store = FileStore(folder)
    before = store.fingerprint()
    (folder / "a_test.yaml").write_text("cases: []\n", encoding="utf-8")
    assert store.fingerprint() == before


def _touch(folder: Path) -> None:
    os.utime(folder / "a.yaml", ns=(1, 1))


def _replace(folder: Path) -> None:
    state = (folder / "a.yaml").stat()
    (folder / "new").write_text("company: b\n", encoding="utf-8")
    os.utime(folder / "new", ns=(state.st_atime_ns, state.st_mtime_ns))
    (folder / "new").replace(folder / "a.yaml")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "b.yaml").write_text("", encoding="utf-8"),
        lambda folder: (folder / "a.yaml").write_text("company: long\n", encoding="utf-8"),
        lambda folder: (folder / "a.yaml").unlink(),
        _touch,
        _replace,
    ],
    ids=["added", "written", "removed", "touched", "replaced"],
)
def test_fingerprint_changes_with_the_files(folder: Path, change: Callable[[Path], object]) -> None:
    store = FileStore(folder)
    before = store.fingerprint()
    change(folder)
    assert store.fingerprint() != before
