"""Which files are policy tests."""

from __future__ import annotations

import pytest

from taskman_authz.testing import find_test_files


@pytest.fixture
def folder(tmp_path):
    for name in ["b_test.yaml", "a_test.yml", "a.yaml", "in/c_test.yaml", ".git/d_test.yaml"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(folder, paths):
    return [path.removeprefix(f"{folder}/") for path in find_test_files(map(str, paths))]


def test_a_folder_is_all_tests_in_it_and_below(folder):
    assert names(folder, [folder]) == ["a_test.yml", "b_test.yaml", "in/c_test.yaml"]


def test_a_file_is_a_test_whatever_its_name(folder):
    assert names(folder, [folder / "a.yaml"]) == ["a.yaml"]


def test_a_file_that_is_named_twice_is_one(folder):
    paths = [folder, folder / "b_test.yaml", folder / "in" / ".." / "b_test.yaml"]
    assert names(folder, paths).count("b_test.yaml") == 1


def test_a_path_that_is_not_there_is_named(folder):
    with pytest.raises(FileNotFoundError) as caught:
        find_test_files([str(folder / "nowhere")])
    assert caught.value.filename == str(folder / "nowhere")
