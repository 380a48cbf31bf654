"""A search finds exactly what a check of each would allow, page by page."""

from __future__ import annotations

from functools import partial
from itertools import chain

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import RequestError, Schema, authorize, compile_documents, make_request
from taskman_authz.attributes import Entities, StoredEntity, complete
from taskman_authz.pdp.paging import make_token, read_token
from taskman_authz.pdp.search import (
    OFTEN,
    Bounds,
    KnownActions,
    find_actions,
    find_resources,
    find_subjects,
)
from taskman_authz.policy import bundle, change

TEXT = """\
policies:
  - {id: everyone, effect: allow, roles: ["*"], actions: ["tasks:view"], resources: ["tasks/*"]}
  - id: owners
    effect: allow
    roles: [developer]
    actions: ["tasks:*"]
    resources: ["tasks/*"]
    condition: resource.owner == subject.id
  - id: one
    effect: allow
    roles: [guest]
    actions: ["*:comment"]
    resources: ["tasks/1", "notes/*"]
  - id: acme
    effect: allow
    roles: [admin]
    actions: ["*"]
    resources: ["*"]
    condition: company_id == 'acme'
  - id: closed
    effect: deny
    roles: ["*"]
    actions: ["tasks:edit", "tasks:delete", "reports:export"]
    resources: ["tasks/*"]
    condition: resource.closed && !subject.roles.contains('admin')
"""
# Many rules of one place, so that the index chooses among them by what they require.
MANY = "policies:\n" + "".join(
    f"""\
  - id: p{number}
    effect: {"deny" if number % 3 == 0 else "allow"}
    roles: [developer]
    actions: ["notes:read"]
    resources: ["notes/*"]
    condition: resource.owner == 'u{number % 40}' && subject.level < {number % 4}
"""
    for number in range(120)
)
POLICIES = compile_documents([("a.yaml", TEXT), ("b.yaml", MANY)])
ACTIONS = KnownActions(POLICIES)
NOW = 1_767_000_000_000_000_000

COMPANY = st.sampled_from([None, None, "acme", "initech"])
ID = st.sampled_from(["1", "2", "u1", "u2", "u3", "u6", "z"])


def entities(properties, types):
    one = st.builds(StoredEntity, st.sampled_from(types), ID, properties, COMPANY)
    return st.lists(one, max_size=12, unique_by=lambda each: (each.type, each.id))


LEVEL = st.sampled_from([0, 1, 2, "x"])
SUBJECT = st.fixed_dictionaries(
    {},
    optional={"roles": st.lists(st.sampled_from(["developer", "guest", "admin"])), "level": LEVEL},
)
RESOURCE = st.fixed_dictionaries({}, optional={"owner": ID, "closed": st.booleans()})
ENTITIES = st.builds(
    Entities, entities(SUBJECT, ["user", "group"]), entities(RESOURCE, ["tasks", "notes"])
)


def with_id(attributes, types, id=ID):
    named = {"type": st.sampled_from(types), "id": id}
    return st.builds(
        lambda names, rest: {**rest, **names}, st.fixed_dictionaries(named), attributes
    )


NAMES = [*ACTIONS.of("tasks"), *ACTIONS.of("notes"), "other:verb"]
REQUEST = st.builds(
    partial(make_request, context=None, now=NOW),
    subject=with_id(SUBJECT, ["user"]),
    action=st.sampled_from(NAMES),
    resource=with_id(RESOURCE, ["tasks", "notes"]),
    company_id=COMPANY,
)
BOUNDS = st.builds(Bounds, st.integers(1, 4), st.integers(1, 4))


def pages(find, request, bounds):
    """All that is found, page by page; no page holds more than was asked for."""
    after, found = "", []
    while after is not None:
        page = find(request=request, bounds=bounds, after=after)
        assert len(page.names) <= bounds.found
        assert page.after is None or page.after > after
        found.append(page.names)
        after = page.after
    return list(chain.from_iterable(found))


def allowed(known, request):
    return bool(authorize(POLICIES, complete(request, known)))


@given(ENTITIES, REQUEST, BOUNDS)
def test_subjects_are_those_that_a_check_allows(known, request, bounds):

    find = partial(
        find_subjects, POLICIES, entities=known, complete=lambda asked: complete(asked, known)
    )
    assert pages(find, request, bounds) == [
        each.id
        for each in known.of_type("subject", "user", request.company_id)
        if allowed(known, msgspec.structs.replace(request, roles=None, subject_id=each.id))
    ]


