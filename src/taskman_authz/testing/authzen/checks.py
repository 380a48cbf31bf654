"""What is asked of a decision point that knows the fixture, and what is expected.

A check is one question and one expectation; the few that need more are functions (`dialogues`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .asking import Point
from .expecting import Expectation, decision, decisions, echoed, no_results, refused, results

BASIC_CORE = "Basic Core"
BASIC_PROPERTIES = "Basic Properties"
BATCH_CORE = "Batch Core"
BATCH_PROPERTIES = "Batch Properties"
SEARCH_CORE = "Search Core"
SEARCH_PROPERTIES = "Search Properties"
DISCOVERY = "Discovery"
LEVELS = (
    BASIC_CORE,
    BASIC_PROPERTIES,
    BATCH_CORE,
    BATCH_PROPERTIES,
    SEARCH_CORE,
    SEARCH_PROPERTIES,
    DISCOVERY,
)

SPEC = "spec"
EVALUATION = "access_evaluation_endpoint"
EVALUATIONS = "access_evaluations_endpoint"
SUBJECTS = "search_subject_endpoint"
RESOURCES = "search_resource_endpoint"
ACTIONS = "search_action_endpoint"

Body = dict[str, Any]


class Wrong(NamedTuple):
    """What was expected, and what was found."""

    expected: str
    found: str


class Check(NamedTuple):
    """`run` gives what is wrong, or None. `reference` is the section of the scenario, or SPEC; one
    that is `advice` fails no level."""

    level: str
    reference: str
    title: str
    run: Callable[[Point], Wrong | None]
    advice: bool = False


def entity(type: str, id: str | None = None, **properties: Any) -> Body:
    """A subject or a resource."""
    named = {"type": type} if id is None else {"type": type, "id": id}
    return {**named, "properties": properties} if properties else named


def action(name: str, **properties: Any) -> Body:
    """An action."""
    return {"name": name, "properties": properties} if properties else {"name": name}


ALICE, BOB = entity("user", "alice"), entity("user", "bob")
ADMIN = entity("user", "bob", role="admin")
RECORD, OTHER = entity("record", "record-1"), entity("record", "record-2")
ACTIVE = entity("record", "record-1", status="active")
ARCHIVED = entity("record", "record-2", status="archived")
READ, WRITE = action("read"), action("write")
CONTEXT = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
GOOD = {"subject": ALICE, "action": READ, "resource": RECORD}


def question(subject: Any, action: Any, resource: Any, **others: Any) -> Body:
    """An evaluation."""
    return {"subject": subject, "action": action, "resource": resource, **others}


def asked(
    endpoint: str,
    body: Any,
    expectation: Expectation,
    headers: Mapping[str, str] | None = None,
) -> Callable[[Point], Wrong | None]:
    """What runs a check of one question."""

    def run(point: Point) -> Wrong | None:
        found = expectation.judge(point.post(endpoint, body, headers))
        return Wrong(expectation.words, found) if found else None

    return run


def basic() -> Iterator[Check]:
    """Access Evaluation."""
    deny, context = question(BOB, WRITE, RECORD), {**GOOD, "context": CONTEXT}
    rich = question(
        entity("user", "alice", department="Sales", role="manager"),
        action("read", method="GET"),
        entity("record", "record-1", status="active", owner="bob"),
    )
    deep = question(
        {**ALICE, "x": 1}, {**READ, "x": [1]}, {**RECORD, "x": None}, context={}, futureField={}
    )
    core: list[tuple[str, str, Any, Expectation]] = [
        ("2.2.1", "alice reads record-1", GOOD, decision(True)),
        ("1.4.2", "alice writes record-1", question(ALICE, WRITE, RECORD), decision(True)),
        ("1.4.3", "bob reads record-1", question(BOB, READ, RECORD), decision(True)),
        ("2.2.2", "bob does not write record-1; a no is 200", deny, decision(False)),
        ("2.2.3", "a context changes nothing", context, decision(True)),
        ("2.2.8", "additional properties", rich, decision(True)),
        ("2.2.9", "unknown fields", {**GOOD, "foo": "bar", "futureField": {}}, decision(True)),
        (SPEC, "unknown fields within entities", deep, decision(True)),
    ]
    for reference, title, body, expectation in core:
        yield Check(BASIC_CORE, reference, title, asked(EVALUATION, body, expectation))
    yield from _refusals()
    properties = [
        ("2.2.4", "alice does not write what is archived", ALICE, WRITE, ARCHIVED, False),
        ("2.2.5", "an admin writes what is archived", ADMIN, WRITE, ARCHIVED, True),
        ("2.2.6", "alice deletes softly", ALICE, action("delete", soft=True), RECORD, True),
        ("2.2.7", "alice does not delete", ALICE, action("delete", soft=False), RECORD, False),
    ]
    for reference, title, subject, verb, resource, allowed in properties:
        run = asked(EVALUATION, question(subject, verb, resource), decision(allowed))
        yield Check(BASIC_PROPERTIES, reference, title, run)


def _refusals() -> Iterator[Check]:
    """What cannot be understood, and headers."""
    for name in GOOD:
        body: Any = {key: value for key, value in GOOD.items() if key != name}
        run = asked(EVALUATION, body, refused())
        yield Check(BASIC_CORE, "2.4.1", f"without `{name}`", run)
        for key in GOOD[name]:
            part = {field: value for field, value in GOOD[name].items() if field != key}
            run = asked(EVALUATION, {**GOOD, name: part}, refused())
            yield Check(BASIC_CORE, "2.4.2", f"without `{name}.{key}`", run)
    wrong: list[tuple[str, str, Any]] = [
        ("2.4.4", "malformed JSON", b'{"subject": '),
        ("2.4.5", "an empty body", b""),
        ("2.4.6", "a subject that is a string", {**GOOD, "subject": "alice"}),
        ("2.4.6", "an action whose name is a number", {**GOOD, "action": {"name": 123}}),
        (SPEC, "a body that is a list", [GOOD]),
        (SPEC, "a body that is not UTF-8", b'{"subject": "\xff"}'),
        (SPEC, "a context that is a list", {**GOOD, "context": [1]}),
    ]
    for reference, title, body in wrong:
        yield Check(BASIC_CORE, reference, title, asked(EVALUATION, body, refused()))
    text = {"Content-Type": "text/plain"}
    yield Check(BASIC_CORE, "2.4.3", "another media type", asked(EVALUATION, GOOD, refused(), text))
    given = {"X-Request-ID": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"}
    echo = echoed(given["X-Request-ID"])
    yield Check(BASIC_CORE, "2.5.1", "the request's id", asked(EVALUATION, GOOD, echo, given))
    run = asked(EVALUATION, {}, echo, given)
    yield Check(BASIC_CORE, SPEC, "the request's id where it is refused", run)
    twice = b'{"subject": {"type": "user", "id": "bob", "id": "alice"}, "action": {"name": "read"},'
    twice += b' "resource": {"type": "record", "id": "record-1"}}'
    title = "a name twice in one object (I-JSON)"
    yield Check(BASIC_CORE, SPEC, title, asked(EVALUATION, twice, refused()), True)


def batch() -> Iterator[Check]:
    """Access Evaluations."""
    r1, r2 = {"resource": RECORD}, {"resource": OTHER}
    reading = {"subject": ALICE, "action": READ}
    read_write = [{"action": READ}, {"action": WRITE}]
    whole = [GOOD, question(BOB, WRITE, RECORD)]
    inherited = [r1, {**r2, "context": {"source": "batch-override"}}]
    core: list[tuple[str, str, Body, Expectation]] = [
        ("3.2.1", "two items", {**reading, "evaluations": [r1, r2]}, decisions(None, None)),
        (
            "3.2.2",
            "in their order",
            {"subject": BOB, "resource": RECORD, "evaluations": read_write},
            decisions(True, False),
        ),
        ("3.2.5", "without defaults", {"evaluations": whole}, decisions(True, False)),
        (
            "3.2.6",
            "contexts",
            {**reading, "context": CONTEXT, "evaluations": inherited},
            decisions(None, None),
        ),
        (
            "3.4.1",
            "an item that cannot be asked",
            {**reading, "evaluations": [r1, {}]},
            decisions(True, False),
        ),
        ("3.4.2", "no items", GOOD, decision(True)),
        ("3.4.3", "an empty list of items", {**GOOD, "evaluations": []}, decision(True)),
        (
            SPEC,
            "options that nobody knows",
            {**GOOD, "evaluations": [{}], "options": {"x": 1}},
            decisions(True),
        ),
        (SPEC, "items that are no list", {**GOOD, "evaluations": {}}, refused()),
    ]
    for reference, title, body, expectation in core:
        yield Check(BATCH_CORE, reference, title, asked(EVALUATIONS, body, expectation))
    for semantic, order in (
        ("execute_all", (True, False, True)),
        ("deny_on_first_deny", (True, False)),
        ("permit_on_first_permit", (True,)),
    ):
        items = [GOOD, question(BOB, WRITE, RECORD), GOOD]
        body = {"evaluations": items, "options": {"evaluations_semantic": semantic}}
        run = asked(EVALUATIONS, body, decisions(*order))
        yield Check(BATCH_CORE, SPEC, f"`{semantic}`", run, semantic != "execute_all")
    yield from _batch_properties()


def _batch_properties() -> Iterator[Check]:
    writing = {"subject": ALICE, "action": WRITE}
    pair = [{"resource": ACTIVE}, {"resource": ARCHIVED}]
    people = [{"subject": ALICE}, {"subject": ADMIN}]
    lacking = {"id": "record-1", "properties": {"status": "active"}}
    merged = [{"resource": lacking}, {"resource": ARCHIVED}]
    half: Body = {**writing, "resource": {"type": "record"}, "evaluations": merged}
    # The default's `soft` must not reach the item, whose action is another object.
    deleting = question(ALICE, action("delete", soft=True), RECORD)
    replaced = {**deleting, "evaluations": [{}, {"action": {"name": "delete"}}]}
    for reference, title, body, expected in (
        ("3.2.3", "properties of resources", {**writing, "evaluations": pair}, (True, False)),
        (
            "3.2.4",
            "properties of subjects",
            {"action": WRITE, "resource": ARCHIVED, "evaluations": people},
            (False, True),
        ),
        (SPEC, "an item's object replaces the default's", replaced, (True, False)),
    ):
        yield Check(
            BATCH_PROPERTIES, reference, title, asked(EVALUATIONS, body, decisions(*expected))
        )
    run = asked(EVALUATIONS, half, decisions(True, False))
    title = "a `type` that an item lacks is the default's"
    yield Check(BATCH_PROPERTIES, "3.2.7", title, run, True)


def searches() -> Iterator[Check]:
    """Subject, Resource and Action Search."""
    users, records = entity("user"), entity("record")
    who, what = question(users, READ, RECORD), question(ALICE, READ, records)
    which = {"subject": ALICE, "resource": RECORD}
    user, record = "user", "record"
    both = results(["alice", "bob"], user)
    ship, nobody = entity("spaceship"), entity("user", "nonexistent-user")
    verbs = results(["read", "write"], key="name")
    core: list[tuple[str, str, str, Body, Expectation]] = [
        ("4.2.1", "who reads record-1", SUBJECTS, who, both),
        ("4.2.2", "subjects, with a context", SUBJECTS, {**who, "context": CONTEXT}, both),
        (SPEC, "an id of who is sought", SUBJECTS, {**who, "subject": ALICE}, both),
        ("4.3.1", "what alice reads", RESOURCES, what, results(["record-1"], record)),
        ("4.4.1", "what alice may do", ACTIONS, which, verbs),
        ("4.4.2", "actions, with a context", ACTIONS, {**which, "context": CONTEXT}, verbs),
        ("4.5.1", "a page", SUBJECTS, {**who, "page": {"limit": 1}}, results([], user)),
        ("4.6.1", "nobody known", ACTIONS, {**which, "subject": nobody}, no_results()),
        ("4.6.2", "no type known", SUBJECTS, {**who, "subject": ship}, no_results()),
        (SPEC, "no kind known", RESOURCES, {**what, "resource": ship}, no_results()),
        ("4.7.1", "without `action`", SUBJECTS, _without(who, "action"), refused()),
        ("4.7.1", "without `subject`", RESOURCES, _without(what, "subject"), refused()),
        ("4.7.1", "without `resource`", ACTIONS, _without(which, "resource"), refused()),
        ("4.7.2", "a resource without `id`", SUBJECTS, {**who, "resource": records}, refused()),
        ("4.7.2", "a subject without `id`", RESOURCES, {**what, "subject": users}, refused()),
        (SPEC, "a negative `limit`", SUBJECTS, {**who, "page": {"limit": -1}}, refused()),
    ]
    for reference, title, endpoint, body, expectation in core:
        advice = title == "a negative `limit`"
        yield Check(SEARCH_CORE, reference, title, asked(endpoint, body, expectation), advice)
    deciding = {"subject": ADMIN, "resource": ARCHIVED}
    properties: list[tuple[str, str, str, Body, Expectation]] = [
        (
            "4.2.4",
            "who writes what is archived",
            SUBJECTS,
            question(users, WRITE, ARCHIVED),
            results(["bob"], user),
        ),
        (
            "4.3.3",
            "what an admin writes",
            RESOURCES,
            question(ADMIN, WRITE, records),
            results(["record-2"], record),
        ),
        ("4.4.3", "what an admin may do", ACTIONS, deciding, results(["write"], key="name")),
    ]
    for reference, title, endpoint, body, expectation in properties:
        yield Check(SEARCH_PROPERTIES, reference, title, asked(endpoint, body, expectation))


def _without(body: Body, name: str) -> Body:
    return {key: value for key, value in body.items() if key != name}
