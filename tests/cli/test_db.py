"""`db`: policies go into PostgreSQL and come out as they were, and no password is told."""

from __future__ import annotations

import asyncio
import json

import pytest

from taskman_authz.cli import main
from taskman_authz.policy import compile_documents
from taskman_authz.policy.files import read_documents
from tests.store.postgres.states import query


@pytest.fixture
def migrated(database: str, monkeypatch, capsys) -> str:
    """A new database with tables, which the commands find by themselves."""
    monkeypatch.setenv("TASKMAN_AUTHZ_DSN", database)
    assert main(["db", "migrate"]) == 0
    assert capsys.readouterr().out == "applied 0001 policies\n"
    return database


def revision(folder) -> str:
    return compile_documents(read_documents(folder)).revision


def test_what_is_imported_is_exported_as_the_same_revision(migrated, policies, tmp_path, capsys):
    assert main(["db", "import", str(policies)]) == 0
    said = f"3 created, 0 updated, 0 deleted; revision 1 ({revision(policies)})\n"
    assert capsys.readouterr().out == said  # two policies, and the role that they name
    assert main(["db", "export", str(tmp_path / "out")]) == 0
    assert revision(tmp_path / "out") == revision(policies)
    assert main(["db", "import", str(tmp_path / "out")]) == 0
    assert "0 created, 0 updated, 0 deleted; revision 1 " in capsys.readouterr().out


def test_dry_run_tells_every_change_and_writes_nothing(migrated, policies, capsys):
    assert main(["db", "import", "--dry-run", str(policies)]) == 0
    first = capsys.readouterr().out
    assert "created  policy `owners-write`\n" in first and "would be 3 created" in first
    assert main(["db", "import", "--dry-run", str(policies)]) == 0
    assert capsys.readouterr().out == first


def test_prune_deletes_what_is_in_no_document(migrated, policies, capsys):
    main(["db", "import", str(policies)])
    file = policies / "notes.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("  - id: members")].replace("allow", "deny"))
    assert main(["db", "import", str(policies)]) == 0
    assert "0 created, 1 updated, 0 deleted" in capsys.readouterr().out
    assert main(["db", "import", "--prune", "--format", "json", str(policies)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["change"], each["name"]) for each in told["changes"]] == [
        ("deleted", "members-read-by-day"),
        ("deleted", "member"),
    ]
    assert told["content_hash"] == revision(policies)


def test_status_says_what_is_to_be_done_and_what_is_there(database, policies, capsys):
    assert main(["db", "status", "--dsn", database]) == 1
    assert "0001 policies: not applied yet: taskman-authz db migrate" in capsys.readouterr().out
    main(["db", "migrate", "--dsn", database])
    main(["db", "import", "--dsn", database, str(policies)])
    capsys.readouterr()
    assert main(["db", "status", "--dsn", database]) == 0
    printed = capsys.readouterr().out
    assert f"revision 1 ({revision(policies)}): 2 policies, 1 role, 0 documents" in printed
    assert "2 events to be told" in printed


def test_documents_that_do_not_compile_are_told_with_their_places(migrated, policies, capsys):
    (policies / "notes.yaml").write_text("policies: [{id: a}]")
    assert main(["db", "import", str(policies)]) == 2
    assert "notes.yaml:1:12: error: the key `effect` is missing" in capsys.readouterr().err


def test_rows_that_were_written_by_hand_are_adopted(migrated, policies, capsys):
    main(["db", "import", str(policies)])
    asyncio.run(query(migrated, "UPDATE policies SET effect = 'deny'"))
    assert main(["db", "import", str(policies)]) == 2
    assert "what is stored is not revision 1" in capsys.readouterr().err
    assert main(["db", "adopt"]) == 0
    assert capsys.readouterr().out.startswith("adopted; revision 2 (")
    assert main(["db", "adopt"]) == 0
    assert capsys.readouterr().out.startswith("nothing to adopt; revision 2 (")


def test_folder_that_is_not_empty_is_not_written_into(migrated, policies, capsys):
    assert main(["db", "export", str(policies)]) == 2
    assert "is there already, and not empty" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["migrate"], ["status"], ["export", "out"]])
@pytest.mark.parametrize("dsn", ["postgresql://me:s3cret@127.0.0.1:1/x", "mysql://me:s3cret@h/x"])
def test_password_is_never_printed(command, dsn, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["db", *command, "--dsn", dsn]) == 2
    printed = capsys.readouterr()
    assert "s3cret" not in printed.out + printed.err
    assert "the database cannot be reached" in printed.err or "expected postgresql" in printed.err


def test_without_a_database_it_says_how_to_name_one(monkeypatch, capsys):
    monkeypatch.delenv("TASKMAN_AUTHZ_DSN", raising=False)
    assert main(["db", "status"]) == 2
    assert "expected --dsn, or $TASKMAN_AUTHZ_DSN" in capsys.readouterr().err