@given(ENTITIES, REQUEST, BOUNDS)
def test_resources_are_those_that_a_check_allows(known, request, bounds):

    find = partial(
        find_resources, POLICIES, entities=known, complete=lambda asked: complete(asked, known)
    )
    assert pages(find, request, bounds) == [
        each.id
        for each in known.of_type("resource", request.resource_type, request.company_id)
        if allowed(known, msgspec.structs.replace(request, roles=None, resource_id=each.id))
    ]


@given(ENTITIES, REQUEST, BOUNDS)
def test_actions_are_those_that_a_check_allows(known, request, bounds):

    names = ACTIONS.of(request.resource_type)
    find = partial(
        find_actions, POLICIES, actions=names, complete=lambda asked: complete(asked, known)
    )
    assert pages(find, request, bounds) == [
        name
        for name in names
        if allowed(known, msgspec.structs.replace(request, roles=None, action=name))
    ]


def test_actions_are_known_by_the_kinds_that_rules_name_them_with():
    assert ACTIONS.of("tasks") == (
        "reports:export",
        "tasks:comment",
        "tasks:delete",
        "tasks:edit",
        "tasks:view",
    )
    assert ACTIONS.of("notes") == ("notes:comment", "notes:read")
    assert ACTIONS.of("reports") == ("reports:export",)
    assert ACTIONS.of("spaceship") == ()


SCHEMA = "resources: {tasks: {actions: [edit, archive]}}"
WIDE = """\
policies:
  - {id: all, effect: allow, roles: ["*"], actions: ["tasks:*"], resources: ["tasks/*"]}
"""


def test_actions_of_a_schema_are_known_in_a_bundle_and_after_a_change_too():
    policies = compile_documents([("schema.yaml", SCHEMA), ("wide.yaml", WIDE)])
    assert KnownActions(policies).of("tasks") == ("tasks:archive", "tasks:edit")
    assert KnownActions(bundle.read(bundle.write(policies))).of("tasks") == (
        "tasks:archive",
        "tasks:edit",
    )
    schema = Schema.of(resources={"tasks": (["edit"], {})})
    policies = compile_documents([("wide.yaml", WIDE)], schema=schema)
    changed = change(policies, [("wide.yaml", WIDE.replace("allow", "deny"))], schema=schema)
    assert KnownActions(changed).of("tasks") == ("tasks:edit",)


def test_a_caller_that_runs_out_of_time_ends_a_page():
    many = Entities([], [StoredEntity("tasks", f"{number:04}", {}) for number in range(1_000)])
    request = make_request("user:1", "tasks:view", "tasks/1")
    looks = iter([True, False])
    bounds = Bounds(1_000, 1_000, lambda: next(looks))
    page = find_resources(POLICIES, request, many, lambda asked: asked, bounds)
    assert len(page.names) == 2 * OFTEN - 1
    assert page.after == page.names[-1]


def test_what_no_rule_can_grant_is_not_decided_about(monkeypatch):
    decided = []
    monkeypatch.setattr("taskman_authz.pdp.search.authorize", lambda *asked: decided.append(asked))
    known = Entities([StoredEntity("user", f"{n}", {"roles": ["guest"]}) for n in range(9)])
    request = make_request("user:1", "tasks:delete", "tasks/1")
    page = find_subjects(
        POLICIES, request, known, lambda asked: complete(asked, known), Bounds(9, 9)
    )
    assert page.names == ()
    assert decided == []


REQUESTS = {
    "as it was": {},
    "another company": {"company_id": "acme"},
    "another subject": {"subject": {"type": "user", "id": "1", "level": 2}},
    "another action": {"action": "tasks:edit"},
    "another context": {"context": {"ip": "x"}},
    "another type": {"resource": "notes/1"},
}


def asked(subject=None, action="tasks:view", resource="tasks/1", **rest):
    return make_request(
        subject or {"type": "user", "id": "1", "level": 1}, action, resource, **rest
    )


@pytest.mark.parametrize("other", REQUESTS)
def test_a_token_fits_one_request_only(other):
    token = make_token("resource", asked(now=1), "tasks \u00e9")
    same = asked(**REQUESTS[other], now=2)
    if other == "as it was":
        assert read_token("resource", same, token) == "tasks \u00e9"
        assert read_token("resource", asked(resource="tasks/2"), token) == "tasks \u00e9"
    else:
        with pytest.raises(RequestError, match=r"^page.token: the token of another request$"):
            read_token("resource", same, token)
    with pytest.raises(RequestError, match="another request"):
        read_token("subject", same, token)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda data: data.hex()))
def test_what_is_no_token_is_refused(text):
    with pytest.raises(RequestError, match=r"^page.token: "):
        read_token("resource", asked(), text)
