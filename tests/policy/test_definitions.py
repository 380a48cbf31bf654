"""Names that files give: constants, variables, derived roles, and their imports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import PDP, CompileError, compile_documents
from taskman_authz.limits import Limits
from taskman_authz.policy import PolicySet
from tests.policy.helpers import document, pointed_at, policy

COMMON = """
constants:
  editors: [admin, manager]
  least: -5
  office: {city: Berlin, floors: [1, 2.5, null, true]}
variables:
  is_owner: resource.owner == subject.id
  may_edit: is_owner || subject.roles.exists(role, role in editors)  # both
derived_roles:
  - name: owner
    roles: [developer, tester]
    condition: is_owner
  - name: visitor
    roles: ["*"]
    condition: context.visit
"""


def compiled(**files: str) -> PolicySet:
    texts = [(f"{name.replace('__', '/')}.yaml", text) for name, text in files.items()]
    return compile_documents(texts)


def issues(**files: str) -> list[Any]:
    with pytest.raises(CompileError) as caught:
        compiled(**files)
    return list(caught.value.issues)


def codes(**files: str) -> list[str]:
    return [issue.code for issue in issues(**files)]


def importing(*policies: dict[str, Any], **fields: Any) -> str:
    return document(*policies, **{"imports": ["common.yaml"], **fields})


def subject(*roles: str, id: str = "ann") -> dict[str, Any]:
    return {"type": "user", "id": id, "roles": list(roles)}


def asked(policies: PolicySet, who: Any, owner: Any = "ann", **context: Any) -> tuple[bool, str]:
    resource = {"type": "t", "id": "1"} | ({} if owner is None else {"owner": owner})
    decision = PDP(policies).check(who, "t:edit", resource, context)
    return decision.allowed, decision.reasons[0].code


# -- constants and variables -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("may_edit", True),
        ("!is_owner || subject.id == 'x'", False),
        ("resource.owner == 'ann' && least < -4 && -least == 5", True),
        ("office.city == 'Berlin' && office.floors == [1, 2.5, null, true] && is_owner", True),
        ("['x'].exists(is_owner, is_owner == 'x') && is_owner", True),
        ("[1].exists(least, least == -5) || !is_owner", False),
        ("is_owner ? true : may_edit", True),
        (".is_owner", True),
        # What a name stands for is not what a macro's variable of that name is.
        ("[{'owner': 'x'}].exists(resource, is_owner)", True),
        ("[{'owner': 'x'}].exists(resource, may_edit && resource.owner == 'x')", True),
        ("[{'id': 'x', 'roles': ['admin']}].exists(subject, [1].exists(role, !may_edit))", False),
    ],
)
def test_name_stands_for_what_it_is_defined_as(condition: str, value: bool) -> None:
    policies = compiled(common=COMMON, a=importing(policy(condition=condition)))
    assert asked(policies, subject("developer"))[0] is value


def test_names_may_be_used_in_the_file_that_gives_them() -> None:
    text = document(policy(condition="mine"), variables={"mine": "resource.owner == subject.id"})
    assert asked(compiled(a=text), subject()) == (True, "allowed_by_policy")


def test_comment_in_a_variable_ends_with_it() -> None:
    text = document(
        policy(condition="mine && subject.id == 'ann'"),
        variables={"mine": "resource.owner == subject.id // and so on"},
    )
    assert asked(compiled(a=text), subject())[0]


def test_error_in_a_variable_closes() -> None:
    for effect, code in (("allow", "condition_failed"), ("deny", "denied_by_error")):
        guard = policy("guard", effect=effect, condition="is_owner")
        policies = compiled(common=COMMON, a=importing(guard))
        assert asked(policies, subject(), owner=None) == (False, code)


def test_equal_conditions_are_one_whatever_names_they_use() -> None:
    rules = compiled(
        common=COMMON,
        a=importing(policy("a", condition="is_owner")),
        b=importing(policy("b", condition="is_owner")),
    ).rules
    assert rules[0].condition is rules[1].condition


names = st.sampled_from(["a", "b", "c"])
leaf = st.sampled_from(["context.x", "context.y", "context.z", "context.n > 1"])


@given(
    st.fixed_dictionaries({"a": leaf, "b": st.one_of(leaf, names), "c": st.one_of(leaf, names)}),
    st.lists(st.tuples(st.booleans(), names), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from("xyzn"), st.sampled_from([True, False, 2]), max_size=4),
)
def test_condition_with_names_means_what_it_means_written_out(
    variables: dict[str, str], parts: list[tuple[bool, str]], context: dict[str, Any]
) -> None:
    order: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["a", "b"]}
    written = dict(variables)
    for name, before in order.items():  # only backwards, so that nothing is cyclic
        if variables[name] in written and variables[name] not in before:
            written[name] = "context.x"

    def whole(text: str) -> str:
        return whole(written[text]) if text in written else f"({text})"

    def condition(spell: Any) -> str:
        terms = [f"{'!' if negated else ''}({spell(name)})" for negated, name in parts]
        return "context.w || " + " && ".join(terms)

    short = document(policy(condition=condition(str)), variables=written)
    long = document(policy(condition=condition(whole)))
    try:
        plain = compiled(a=long)
    except CompileError:
        assert "always_false" in codes(a=short)
        return
    assert asked(compiled(a=short), subject(), **context) == asked(plain, subject(), **context)


# -- derived roles -----------------------------------------------------------------------------


def test_derived_role_is_had_by_who_holds_a_base_role_where_its_condition_is_true() -> None:
    policies = compiled(common=COMMON, a=importing(policy(roles=["owner"])))
    assert asked(policies, subject("developer"))[0]
    assert asked(policies, subject("tester"))[0]
    assert asked(policies, subject("developer", id="bob")) == (False, "condition_not_met")
    assert asked(policies, subject("admin")) == (False, "no_policy_applies")


def test_name_of_a_derived_role_among_a_subjects_roles_means_nothing() -> None:
    policies = compiled(common=COMMON, a=importing(policy(roles=["owner"])))
    assert asked(policies, subject("owner")) == (False, "no_policy_applies")
    assert not asked(policies, subject("owner", "developer", id="bob"))[0]


@pytest.mark.parametrize("roles", [["owner", "admin"], ["admin", "owner", "visitor"]])
@pytest.mark.parametrize("holds", ["developer", "tester", "admin", "guest"])
@pytest.mark.parametrize("owns", [True, False, None])
@pytest.mark.parametrize("visits", [True, False])
def test_roles_add_up(roles: list[str], holds: str, owns: bool | None, visits: bool) -> None:
    policies = compiled(common=COMMON, a=importing(policy(roles=roles)))
    owner = {True: "ann", False: "bob", None: None}[owns]
    may = (
        holds == "admin"
        or (holds in ("developer", "tester") and owns is True)
        or ("visitor" in roles and visits)
    )
    assert asked(policies, subject(holds), owner, visit=visits)[0] is may


def test_subject_without_roles_has_a_role_that_everybody_can_have() -> None:
    policies = compiled(common=COMMON, a=importing(policy(roles=["visitor", "admin"])))
    assert asked(policies, "user:1", visit=True)[0]
    assert asked(policies, "user:1", visit=False) == (False, "condition_not_met")


def test_condition_of_a_derived_role_that_fails_never_grants_and_denies_in_a_deny() -> None:
    for effect, code in (("allow", "condition_failed"), ("deny", "denied_by_error")):
        policies = compiled(
            common=COMMON,
            a=importing(policy(effect=effect, roles=["owner"]), policy("b", roles=[])),
        )
        assert asked(policies, subject("developer"), owner=None) == (False, code)


def test_condition_of_a_policy_must_hold_besides() -> None:
    both = policy(roles=["owner", "admin"], condition="context.late")
    policies = compiled(common=COMMON, a=importing(both))
    assert asked(policies, subject("developer"), late=True)[0]
    assert not asked(policies, subject("developer"), late=False)[0]
    assert not asked(policies, subject("admin"), late=False)[0]


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code", "at"),
    [
        ({"variables": {"a": "b", "b": "c", "c": "a"}}, "cyclic_definition", "b"),
        ({"variables": {"a": "1 +"}}, "syntax_error", None),
        ({"variables": {"a": "subjct.id"}}, "undeclared_reference", "subjct"),
        ({"variables": {"a": "1 == 'x'"}}, "no_matching_overload", "=="),
        ({"variables": {"a": ""}}, "syntax_error", None),
        ({"variables": {"a": 1}}, "bad_value", "1"),
        ({"variables": {"a-b": "1"}}, "bad_name", "a-b"),
        ({"variables": {"subject": "1"}}, "bad_name", "subject"),
        ({"variables": {"in": "1"}}, "bad_name", "in"),
        ({"variables": {"optional": "1"}}, "bad_name", "optional"),
        ({"constants": {"int": 1}}, "bad_name", "int"),
        ({"constants": {"a": 2**64}}, "bad_value", str(2**64)),
        ({"constants": {"a": float("inf")}}, "bad_value", ".inf"),
        ({"variables": {"a": "1"}, "constants": {"a": 1}}, "duplicate_name", "a"),
        ({"imports": ["x.yaml"]}, "unknown_import", "x.yaml"),
        ({"imports": ["a.yaml"]}, "bad_import", "a.yaml"),
    ],
)
def test_mistake_in_a_definition_is_told_once_at_its_place(
    fields: dict[str, Any], code: str, at: str | None
) -> None:
    name = next(iter(fields.get("variables", {})), "now")
    use = policy(condition=f"{name} == 1" if name.isidentifier() and name != "in" else None)
    found = issues(a=document(use, **fields))
    mine = [issue for issue in found if issue.code == code]
    assert len(mine) == 1
    assert at is None or pointed_at(mine[0], len(at)) == at


def test_mistake_in_a_variable_is_told_once_however_many_use_it() -> None:
    variables = {"a": "b && context.x", "b": "c || context.y", "c": "1 == 'x'"}
    text = document(policy(condition="a"), policy("b", condition="b"), variables=variables)
    assert codes(a=text) == ["no_matching_overload"]


def test_name_that_nobody_gives_has_a_suggestion() -> None:
    (near,) = issues(common=COMMON, a=importing(policy(condition="is_ownr")))
    assert (near.code, near.hint) == ("undeclared_reference", "did you mean `is_owner`?")
    (far,) = issues(common=COMMON, a=document(policy(condition="is_owner")))
    assert far.hint == "import `common.yaml`, which defines it"
    (role,) = issues(common=COMMON, a=document(policy(roles=["owner"])))
    assert (role.code, role.hint) == ("unknown_role", "import `common.yaml`, which defines it")


def test_import_that_is_not_there_has_a_suggestion_as_it_would_be_written() -> None:
    text = document(policy(), imports=["comon.yaml", "../shop/coman.yaml", "orders.yml"])
    with pytest.raises(CompileError) as caught:
        compile_documents([("shop/orders.yaml", text), ("shop/common.yaml", COMMON)])
    near, same_file, own = [each.hint for each in caught.value.issues]
    assert near == "did you mean `common.yaml`?"
    assert same_file == "did you mean `common.yaml`?"
    assert "orders" not in own


def test_imports_are_not_passed_on() -> None:
    middle = document(imports=["common.yaml"])
    assert codes(
        common=COMMON,
        middle=middle,
        a=importing(policy(condition="is_owner"), imports=["middle.yaml"]),
    ) == ["undeclared_reference"]


def test_path_of_an_import_begins_at_its_file() -> None:
    text = document(policy(condition="is_owner"), imports=["../common.yaml"])
    assert compiled(common=COMMON, deep__a=text)


def test_name_that_two_imports_give_is_refused() -> None:
    other = document(variables={"is_owner": "true"})
    text = importing(policy(condition="is_owner"), imports=["common.yaml", "other.yaml"])
    assert codes(common=COMMON, other=other, a=text) == ["duplicate_name"]


def test_documents_of_two_companies_in_one_file_do_not_share_what_is_one_s() -> None:
    names = {
        "variables": {"mine": "resource.owner == subject.id"},
        "derived_roles": [{"name": "owner", "roles": ["*"], "condition": "mine"}],
    }
    of_acme = document(company="acme", **names)
    uses = {"mine": policy("uses", condition="mine"), "owner": policy("uses", roles=["owner"])}
    for what, code in (("mine", "undeclared_reference"), ("owner", "unknown_role")):
        for owner in ({"company": "b"}, {}):
            using = document(uses[what], **owner)
            assert codes(a=f"{of_acme}---\n{using}") == [code]
            assert compiled(a=f"{document(**names)}---\n{using}")
        assert compiled(a=f"{of_acme}---\n{document(uses[what], company='acme')}")


def test_what_a_company_defines_is_its_own() -> None:
    acme = document(company="acme", variables={"mine": "resource.owner == subject.id"})
    use = policy(condition="mine")
    assert compiled(acme=acme, a=document(use, company="acme", imports=["acme.yaml"]))
    assert "bad_import" in codes(acme=acme, a=document(use, imports=["acme.yaml"]))
    assert "bad_import" in codes(acme=acme, a=document(use, company="b", imports=["acme.yaml"]))


def test_derived_role_is_no_base_role_and_no_declared_one() -> None:
    derived = [
        {"name": "a", "roles": ["dev"], "condition": "context.x"},
        {"name": "b", "roles": ["a"], "condition": "context.x"},
    ]
    assert codes(a=document(derived_roles=derived)) == ["bad_role"]
    declared = document(derived_roles=derived[:1], roles=[{"name": "a"}, {"name": "dev"}])
    assert codes(a=declared) == ["duplicate_role"]
    unknown = document(derived_roles=derived[:1], roles=[{"name": "other"}])
    assert codes(a=unknown) == ["unknown_role"]


def test_derived_role_with_a_mistake_is_told_once() -> None:
    derived = [{"name": "a", "roles": ["dev"], "condition": "'x'"}, {"name": "b"}]
    text = document(policy(roles=["a"]), policy("b", roles=["a"]), derived_roles=derived[:1])
    assert codes(a=text) == ["not_bool"]
    assert codes(a=document(derived_roles=derived[1:])) == ["missing_key", "missing_key"]


def test_what_could_not_be_read_is_not_told_to_be_unknown() -> None:
    broken = COMMON.replace("roles: [developer, tester]", "roles: []")
    text = importing(policy(condition="is_owner", roles=["owner"]))
    assert codes(common=broken, a=text) == ["bad_value"]
    assert codes(common="a: [", a=text) == ["malformed_yaml"]


def test_names_cannot_multiply_beyond_the_limits() -> None:
    doubled = {f"v{n}": f"v{n - 1} + v{n - 1}" if n else "'x' + 'x'" for n in range(40)}
    text = document(policy(condition="v39 == 'x'"), variables=doubled)
    found = issues(a=text)
    assert {issue.code for issue in found} == {"limit_exceeded"}
    nested = {f"v{n}": f"[v{n - 1}]" if n else "1" for n in range(400)}
    found = issues(a=document(policy(condition="v399 == []"), variables=nested))
    assert {issue.code for issue in found} == {"limit_exceeded"}
    wide = Limits(policy_targets=3)
    roles = [{"name": "a", "roles": ["b", "c", "d", "e"], "condition": "context.x"}]
    with pytest.raises(CompileError, match="policy_too_wide"):
        compile_documents([("a.yaml", document(policy(roles=["a"]), derived_roles=roles))], wide)


# -- revision ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("resource.owner == subject.id", "resource.owner != subject.id"),
        ("[developer, tester]", "[developer]"),
        ("[admin, manager]", "[admin]"),
    ],
)
def test_revision_covers_what_names_stand_for(old: str, new: str) -> None:
    text = importing(policy(condition="may_edit", roles=["owner"]))
    before = compiled(common=COMMON, a=text).revision
    assert compiled(common=COMMON.replace(old, new), a=text).revision != before


def test_revision_does_not_change_with_names_that_nobody_uses() -> None:
    text = importing(policy(condition="is_owner"))
    before = compiled(common=COMMON, a=text).revision
    assert compiled(common=COMMON.replace("context.visit", "context.v"), a=text).revision == before


def test_order_of_files_changes_nothing() -> None:
    text = importing(policy(condition="may_edit", roles=["owner"]))
    one, other = compiled(common=COMMON, a=text), compiled(a=text, common=COMMON)
    assert one.revision == other.revision
    assert json.dumps([r.roles for r in one.rules]) == json.dumps([r.roles for r in other.rules])
