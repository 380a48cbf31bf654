"""Documents become items and items become documents, and both mean the same. No database needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.policy import compile_documents
from taskman_authz.policy.files import find_documents, read_documents
from taskman_authz.store.postgres import Key, StoredDocument, StoredPolicy, items_of
from taskman_authz.store.postgres.folders import files_of
from taskman_authz.store.postgres.items import Stored, item_of
from tests.house.source import ROOT
from tests.policy.helpers import document, policy

OWNER = {"name": "owner", "roles": ["dev"], "condition": "resource.owner == subject.id"}


def there_and_back(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Documents → items → files, which must be of the same revision."""
    items = items_of(texts)
    files = files_of({key: Stored("", item) for key, item in items.items()})
    assert compile_documents(files).revision == compile_documents(texts).revision
    again = items_of(files)
    assert {(key.kind, key.company) for key in again} == {(k.kind, k.company) for k in items}
    return files


@pytest.mark.parametrize("folder", ["taskman", "patterns"])
def test_policies_of_this_project_come_back_as_they_are(folder: str, tmp_path: Path):
    files = there_and_back(read_documents(ROOT / "policies" / folder))
    for name, text in files:  # every one is found again
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert len(find_documents(tmp_path)) == len(files)


def test_names_of_files_and_companies_keep_their_places():
    texts = [
        ("p/common.yaml", document(constants={"one": 1}, derived_roles=[OWNER])),
        (
            "p/both.yaml",
            document(policy("a", condition="x"), variables={"x": "resource.x"})
            + "---\n"
            + document(
                policy("b", condition="x && y", roles=["owner", "dev"]),
                company="acme",
                variables={"y": "resource.y == one"},
                imports=["common.yaml"],
            ),
        ),
        (
            "p/sub/c.yaml",
            document(policy("c", condition="resource.n > one"), imports=["../common.yaml"]),
        ),
    ]
    items = items_of(texts)
    acme = items[Key("document", "acme", "both.yaml")]
    assert isinstance(acme, StoredDocument) and acme.imports == ["both.yaml", "common.yaml"]
    third = items[Key("policy", "", "c")]
    assert isinstance(third, StoredPolicy) and third.imports == ["common.yaml"]
    assert Key("role", "acme", "dev") in items or Key("role", "", "dev") in items
    there_and_back(texts)


def test_roles_that_nobody_declares_become_rows():
    texts = [
        ("a.yaml", document(policy("a", roles=["dev", "*"]))),
        ("b.yaml", document(policy("b", roles=["dev", "ops"]), company="acme")),
    ]
    roles = {(key.company, key.name) for key in items_of(texts) if key.kind == "role"}
    assert roles == {("", "dev"), ("acme", "ops")}
    there_and_back(texts)


def test_what_lint_leaves_alone_in_a_document_it_leaves_alone_in_each_policy():
    text = document(policy("a", lint_ignore=["x"]), lint_ignore=["y"])
    assert items_of([("a.yaml", text)])[Key("policy", "", "a")].lint_ignore == ["x", "y"]


@pytest.mark.parametrize("company", ["..", ".hidden", "a/../../b", "a\\b", "%2F"])
def test_no_company_is_exported_elsewhere(company: str, tmp_path: Path):
    files = there_and_back([("a.yaml", document(policy("a"), company=company))])
    (name,) = (name for name, _ in files)
    assert (tmp_path / name).resolve().is_relative_to(tmp_path / "companies")
    assert len(Path(name).parts) == 3 and not Path(name).parts[1].startswith(".")


@pytest.mark.parametrize(
    "name", ["../a.yaml", "/a.yaml", "a", "x/.a.yaml", "a_test.yaml", "a//b.yaml"]
)
def test_document_that_could_be_no_file_is_refused(name: str):
    with pytest.raises(CompileError, match="has not the name of a policy document"):
        item_of(StoredDocument(name=name))


def test_schema_that_is_not_for_all_is_refused():
    schema = ("a/schema.yaml", "resources: {}")
    inside, beside = ("a/p.yaml", document()), ("b/p.yaml", document())
    assert Key("document", "", "schema.yaml") in items_of([schema, inside])
    with pytest.raises(StoreError, match="`a/schema.yaml` is none for `b/p.yaml`"):
        items_of([schema, inside, beside])


def test_documents_that_do_not_compile_are_refused_with_their_places():
    with pytest.raises(CompileError, match=r"a\.yaml:\d+:\d+: error"):
        items_of([("a.yaml", document(policy("a", condition="x +")))])
