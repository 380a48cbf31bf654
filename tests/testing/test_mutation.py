"""Mutants: mistakes that tests should notice."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from taskman_authz import authorize
from taskman_authz.cel import policy_env
from taskman_authz.issues import Place
from taskman_authz.policy import compile_documents
from taskman_authz.policy.yaml_reader import read
from taskman_authz.testing import Mutant, Mutants, load_suites, mutate, run_case
from taskman_authz.testing.coverage import Share
from taskman_authz.testing.generation import concerns, requests, templates
from taskman_authz.testing.mutants import Mutation, mutations, wider
from taskman_authz.testing.mutation import Bench
from tests.house.source import ROOT

from .helpers import write

POLICY = {
    "id": "p",
    "effect": "allow",
    "roles": ["a", "b"],
    "actions": ["t:edit"],
    "resources": ["t/*"],
}


def mutants(condition="", **fields):
    policy = {**POLICY, **fields, **({"condition": condition} if condition else {})}
    parsed = policy_env().parse(condition) if condition else None
    return list(mutations(policy, parsed))


def conditions(condition, kind, effect="allow"):
    """What the mutants of a kind have for a condition, and whether they are told equivalent."""
    return [
        (each.policy["condition"], each.equivalent)
        for each in mutants(condition, effect=effect)
        if each.kind == kind
    ]


def test_kinds_of_mutants():
    found = [(each.kind, each.what) for each in mutants("resource.x == 1 && resource.y")]
    assert found == [
        ("delete rule", "the policy is not there"),
        ("flip effect", "allow -> deny"),
        ("drop role", "a"),
        ("drop role", "b"),
        ("widen pattern", "t:edit -> t:*"),
        ("widen pattern", "t/* -> *"),
        ("drop condition", "the condition is not there"),
        ("negate clause", "resource.x == 1"),
        ("drop clause", "resource.x == 1"),
        ("negate clause", "resource.y"),
        ("drop clause", "resource.y"),
    ]


def test_the_only_role_is_not_dropped_because_that_is_as_deleted():
    assert "drop role" not in {each.kind for each in mutants(roles=["a"])}


@pytest.mark.parametrize(
    ("pattern", "separator", "expected"),
    [
        ("t:edit", ":", "t:*"),
        ("t:edit:all", ":", "t:edit:*"),
        ("t:*", ":", "*"),
        ("*:view", ":", "*:*"),
        ("projects/7/*", "/", "projects/*"),
        ("t/1", "/", "t/*"),
        ("*", "/", ""),
    ],
)
def test_patterns_are_widened_by_a_step(pattern, separator, expected):
    assert wider(pattern, separator) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("context.a && context.b && context.c", ["b && c", "a && c", "a && b"]),
        ("context.a || context.b", ["b", "a"]),
        ("context.a && (context.b || context.c)", ["b || c", "a", "a && c", "a && b"]),
        ("!(context.a && context.b)", ["!b", "!a"]),
        ("context.a ? context.b && context.c : context.d", ["a ? c : d", "a ? b : d"]),
        ("context.l.exists(x, x && context.a)", ["l.exists(x, a)", "l.exists(x, x)"]),
        ("context.a", []),
    ],
)
def test_dropped_clauses(condition, expected):
    found = [text.replace("context.", "") for text, _ in conditions(condition, "drop clause")]
    assert found == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("context.a && context.b", ["!context.a && context.b", "context.a && !context.b"]),
        ("context.x == 1", ["!(context.x == 1)"]),
        ("!context.a || context.b", ["(context.a) || context.b", "!context.a || !context.b"]),
        ("context.a ? true : false", ["!context.a ? true : false"]),
    ],
)
def test_negated_clauses(condition, expected):
    assert [text for text, _ in conditions(condition, "negate clause")] == expected


@pytest.mark.parametrize(
    ("condition", "dropped"),
    [
        ("has(resource.x) && resource.x == 1", "resource.x == 1"),
        ("resource.x in subject.l && has(resource.x)", "resource.x in subject.l"),
        ("has(resource.x) && resource.x.exists(e, e == 1)", "resource.x.exists(e, e == 1)"),
        ("has(resource.x) && resource.x.y == 1 || context.a", "resource.x.y == 1 || context.a"),
    ],
)
def test_a_guard_of_what_fails_without_it_decides_nothing_in_an_allow(condition, dropped):
    assert (dropped, True) in conditions(condition, "drop clause")
    assert (dropped, False) in conditions(condition, "drop clause", effect="deny")


@pytest.mark.parametrize(
    "condition",
    [
        "has(resource.x) && resource.y == 1",
        "has(resource.x) && (resource.x == 1 || context.a)",
        "has(resource.x) && has(resource.x.y)",  # fails too, where nothing could be made of it
        "has(resource.x) && resource.?x.orValue(1) == 1",
        "has(resource.x) && resource.?y.orValue(resource.x) == 1",
        "has(resource.x) && optional.of(1).or(optional.of(resource.x)).hasValue()",
        "!(has(resource.x) && resource.x == 1)",
        "(has(resource.x) && resource.x == 1) == context.a",
        "context.l.all(e, has(resource.x) && resource.x == e)",
    ],
)
def test_a_guard_that_could_decide_is_none(condition):
    found = [
        each.what for each in mutants(condition) if each.kind == "drop clause" and each.equivalent
    ]
    assert found == (["has(resource.x)"] if "has(resource.x.y)" in condition else [])


# -- asking ----------------------------------------------------------------------------------------

POLICIES = """\
policies:
  - id: owners
    effect: allow
    roles: ["*"]
    actions: ["t:edit"]
    resources: ["t/*"]
    condition: resource.owner == subject.id
