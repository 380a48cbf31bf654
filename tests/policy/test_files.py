"""Which files hold policies, and that nothing is given where anything cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskman_authz.errors import StoreError
from taskman_authz.limits import Limits
from taskman_authz.policy.files import find_documents, read_documents


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n", encoding="utf-8")


def test_documents_are_yaml_at_any_depth_but_no_tests_and_nothing_hidden(tmp_path: Path) -> None:
    write(
        tmp_path,
        *("b.yaml", "a.yml", "deep/er/c.yaml", "schema.json", "a_test.yaml", "deep/b_test.yml"),
        *(".hidden.yaml", ".git/x.yaml", "README.md"),
    )
    found = [str(path.relative_to(tmp_path)) for path in find_documents(tmp_path)]
    assert found == ["a.yml", "b.yaml", "deep/er/c.yaml"]


def test_names_are_paths_that_lead_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, "deep/c.yaml")
    ((name, text),) = read_documents(tmp_path)
    assert Path(name).read_text(encoding="utf-8") == text == "# deep/c.yaml\n"


@pytest.mark.parametrize("name", ["p.yaml", "p_test.yaml", "p.txt"])
def test_file_is_taken_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert len(read_documents(str(tmp_path / name))) == 1


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write(tmp_path, "..data/p.yaml", "elsewhere/q.yaml")
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").symlink_to(tmp_path / "..data" / "p.yaml")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "self").symlink_to(folder)
    assert [path.name for path in find_documents(folder)] == ["q.yaml", "p.yaml"]


def test_missing_and_empty_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no file or folder `.*nowhere`"):
        read_documents(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="no policy documents"):
        read_documents(tmp_path)


def test_all_files_that_cannot_be_read_are_told_and_none_is_given(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"company: \xe9")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere.yaml")
    with pytest.raises(StoreError) as caught:
        read_documents(tmp_path)
    assert "latin.yaml` is no UTF-8 text: byte 9" in str(caught.value)
    assert "gone.yaml`: no such file" in str(caught.value)


def test_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "p.yaml")
    with pytest.raises(StoreError, match="larger than 3 bytes"):
        read_documents(tmp_path, Limits(document_bytes=3))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "deep/p.yaml")
    (tmp_path / "deep").chmod(0)
    with pytest.raises(StoreError, match="permission denied"):
        read_documents(tmp_path)
