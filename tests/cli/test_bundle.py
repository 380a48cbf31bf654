"""A bundle from the command line: made by `compile -o`, decided by, and only if it is signed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskman_authz.cli import main
from taskman_authz.store import FileStore

OWN = '{"type": "notes", "id": "n1", "owner": "1"}'


def compile_bundle(*arguments: str) -> int:
    return main(["compile", "policies", "-o", "p.bundle", *arguments])


def check(*arguments: str) -> int:
    return main(["check", "--policies", "p.bundle", "user:1", "notes:write", OWN, *arguments])


@pytest.fixture
def key_files(policies, monkeypatch):
    """`our.key` and `our.pub`, `other.pub`; nothing is set in the environment."""
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    for name in ("our", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        Path(f"{name}.key").write_bytes(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        Path(f"{name}.pub").write_bytes(public)
    for variable in ("TASKMAN_AUTHZ_SIGN_KEY", "TASKMAN_AUTHZ_VERIFY_KEY"):
        monkeypatch.delenv(variable, raising=False)


def test_decisions_by_a_bundle_are_those_by_its_documents(policies, capsys):
    assert compile_bundle() == 0
    printed = capsys.readouterr().out
    assert printed.startswith("2 policies, revision ")
    assert check() == 0
    by_bundle = capsys.readouterr().out
    assert main(["check", "user:1", "notes:write", OWN]) == 0
    assert capsys.readouterr().out == by_bundle
    assert by_bundle.split()[-1] == printed.split()[-1]


def test_policies_that_do_not_compile_make_no_bundle(policies, capsys):
    (policies / "bad.yaml").write_text("policies: [{id: x}]")
    assert compile_bundle() == 2
    assert not Path("p.bundle").exists()
    assert "missing_key" in capsys.readouterr().err


def test_nothing_is_left_of_a_bundle_that_cannot_be_written(policies, capsys):
    Path("p.bundle").mkdir()
    assert compile_bundle() == 2
    assert sorted(os.listdir()) == ["p.bundle", "policies"]
    assert "p.bundle" in capsys.readouterr().err


def test_what_cannot_be_written_is_told_by_its_name(policies, capsys):
    assert main(["compile", "policies", "-o", "nowhere/p.bundle"]) == 2
    assert "error: nowhere/p.bundle: no such file" in capsys.readouterr().err


def test_bundle_has_the_name_of_one(policies, capsys):
    assert main(["compile", "policies", "-o", "policies.bin"]) == 2
    assert "a bundle's name ends in `.bundle`" in capsys.readouterr().err
    assert main(["compile", "policies", "--sign-key", "our.key"]) == 2
    assert "say which with -o" in capsys.readouterr().err


def test_bundle_is_not_compiled_again(policies, capsys):
    compile_bundle("-q")
    assert main(["compile", "p.bundle"]) == 2
    assert "`p.bundle` is a bundle, whose policies are compiled already" in capsys.readouterr().err


def test_signed_bundle_is_taken_and_no_other(key_files, capsys, monkeypatch):
    assert compile_bundle("--sign-key", "our.key") == 0
    assert check("--verify-key", "our.pub") == 0
    assert check("--verify-key", "other.pub") == 2
    assert "`p.bundle` is not signed by the owner of `other.pub`" in capsys.readouterr().err
    monkeypatch.setenv("TASKMAN_AUTHZ_VERIFY_KEY", "our.pub")
    assert compile_bundle() == 0
    assert check() == 2
    assert "`p.bundle` is not signed" in capsys.readouterr().err
    monkeypatch.setenv("TASKMAN_AUTHZ_SIGN_KEY", "our.key")
    assert compile_bundle() == 0
    assert check() == 0


def test_damaged_bundle_is_an_error_in_words(policies, capsys):
    compile_bundle()
    data = Path("p.bundle").read_bytes()
    Path("p.bundle").write_bytes(data[:-3])
    assert check() == 2
    assert "`p.bundle` is damaged" in capsys.readouterr().err


def test_tests_of_policies_may_be_about_a_bundle(policies, capsys):
    compile_bundle()
    case = "{name: own, subject: 'user:1', action: 'notes:write', resource: "
    case += "{type: notes, id: n, owner: '1'}, expect: allow, policy: owners-write}"
    Path("notes_test.yaml").write_text(f"policies: [p.bundle]\ncases: [{case}]\n")
    assert main(["test", "notes_test.yaml"]) == 0
    Path("notes_test.yaml").write_text(f"policies: [p.bundle, policies]\ncases: [{case}]\n")
    capsys.readouterr()
    assert main(["test", "notes_test.yaml"]) == 2
    assert "p.bundle` is a bundle, which is all the policies of a test" in capsys.readouterr().err


def test_store_of_a_bundle_gives_its_policies_and_tells_of_changes(policies):
    compile_bundle()
    store = FileStore("p.bundle")
    before, revision = store.fingerprint(), store.policies().revision
    assert revision == FileStore("policies").policies().revision
    (policies / "more.yaml").write_text(
        "policies: [{id: more, effect: allow, actions: ['*'], resources: ['*']}]"
    )
    compile_bundle()
    assert store.fingerprint() != before
    assert store.policies().revision != revision


def test_a_bundle_needs_neither_yaml_nor_grammar_to_be_decided_by(policies):
    compile_bundle()
    program = (
        "import sys\n"
        "from taskman_authz.policy.loading import load_policies\n"
        "assert len(load_policies('p.bundle')) == 2\n"
        "print([name for name in ('lark', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_decision_by_a_bundle_is_explained(policies, capsys):
    compile_bundle("-q")

    def explained(path: str) -> Any:
        asked = ("user:2", "notes:write", OWN, "--policies", path, "--format", "json")
        assert main(["explain", *asked]) == 1
        return json.loads(capsys.readouterr().out)

    by_bundle, by_documents = explained("p.bundle"), explained("policies")
    for said in ("allowed", "reasons", "revision", "change"):
        assert by_bundle[said] == by_documents[said]
    clauses = [
        [part["text"] for part in found["rules"][0]["deciding"]]
        for found in (by_bundle, by_documents)
    ]
    assert clauses == [["resource.owner == subject.id"]] * 2