"""
CASES = """\
cases:
  - name: an owner edits
    subject: user:1
    action: t:edit
    resource: {type: t, id: '1', owner: '1'}
    expect: allow
"""


def asked(name, subject, action, kind):
    """A case that is denied."""
    resource = f"{{type: {kind}, id: '1', owner: '1'}}"
    return (
        f"  - {{name: {name}, subject: {subject}, action: '{action}',"
        f" resource: {resource}, expect: deny}}\n"
    )


def survivors(tmp_path, cases, policies=POLICIES):
    found = mutate(load_suites([write(tmp_path, cases, policies)]))
    return {each.kind for each in found.survivors}


def test_what_no_case_notices_survives(tmp_path):
    assert survivors(tmp_path, CASES) == {"drop condition", "widen pattern"}
    stranger = asked("others do not", "user:2", "t:edit", "t")
    assert survivors(tmp_path, CASES + stranger) == {"widen pattern"}
    others = asked("other verbs", "user:1", "t:do", "t") + asked("others", "user:1", "t:edit", "u")
    assert survivors(tmp_path, CASES + stranger + others) == set()


def test_a_mutant_that_does_not_compile_is_none(tmp_path):
    def bad(policy, parsed):
        yield Mutation("bad", "condition", {**policy, "condition": "1 +"})
        yield Mutation("good", "effect", {**policy, "effect": "deny"})

    bench = Bench(load_suites([write(tmp_path, CASES, POLICIES)]), bad)
    assert [bench.killer(number) for number in range(2)] == [None, "an owner edits"]


def test_the_score_counts_what_could_be_noticed():
    def made(killer, equivalent):
        return Mutant("p", None, Place(), "k", "w", equivalent, killer)

    found = Mutants((made("c", False), made("", False), made("", True), made("c", True)))
    assert found.score == Share(2, 3)
    assert len(found.survivors) == 1


def test_a_mutant_is_noticed_exactly_if_a_case_fails_with_it_in_the_files():
    """The same verdict as that of the files with the mutant written into them."""
    (suite,) = load_suites([str(ROOT / "policies" / "taskman" / "comments_test.yaml")])
    found = {(m.policy, m.kind, m.what): m for m in mutate([suite]).mutants}
    policies = [
        (name, document, number)
        for name, text in suite.documents
        for document in read(name, text).documents
        for number in range(len(document.get("policies", ())))
    ]
    asked = 0
    for name, document, number in random.Random(7).sample(policies, 8):
        policy = document["policies"][number]
        condition = policy.get("condition")
        parsed = policy_env().parse(condition.rstrip()) if condition else None
        for mutation in mutations(policy, parsed):
            changed = list(document["policies"])
            changed[number : number + 1] = [mutation.policy] if mutation.policy else []
            texts = dict(suite.documents)
            texts[name] = json.dumps({**document, "policies": changed})
            mutated = msgspec.structs.replace(suite, policies=compile_documents(texts.items()))
            failed = [case for case in suite.cases if not run_case(mutated, case).passed]
            asked += 1
            mutant = found[policy["id"], mutation.kind, mutation.what]
            assert bool(mutant.killer) == bool(failed), mutant
    assert asked > 50


def test_what_is_told_equivalent_decides_every_request_as_before():
    suites = load_suites([str(ROOT / "policies" / "taskman")])
    bench = Bench(suites)
    equivalent = [n for n, (_, mutation) in enumerate(bench.mutations) if mutation.equivalent]
    assert len(equivalent) > 5
    rows = list(dict.fromkeys(bench.mutations[number][0] for number in equivalent))
    places = templates([bench.policies], 1_768_473_000_000_000_000, rows)
    for number in equivalent:
        row = bench.mutations[number][0]
        mine = [each for each in places if concerns(each.request, [row])]
        for request in requests(mine, 200, number):
            before = authorize(bench.policies, request)
            after = bench.decision(number, bench.candidates(request), request)
            assert after.allowed == before.allowed
