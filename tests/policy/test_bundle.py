"""A bundle is the policies that it was made of, and whatever else bytes are is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskman_authz import PDP
from taskman_authz._fast.required import required_of
from taskman_authz._fast.rows import RuleRow
from taskman_authz.errors import StoreError
from taskman_authz.limits import Limits
from taskman_authz.policy import PolicySet, Schema, bundle, compile_documents, load_policies
from taskman_authz.policy.bundle import HEAD, MAGIC
from taskman_authz.policy.files import read_documents
from tests.policy.helpers import compiled, document, policy
from tests.policy.test_changes import answers, keys, policies, texts

CONDITIONS = [
    "resource.project == 'p1' && subject.level > 2",
    "subject.roles.exists(r, r == 'dev') || resource.tags.all(t, t.startsWith('x'))",
    "context.?mfa.orValue(false) && 'a' in {'a': 1u, 'b': 2u} && b'x' == b'x'",
    "cel.bind(level, resource.?level.orValue(0), level > 0 && level < 5)",
    "now - timestamp(resource.created) < duration('720h') && size([1, ?context.?n]) > 0",
    "resource.email.matches('^[a-z]+@example[.]com$') ? true : has(resource.owner)",
    "type(resource.level) == int && [1, 2, 3].map(n, n * 2).exists_one(n, n == 4)",
    "resource.project in ['p1', 'p2'] && resource.project == 'p2' || resource.project == 'p3'",
]
WITH_ALL = [
    ("all.yaml", document(*(policy(f"c{n}", condition=c) for n, c in enumerate(CONDITIONS))))
]


def required(row: RuleRow) -> set[tuple[str, tuple[str, ...]]]:
    return {(".".join(one.reader.path.members), one.texts) for one in row.required}


@pytest.mark.parametrize("path", ["policies/taskman", "policies/patterns"])
def test_bundle_of_shipped_policies_has_their_revision(path: str) -> None:
    made = compile_documents(read_documents(path))
    again = bundle.read(bundle.write(made))
    assert again.revision == made.revision
    assert again.declared == made.declared
    assert bundle.write(again) == bundle.write(made)


def test_every_condition_means_in_a_bundle_what_it_means_in_its_document() -> None:
    made = compile_documents(WITH_ALL)
    again = bundle.read(bundle.write(made))
    resource = {
        "type": "tasks",
        "id": "1",
        "project": "p3",
        "level": 3,
        "tags": ["x1"],
        "email": "ann@example.com",
        "created": "2026-01-01T00:00:00Z",
    }
    subject = {"type": "user", "id": "1", "roles": ["dev"], "level": 3}
    for rows in zip(made.rules, again.rules, strict=True):
        assert required(rows[0]) == required(rows[1])
        for about in (resource, {"type": "tasks", "id": "1"}, {**resource, "level": "high"}):
            one, other = (
                PDP(compiled(document(policy("x", condition=row.text)))).check(
                    subject, "tasks:edit", about, {"mfa": True}, now=1_767_312_000 * 10**9
                )
                for row in rows
            )
            assert (one.allowed, one.reasons) == (other.allowed, other.reasons)
    pdps = [PDP(each) for each in (made, again)]
    for about in (resource, {"type": "tasks", "id": "1"}):
        one, other = (
            pdp.check(subject, "tasks:edit", about, now=1_767_312_000 * 10**9) for pdp in pdps
        )
        assert one == other


def test_bundle_of_typed_policies_reads_values_as_their_schema_says() -> None:
    schema = Schema.of(resources={"tasks": (["edit"], {"due": "timestamp", "owner?": "string"})})
    text = document(policy("a", actions=["tasks:edit"], condition="resource.due < now"))
    made = compile_documents([("a.yaml", text)], schema=schema)
    again = bundle.read(bundle.write(made))
    assert (again.revision, again.declared.typed) == (made.revision, True)
    for due in ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "never", 7):
        asked = ("user:1", "tasks:edit", {"type": "tasks", "id": "1", "due": due})
        one, other = (PDP(each).check(*asked, now=1_780_000_000 * 10**9) for each in (made, again))
        assert one == other


@settings(max_examples=60)
@given(st.dictionaries(keys, policies, max_size=8))
def test_bundle_is_the_set_that_it_was_made_of(some: dict[tuple[str, str], Any]) -> None:
    made = compile_documents(texts(some))
    again = bundle.read(bundle.write(made))
    assert again.revision == made.revision
    assert [row.key for row in again.rules] == [row.key for row in made.rules]
    assert answers(again) == answers(made)
    assert [required(row) for row in again.rules] == [required(row) for row in made.rules]


def test_conditions_of_a_bundle_require_what_their_plans_do() -> None:
    for row in bundle.read(bundle.write(compile_documents(WITH_ALL))).rules:
        planned: Any = row.condition
        found = {(one.reader.slot, one.texts) for one in required_of(planned.planned())}
        assert found == {(one.reader.slot, one.texts) for one in row.required}


# -- what is refused ------------------------------------------------------------------------------

GOOD = bundle.write(compile_documents(WITH_ALL))


def refused(data: bytes, **how: Any) -> str:
    with pytest.raises(StoreError) as caught:
        bundle.read(data, name="p.bundle", **how)
    assert str(caught.value).startswith("`p.bundle` ")
    return str(caught.value)


def with_hash(content: bytes) -> bytes:
    return MAGIC + hashlib.sha256(content).digest() + b"\0" + content


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no bundle"),
        (b"policies: []", "is no bundle"),
        (GOOD.replace(b"bundle 2", b"bundle 9", 1), "another version"),
        (MAGIC, "cut off"),
        (GOOD[: HEAD - 1], "cut off"),
        (GOOD[:-1], "its hash"),
        (GOOD[:-1] + b"x", "its hash"),
        (with_hash(b""), "something else than policies"),
        (with_hash(msgspec.msgpack.encode({"rules": []})), "something else than policies"),
        (with_hash(b"\x91" * 100_000), "something else than policies"),
    ],
)
def test_what_is_no_bundle_is_refused(data: bytes, said: str) -> None:
    assert said in refused(data)


def test_bundle_larger_than_its_limit_is_refused() -> None:
    assert "larger than 100 bytes" in refused(GOOD, limits=Limits(bundle_bytes=100))


def changed(**fields: Any) -> bytes:
    content = msgspec.msgpack.decode(GOOD[HEAD:], type=bundle.Content)
    return with_hash(msgspec.msgpack.encode(msgspec.structs.replace(content, **fields)))


def rule(**fields: Any) -> bundle.Rule:
    whole = {
        "id": "a",
        "company": "",
        "deny": False,
        "actions": ("*",),
        "resources": ("*",),
        "roles": ("*",),
        "condition": -1,
    }
    return bundle.Rule(**{**whole, **fields})


MANY = tuple(f"n{number}:*" for number in range(1_000))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rules": (rule(), rule())}, "a policy twice"),
        ({"rules": (rule(), rule(company="acme"))}, "a policy twice"),
        ({"rules": (rule(condition=99),)}, "whose condition is not there"),
        ({"rules": (rule(actions=("a:**",)),)}, "a pattern that is none"),
        ({"rules": (rule(actions=MANY, roles=MANY),)}, "too wide"),
        ({"functions": (("frobnicate", 1),)}, "another version"),
        ({"registers": 10**12}, "too many registers"),
        ({"paths": (("environment", "x"),)}, "variable that policies do not have"),
        ({"paths": (("subject", "x"), ("subject", "x"))}, "a path twice"),
        ({"paths": ()}, "requires what cannot be"),
    ],
)
def test_content_that_does_not_fit_together_is_refused(fields: Any, said: str) -> None:
    assert said in refused(changed(**fields))


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (250, "condition that is no expression"),
        (5_000, "something else than policies"),
        (100_000, "something else than policies"),
    ],
)
def test_tree_too_deep_is_refused(levels: int, said: str) -> None:
    inner = msgspec.msgpack.encode([0, 0, True])
    tree = b"\x97\x04\x00\xa2!_\xc0\x91" * levels + inner + b"\xa2!_\xc2" * levels
    one = bundle.Condition("true", msgspec.Raw(tree), ())
    assert said in refused(changed(conditions=(one,), rules=()))


QUESTION = (
    {"type": "user", "id": "1", "roles": ["dev"], "level": 3},
    "tasks:edit",
    {"type": "tasks", "id": "1", "project": "p1", "level": 3, "tags": ["x"]},
)


@pytest.mark.parametrize(
    "tree",
    [
        [4, 0, "_&&_", None, [], "_&&_", False],  # an operator without its operands
        [4, 0, "_==_", None, [[0, 0, 1]], "_==_", False],
        [4, 0, "size", None, [], "size", False],
        [4, 0, "f", None, [], "", False],
        [2, 0, "nothing", ""],
        [3, 0, [2, 0, "subject", "subject"], "unheard-of", False, ""],  # a path that is not there
        [8, 0, [5, 0, [[0, 0, 1]], []], "x", "", "@r", *[[0, 0, True]] * 4, "exists"],
        [8, 0, [5, 0, [], []], "x", "", "@r", *[[0, 0, True]] * 4, "optMap"],
        [7, 0, "a.B", [[0, "c", [0, 0, 1], False]]],
    ],
)
@pytest.mark.parametrize("deny", [False, True])
def test_tree_that_means_nothing_closes(tree: Any, deny: bool) -> None:
    """No compiler writes it; an allow rule does not grant by it, and a deny rule denies."""
    raw = msgspec.Raw(msgspec.msgpack.encode(tree))
    only = changed(
        conditions=(bundle.Condition("?", raw, ()),),
        rules=(rule(deny=deny, condition=0), *([rule(id="open")] if deny else [])),
    )
    decision = PDP(bundle.read(only)).check(*QUESTION)
    assert not decision.allowed
    assert decision.reasons[0].code == ("denied_by_error" if deny else "condition_failed")


# -- files and signatures -------------------------------------------------------------------------


@pytest.fixture
def signing_keys(tmp_path: Path) -> dict[str, Path]:
    """Two pairs of keys, and one of another kind."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

    files: dict[str, Path] = {}
    for name, kind in (
        ("ours", ed25519.Ed25519PrivateKey),
        ("other", ed25519.Ed25519PrivateKey),
        ("exchange", x25519.X25519PrivateKey),
    ):
        key: Any = kind.generate()
        pem = serialization.Encoding.PEM
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        for suffix, data in ((".key", private), (".pub", public)):
            files[name + suffix] = tmp_path / (name + suffix)
            files[name + suffix].write_bytes(data)
    return files


