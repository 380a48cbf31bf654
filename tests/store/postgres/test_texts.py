"""Whatever an item says, its text says that and nothing else. No database needed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.policy import Role
from taskman_authz.policy.loader import load
from taskman_authz.store.postgres import Key, StoredDocument, StoredPolicy
from taskman_authz.store.postgres.texts import roles_text, text_name, text_of

# What YAML, JSON and paths take for something of their own is as likely as all else.
NASTY = "\n\r\t \\/%\"'#:-?[]{}&*!|>@`,.~=\x07\x7f\x85\xa0\u2028\ufeff\ufffe😀null true 1e3 0o7 ---"
characters = st.sampled_from(NASTY) | st.characters(exclude_categories=["Cs"], min_codepoint=1)
texts = st.text(characters, max_size=30)
words = texts.map(lambda text: "".join(text.split())).filter(bool)
names = texts.map(lambda text: "".join(c for c in text if c.isprintable()).strip()).filter(bool)
patterns = st.lists(texts.filter(bool), min_size=1, max_size=3)


def valid(model: Any, **fields: Any) -> Any:
    """An item of drawn fields, empty ones left out."""
    return model.model_validate({key: value for key, value in fields.items() if value})


policies = st.builds(
    valid,
    st.just(StoredPolicy),
    id=words,
    name=st.just("") | names,
    description=texts,
    effect=st.sampled_from(["allow", "deny"]),
    roles=st.lists(names, max_size=2),
    actions=patterns,
    resources=patterns,
    condition=texts.map(str.rstrip),
    overridable=st.booleans(),
    lint_ignore=st.lists(words, max_size=2),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: value not in (float("inf"), float("-inf")))
documents = st.builds(
    valid,
    st.just(StoredDocument),
    name=st.just("names.yaml"),
    constants=st.dictionaries(texts, values.filter(lambda v: "inf" not in repr(v)), max_size=3),
    variables=st.dictionaries(texts, texts, max_size=3),
    derived_roles=st.lists(
        st.fixed_dictionaries(
            {
                "name": names,
                "description": texts,
                "roles": st.lists(names, min_size=1, max_size=2),
                "condition": texts.map(str.rstrip).filter(bool),
            }
        ),
        max_size=2,
    ),
    overrides=st.lists(words, max_size=2),
)


@given(policies, st.just("") | words)
def test_text_of_a_policy_says_what_the_policy_says(policy: StoredPolicy, company: str):
    key = Key("policy", company, policy.id)
    loaded = load([(text_name(key), text_of(key, policy, ()))])
    assert not loaded.issues and not loaded.schemas
    (document,) = loaded.documents
    assert document.company == company
    ((_, read),) = document.policies
    assert read.model_dump() == policy.model_dump(exclude={"imports"})


@given(documents, st.just("") | words)
def test_text_of_a_document_says_what_the_document_says(given: StoredDocument, company: str):
    key = Key("document", company, given.name)
    loaded = load([(text_name(key), text_of(key, given, ()))])
    assert not loaded.issues and not loaded.schemas
    if loaded.documents:  # one that says nothing is none
        (document,) = loaded.documents
        assert document.company == company and not document.policies and not document.roles
        said = document.definitions
        assert repr(said.constants) == repr(given.constants)
        assert (said.variables, document.overrides) == (given.variables, given.overrides)
        assert [role for _, role in said.derived_roles] == given.derived_roles
    else:
        assert not company and given == StoredDocument(name=given.name)


@given(st.lists(st.builds(valid, st.just(Role), name=names, description=texts), min_size=1), words)
def test_text_of_roles_says_what_the_roles_say(roles: list[Role], company: str):
    (document,) = load([("roles", roles_text(company, roles))]).documents
    assert [role for _, role in document.roles] == roles and document.company == company


@given(st.lists(st.tuples(st.sampled_from(["policy", "document"]), words, words), unique=True))
def test_no_two_items_have_one_name(some: list[tuple[Any, str, str]]):
    keys = [Key(*each) for each in some]
    assert len({text_name(key) for key in keys}) == len(keys)
