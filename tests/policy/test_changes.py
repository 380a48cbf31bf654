"""A set that came of another one by a change is the one that compiling all documents gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskman_authz import PDP
from taskman_authz.errors import CompileError
from taskman_authz.limits import Limits
from taskman_authz.policy import PolicySet, Schema, bundle, change, compile_documents, declare
from taskman_authz.policy.revision import Digests
from tests.policy.helpers import compiled, document, policy, told

COMPANIES = ["", "acme"]
CONDITIONS = [
    None,
    "resource.project == 'p1'",
    "resource.project == 'p2' && subject.level > 2",
    "subject.roles.exists(r, r == 'dev')",
    "context.?mfa.orValue(false)",
]
Key = tuple[str, str]

policies = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(["allow", "deny"]),
        "roles": st.sampled_from([["*"], ["dev"], ["dev", "admin"]]),
        "actions": st.sampled_from([["tasks:edit"], ["tasks:*", "tasks:edit"], ["*"]]),
        "resources": st.sampled_from([["tasks/*"], ["tasks/1", "tasks/2/*"], ["*"]]),
        "condition": st.sampled_from(CONDITIONS),
    }
)
# Of one company or of all an id is given once: company and id go together.
keys = st.sampled_from([(COMPANIES[n % 2], f"policy-{n}") for n in range(8)])
sets = st.dictionaries(keys, policies, max_size=8)
QUESTIONS: list[tuple[Any, ...]] = [
    (
        {"type": "user", "id": "1", "roles": roles, "level": 3},
        "tasks:edit",
        {"type": "tasks", "id": id, **attributes},
        {"mfa": True},
    )
    for roles in ([], ["dev"], ["admin"])
    for id in ("1", "2/x")
    for attributes in ({}, {"project": "p1"}, {"project": "p2"})
]


def texts(some: dict[Key, dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (f"{company}-{id}.yaml", document(policy(id, **fields), company=company or None))
        if company
        else (f"{id}.yaml", document(policy(id, **fields)))
        for (company, id), fields in some.items()
    ]


def answers(policies: PolicySet) -> list[Any]:
    pdp = PDP(policies)
    return [
        pdp.check(*question, company_id=company, now=0)
        for question in QUESTIONS
        for company in (None, "acme")
    ]


@settings(max_examples=60)
@given(sets, st.lists(st.tuples(sets, st.lists(keys, unique=True)), min_size=1, max_size=3))
def test_changed_set_is_the_one_that_compiling_all_documents_gives(
    before: dict[Key, dict[str, Any]], steps: list[tuple[dict[Key, dict[str, Any]], list[Key]]]
) -> None:
    first = made = compile_documents(texts(before))
    said, now = answers(first), dict(before)
    for put, remove in steps:
        gone = [key for key in remove if key in now and key not in put]
        made = change(made, texts(put), gone)
        now = {key: value for key, value in {**now, **put}.items() if key not in gone}
        whole = compile_documents(texts(now))
        assert made.revision == whole.revision
        assert [row.key for row in made.rules] == [row.key for row in whole.rules]
        assert answers(made) == answers(whole)
    assert answers(first) == said


def test_equal_conditions_are_numbered_alike_after_a_change() -> None:
    first = compiled(document(policy("a", condition="resource.x == 1"), policy("b")))
    second = change(first, [("c", document(policy("c", condition="resource.x == 1")))])
    a, _, c = second.rules
    assert a.number == c.number >= 0
    assert a.condition is c.condition
    assert first.rules[0].number == -1


def refused(policies: PolicySet, *arguments: Any) -> list[tuple[str, int, int, str]]:
    with pytest.raises(CompileError) as caught:
        change(policies, *arguments)
    return [told(issue) for issue in caught.value.issues]


def test_policy_that_does_not_compile_is_refused() -> None:
    first = compiled(document(policy("a")))
    wrong = document(policy("b", condition="subject.id +"), policy("c", actions=["edit"]))
    assert [code for *_, code in refused(first, [("b.yaml", wrong)])] == [
        "syntax_error",
        "bad_pattern",
    ]


def test_id_of_every_company_that_a_company_has_is_refused() -> None:
    first = compiled(document(policy("a"), company="acme"))
    assert refused(first, [("b.yaml", document(policy("a")))]) == [("b.yaml", 2, 7, "duplicate_id")]
    other = change(first, [("b.yaml", document(policy("a")))], [("acme", "a")])
    assert [row.company for row in other.rules] == [None]


def test_unknown_role_and_declared_roles_are_refused() -> None:
    first = compiled(document(policy("a", roles=["dev"]), roles=[{"name": "dev"}]))
    assert refused(first, [("b.yaml", document(policy("b", roles=["dve"])))])[0][3] == (
        "unknown_role"
    )
    more = document(policy("b", roles=["dev"]), roles=[{"name": "ops"}])
    assert refused(first, [("b.yaml", more)])[0][3] == "not_in_change"
    assert len(change(first, [("b.yaml", document(policy("b", roles=["dev"])))])) == 2


def test_derived_role_of_the_set_is_no_role_that_a_subject_carries() -> None:
    derived = [{"name": "owner", "roles": ["*"], "condition": "resource.owner == subject.id"}]
    first = compiled(document(policy("a", roles=["owner"]), derived_roles=derived))
    text = [("b.yaml", document(policy("b", roles=["owner"])))]
    for made in (first, bundle.read(bundle.write(first))):
        assert refused(made, text)[0][3] == "unknown_role"
        assert len(change(made, [("c.yaml", document(policy("c", roles=["other"])))])) == 2


def test_policy_to_remove_that_is_not_there_is_refused() -> None:
    first = compiled(document(policy("a")))
    assert refused(first, (), [("", "b")]) == [("<change>", 1, 1, "unknown_policy")]
    assert refused(first, (), [("acme", "a")]) == [("<change>", 1, 1, "unknown_policy")]


def test_what_other_policies_depend_on_is_not_changed_alone() -> None:
    overridable = policy("d", effect="deny", overridable=True)
    first = compiled(document(overridable), document(company="acme", overrides=["d"]))
    assert refused(first, (), [("", "d")])[0][3] == "overridden_policy"
    again = document(policy("e", effect="deny", overridable=True), variables={"x": "true"})
    assert {found[3] for found in refused(first, [("e.yaml", again)])} == {"not_in_change"}


def test_typed_policies_are_changed_with_their_schema() -> None:
    schema = Schema.of(resources={"tasks": (["edit"], {"owner": "string"})})
    text = document(policy("a", actions=["tasks:edit"], condition="resource.owner == 'ann'"))
    first = compile_documents([("a.yaml", text)], schema=schema)
    assert refused(first, [("b.yaml", text)])[0][3] == "schema_in_change"
    wrong = text.replace("owner", "ownr")
    with pytest.raises(CompileError, match="did you mean `owner`"):
        change(first, [("b.yaml", wrong)], schema=schema)
    more = document(policy("b", actions=["tasks:edit"], condition="resource.owner == 'bob'"))
    whole = compile_documents([("a.yaml", text), ("b.yaml", more)], schema=schema)
    assert change(first, [("b.yaml", more)], schema=schema).revision == whole.revision


def test_paths_that_changes_gather_have_a_limit() -> None:
    limits = Limits(changed_paths=3)
    made = compile_documents(
        [("a.yaml", document(policy("a", condition="resource.a == 1")))], limits
    )
    for name in ("b", "c"):
        text = document(policy("a", condition=f"resource.{name} == 1"))
        made = change(made, [("a.yaml", text)])
    more = document(policy("a", condition="resource.d == 1"))
    assert refused(made, [("a.yaml", more)])[0][3] == "limit_exceeded"
    again = document(policy("a", condition="resource.a == 1"))
    assert len(change(made, [("a.yaml", again)])) == 1


names = st.frozensets(st.sampled_from(["dev", "ops", "qa"]))
declarations = st.dictionaries(st.sampled_from(COMPANIES), names.filter(bool), max_size=2)


def with_roles(
    roles: dict[str, frozenset[str]], some: dict[Key, dict[str, Any]], derived: bool
) -> list[tuple[str, str]]:
    found = texts(some)
    for company, declared in roles.items():
        fields: dict[str, Any] = {"company": company} if company else {}
        listed = [{"name": name} for name in sorted(declared)]
        found.append((f"{company}-roles.yaml", document(**fields, roles=listed)))
    if derived:
        owner = {"name": "qa", "roles": ["dev"], "condition": "resource.owner == subject.id"}
        found.append(("derived.yaml", document(derived_roles=[owner])))
    return found


@given(sets, declarations, declarations, st.booleans())
def test_roles_that_are_declared_anew_are_those_of_compiling_all_documents(
    some: dict[Key, dict[str, Any]],
    before: dict[str, frozenset[str]],
    after: dict[str, frozenset[str]],
    derived: bool,
) -> None:
    try:
        first = compile_documents(with_roles(before, some, derived))
    except CompileError:
        return
    try:
        made = declare(first, after)
    except CompileError:
        if not derived:  # else it may be that only all documents can tell
            with pytest.raises(CompileError):
                compile_documents(with_roles(after, some, derived))
        return
    whole = compile_documents(with_roles(after, some, derived))
    assert (made.revision, made.declared) == (whole.revision, whole.declared)
    wrong = document(policy("new", roles=["nobody"]))
    if after:
        assert refused(made, [("new.yaml", wrong)])[0][3] == "unknown_role"


def test_role_of_a_pattern_is_not_declared() -> None:
    with pytest.raises(CompileError, match="`\\*` is every subject"):
        declare(compiled(document(policy("a"))), {"": frozenset({"de*"})})


digests = st.binary(min_size=32, max_size=32)


@given(st.sets(digests), st.sets(digests))
def test_revision_is_that_of_the_set_of_digests_however_it_came_about(
    one: set[bytes], other: set[bytes]
) -> None:
    made = Digests(one).changed(one - other, other - one)
    assert made.revision == Digests(other).revision
    assert (Digests(one).revision == made.revision) is (one == other)