def test_only_what_the_owner_of_the_key_signed_is_loaded(
    tmp_path: Path, signing_keys: dict[str, Path]
) -> None:
    made = compile_documents(WITH_ALL)
    file = tmp_path / "p.bundle"
    file.write_bytes(bundle.write(made, signing_keys["ours.key"]))
    assert load_policies(file, verify_key=signing_keys["ours.pub"]).revision == made.revision
    assert load_policies(file).revision == made.revision
    with pytest.raises(StoreError, match="not signed by the owner of"):
        load_policies(file, verify_key=signing_keys["other.pub"])
    file.write_bytes(bundle.write(made))
    with pytest.raises(StoreError, match="is not signed"):
        load_policies(file, verify_key=signing_keys["ours.pub"])


def test_signature_of_another_content_is_refused(signing_keys: dict[str, Path]) -> None:
    signed = bundle.write(compile_documents(WITH_ALL), signing_keys["ours.key"])
    other = bundle.write(compiled(document(policy("a"))), signing_keys["ours.key"])
    mixed = other[:HEAD] + signed[HEAD : HEAD + 64] + other[HEAD + 64 :]
    assert "not signed by the owner" in refused(mixed, verify_key=signing_keys["ours.pub"])


@pytest.mark.parametrize("name", ["exchange.key", "ours.pub", "nothing"])
def test_what_is_no_signing_key_is_refused(
    tmp_path: Path, signing_keys: dict[str, Path], name: str
) -> None:
    (tmp_path / "nothing").write_text("nothing")
    key = signing_keys.get(name, tmp_path / "nothing")
    with pytest.raises(StoreError, match="is no Ed25519 private key"):
        bundle.write(compiled(document(policy("a"))), key)


def test_what_is_no_verifying_key_is_refused(signing_keys: dict[str, Path]) -> None:
    signed = bundle.write(compiled(document(policy("a"))), signing_keys["ours.key"])
    for name in ("exchange.pub", "ours.key"):
        with pytest.raises(StoreError, match="is no Ed25519 public key"):
            bundle.read(signed, verify_key=signing_keys[name])


def test_documents_are_not_taken_for_signed(signing_keys: dict[str, Path]) -> None:
    with pytest.raises(StoreError, match="only a bundle is signed"):
        PDP.from_path("policies/taskman", verify_key=signing_keys["ours.pub"])


def test_bundle_at_a_path_is_loaded(tmp_path: Path) -> None:
    made: PolicySet = compile_documents(read_documents("policies/taskman"))
    file = tmp_path / "p.bundle"
    file.write_bytes(bundle.write(made))
    assert PDP.from_path(file).policies.revision == made.revision
    assert PDP.from_path(os.fspath(file)).policies.revision == made.revision
    with pytest.raises(StoreError, match="cannot read"):
        PDP.from_path(tmp_path / "absent.bundle")
