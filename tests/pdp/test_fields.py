"""Questions that are decided as their messages have them are decided as the requests that they are,
whatever they share with each other and with what is remembered of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import (
    PDP,
    CheckRequest,
    Limits,
    RequestError,
    authorize,
    compile_documents,
)
from taskman_authz._fast import COMPILED
from taskman_authz._fast.native.sifting import LONGEST, NEAR
from taskman_authz.limits import DEFAULT
from taskman_authz.pdp import Batch, together
from taskman_authz.policy import PolicySet
from taskman_authz.request import make_request
from taskman_authz.testing.strategies import requests
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import read_batch, read_check, write_batch, write_check

SHIPPED = PDP.from_path(Path(__file__).parents[2] / "policies" / "taskman").policies
QUESTIONS = requests(SHIPPED, now=0)
# Groups of conditions, ids in patterns, and a loop.
DOCUMENT: dict[str, Any] = {
    "policies": [
        {
            "id": f"p{number}",
            "effect": "allow" if number % 3 else "deny",
            "roles": ["*"],
            "actions": ["tasks:*"],
            "resources": ["tasks/*" if number % 2 else "tasks/1*"],
            "condition": f"resource.owner == 'u{number % 5}'",
        }
        for number in range(40)
    ]
    + [
        {
            "id": "loop",
            "effect": "allow",
            "roles": ["developer"],
            "actions": ["*"],
            "resources": ["*"],
            "condition": "subject.roles.exists(r, r == resource.owner) && context.ip != ''"
            " && action.x == 1 && now > timestamp('2000-01-01T00:00:00Z')",
        }
    ]
}
OTHERS = compile_documents([("p.yaml", json.dumps(DOCUMENT))])
NOW = 1_767_312_000 * 10**9


def yes() -> bool:
    """There is time."""
    return True


def compare(policies: PolicySet, data: bytes, batch: Batch | None = None) -> int:
    """Decide both ways, where there are both, and again, remembering. How many items were decided
    in their usual form."""
    batch = batch or together(policies)
    if batch.reads_now:
        batch.begin(NOW)
    found = batch.answers(data, DEFAULT.batch_size, yes)
    if found is None:
        return 0
    items = read_batch(data)
    assert len(found.decisions) == len(found.companies) == len(items)
    assert not found.is_late
    for decision, company, item in zip(found.decisions, found.companies, items, strict=True):
        assert isinstance(item, CheckRequest), item
        assert decision == authorize(policies, msgspec.structs.replace(item, now=NOW))
        assert company == item.company_id
    for _ in range(2):
        again = batch.answers(data, DEFAULT.batch_size, yes)
        assert again is not None
        assert (again.decisions, again.companies) == (found.decisions, found.companies)
    return len(items)


def compare_alone(policies: PolicySet, data: bytes, batch: Batch) -> bool:
    """The same of the bytes of a CheckRequest."""
    if batch.reads_now:
        batch.begin(NOW)
    answer = batch.answer(data)
    if answer is None:
        return False
    request = msgspec.structs.replace(read_check(data), now=NOW)
    assert answer.outcome.decision == authorize(policies, request)
    assert answer.company == request.company_id
    return True


@st.composite
def batches(draw: st.DrawFn) -> list[CheckRequest]:
    """Items made of the parts of a few questions, so that neighbours share some."""
    few = draw(st.lists(QUESTIONS, min_size=1, max_size=3))
    one = st.sampled_from(few)
    items = []
    for _ in range(draw(st.integers(1, 6))):
        asker, verb, asked, around = draw(one), draw(one), draw(one), draw(one)
        items.append(
            msgspec.structs.replace(
                asker,
                action=verb.action,
                action_attributes=verb.action_attributes,
                resource_type=asked.resource_type,
                resource_id=asked.resource_id,
                resource=asked.resource,
                context=around.context,
                company_id=around.company_id,
            )
        )
    return items


# What is remembered of one example must be right in all others.
REMEMBERING, OTHERS_REMEMBERING = together(SHIPPED), together(OTHERS)


@given(batches())
def test_a_batch_is_decided_as_the_requests_that_its_items_are(items):
    data, errors = write_batch(items)
    assert compare(SHIPPED, data) == errors.count(None)
    assert compare(SHIPPED, data, REMEMBERING) == errors.count(None)
    for item, error in zip(items, errors, strict=True):
        if error is None:
            assert compare_alone(SHIPPED, write_check(item), REMEMBERING)


@given(st.data())
def test_that_holds_where_groups_loops_and_ids_are_concerned(data):
    about = st.builds(
        lambda subject, action, owner, id, context, company: CheckRequest(
            "user",
            "1",
            f"tasks:{action}",
            "tasks",
            id,
            subject={"roles": subject},
            action_attributes={"x": 1} if action == "a" else None,
            resource={"owner": owner},
            context=context,
            company_id=company,
            now=0,
        ),
        st.sampled_from([["developer"], ["developer", "u1"], ["viewer"], []]),
        st.sampled_from("ab"),
        st.sampled_from(["u0", "u1", "u2", "u9"]),
        st.sampled_from(["1", "12", "2"]),
        st.sampled_from([{}, {"ip": ""}, {"ip": "10.0.0.1"}]),
        st.sampled_from([None, "acme"]),
    )
    items = data.draw(st.lists(about, min_size=1, max_size=8))
    sent, errors = write_batch(items)
    assert compare(OTHERS, sent) == errors.count(None) == len(items)
    assert compare(OTHERS, sent, OTHERS_REMEMBERING) == len(items)


@given(batches(), st.data())
def test_bytes_that_were_changed_are_decided_as_the_requests_that_they_are(items, data):
    sent = bytearray(write_batch(items)[0])
    for _ in range(data.draw(st.integers(1, 4)) if sent else 0):
        place = data.draw(st.integers(0, len(sent) - 1))
        sent[place] = data.draw(st.integers(0, 255))
    try:
        compare(SHIPPED, bytes(sent), REMEMBERING)
    except RequestError:
        return  # no batch at all


@given(batches(), st.data())
def test_a_question_whose_bytes_were_changed_is_decided_as_the_request_that_it_is(items, data):
    try:
        whole = write_check(items[0])
    except RequestError:
        return
    assert compare_alone(SHIPPED, whole, REMEMBERING)
    sent = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(sent) - 1))
        change = data.draw(st.sampled_from(["set", "cut", "double"]))
        if change == "set":
            sent[place] = data.draw(st.integers(0, 255))
        else:
            end = min(len(sent), place + data.draw(st.integers(1, 30)))
            sent[place:end] = b"" if change == "cut" else sent[place:end] * 2
        if not sent:
            return
    try:
        compare_alone(SHIPPED, bytes(sent), REMEMBERING)
    except RequestError as error:
        raise AssertionError("what is no question was answered") from error


def test_each_item_has_its_own_steps():
    loops = {**DOCUMENT["policies"][0], "effect": "allow", "resources": ["*"]}
    loops["condition"] = "resource.list.all(x, x == 1)"
    limits = Limits(decision_steps=1_000)
    policies = compile_documents([("p.yaml", json.dumps({"policies": [loops]}))], limits)
    items = [
        make_request("user:1", "tasks:a", {"type": "tasks", "id": f"{n}", "list": [1] * size})
        for n, size in enumerate([100, 100, 500, 100, 100, 100, 100, 100, 100])
    ]
    assert compare(policies, write_batch(items)[0]) == len(items)
    assert [bool(authorize(policies, item)) for item in items].count(False) == 1


def test_a_context_of_texts_is_not_that_of_the_next_item():
    items = [pb.CheckRequest(subject="user:1", action="tasks:b", resource="tasks/1")] * 3
    for item in items:
        item.subject_properties.update({"roles": ["developer"]})
    items = [pb.CheckRequest.FromString(item.SerializeToString()) for item in items]
    items[1].context["ip"] = "10.0.0.1"
    policy = {**DOCUMENT["policies"][0], "effect": "allow", "resources": ["*"]}
    policy["condition"] = "context.ip == '10.0.0.1'"
    policies = compile_documents([("p.yaml", json.dumps({"policies": [policy]}))])
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    assert compare(policies, data) == 3
    found = together(policies).answers(data, 3, yes)
    assert found is not None
    assert [bool(each) for each in found.decisions] == [False, True, False]


# -- what is remembered ------------------------------------------------------------------------


def kept(batch: Batch) -> int:
    """How many answers are."""
    sieve = batch.sieve
    if not COMPILED:  # the count is of what is there
        assert sieve.kept == sum(len(found) for found in sieve.known.values())
    return sieve.kept


def question(id: str = "1", when: str = "", **properties: Any) -> bytes:
    """About a task with some properties."""
    around = {"when": when} if when else {}
    resource = {"type": "tasks", "id": id, **properties}
    return write_check(make_request({"type": "user", "id": "1"}, "tasks:a", resource, around))


def policies_of(condition: str, resource: str = "tasks/*") -> PolicySet:
    """One policy for all that may be done with these tasks."""
    policy = {**DOCUMENT["policies"][0], "effect": "allow", "resources": [resource]}
    policies = {"policies": [{**policy, "condition": condition}]}
    return compile_documents([("p.yaml", json.dumps(policies))])


def is_allowed(batch: Batch, data: bytes) -> bool:
    """What is decided on it. It is asked again, and again: for what is asked once is not
    remembered."""
    found = set()
    for _ in range(3):
        answer = batch.answer(data)
        assert answer is not None
        found.add(bool(answer.outcome.decision))
    (allowed,) = found
    return allowed


UNREAD = [
    {"title": "a"},
    {"title": "ñandú", "tags": ["a", {"b": [None, True, 1.5]}], "": {}},
    {"tags": [[[[]]]], "priority": -1, "private": False, "zzz": None},
]


@pytest.mark.parametrize("unread", UNREAD)
def test_questions_that_differ_in_what_nothing_reads_are_answered_from_memory(unread):
    batch = together(policies_of("resource.owner == 'u1'"))
    assert is_allowed(batch, question(owner="u1"))
    assert kept(batch) == 1
    assert is_allowed(batch, question("another", owner="u1", **unread))
    assert kept(batch) == 1
    assert not is_allowed(batch, question(owner="u2", **unread))
    assert kept(batch) == 2


def test_a_name_that_is_as_long_as_one_that_is_read_and_begins_and_ends_alike_is_none():
    batch = together(policies_of("resource.owner == 'u1'"))
    for other in ("u1", "u2"):
        assert not is_allowed(batch, question(owner="u2", oxxer=other))
        assert is_allowed(batch, question(owner="u1", oxxer=other))
    assert kept(batch) == 2


def field(tag: int, data: bytes) -> bytes:
    """Of a message."""
    return bytes([tag, len(data)]) + data


def entry(value: bytes, key: bytes = b"other") -> bytes:
    """Of a Struct."""
    return field(0x0A, field(0x0A, key) + field(0x12, value))


def nested(levels: int) -> bytes:
    """Lists within each other, around a null."""
    value = b"\x08\0"
    for _ in range(levels):
        value = field(0x32, field(0x0A, value))
    return value


@pytest.mark.parametrize(
    ("resource", "unread"),
    [
        (b"tasks/\xff", b""),
        (b"tasks/", b""),
        (b"tasks", b""),
        (b"tasks/1", entry(b"\x1a\1\xff")),  # a text that is none
        (b"tasks/1", entry(b"\x08\0", b"\xff")),
        (b"tasks/1", entry(b"")),
        (b"tasks/1", entry(b"\x20\2")),
        (b"tasks/1", entry(b"\x20\1\1")),
        (b"tasks/1", entry(b"\x08\1")),
        (b"tasks/1", entry(b"\x11" + bytes(7))),
        (b"tasks/1", entry(b"\x11" + bytes(9))),
        (b"tasks/1", entry(b"\x1a\2a")),
        (b"tasks/1", entry(b"\x1a\0a")),
        (b"tasks/1", entry(b"\x2a\2\x0a\0")),  # an entry without a key
        (b"tasks/1", entry(b"\x2a\4\x0a\2\x0a\0")),  # and without a value
        (b"tasks/1", entry(field(0x2A, entry(b"\x08\0", b"\xff")))),
        (b"tasks/1", entry(field(0x2A, entry(b"\x08\1")))),
        (b"tasks/1", entry(b"\x32\1\x0a")),
        (b"tasks/1", entry(b"\x32\4\x0b\2\x08\0")),
        (b"tasks/1", entry(field(0x32, field(0x0A, b"\x20\2")))),
        (b"tasks/1", entry(b"\x08\0" * 2)),
        (b"tasks/1", entry(b"\x42\0")),  # no kind of value
        (b"tasks/1", entry(b"\x08\0") + b"\x12\0"),
        (b"tasks/1", entry(b"\x08\0") + b"\x0a"),
        (b"tasks/1", field(0x0A, field(0x0A, b"other"))),
        (b"tasks/1", field(0x0A, field(0x0A, b"other") + b"\x1a\2\x08\0")),
        (b"tasks/1", field(0x0A, b"\x0a\x80\x80\x80\x80\0")),
        (b"tasks/1", entry(nested(3))),
    ],
)
def test_what_is_not_in_its_usual_form_is_not_answered_from_memory(resource, unread):
    batch = together(policies_of("resource.owner == 'u1'"), Limits(property_depth=3))

    def asked(resource: bytes, unread: bytes) -> bytes:
        properties = entry(b"\x1a\2u1", b"owner") + unread
        parts = [field(0x0A, b"user:1"), field(0x12, b"tasks:a")]
        return b"".join([*parts, field(0x1A, resource), field(0x3A, properties)])

    assert is_allowed(batch, asked(b"tasks/1", entry(nested(2))))
    assert batch.answer(asked(resource, unread)) is None
    assert kept(batch) == 1


@pytest.mark.parametrize("length", [*range(1, 26), 130])
def test_a_byte_that_is_no_text_is_found_wherever_it_is(length):
    batch = together(policies_of("resource.owner == 'u1'"))
    data = question(owner="u1", title="x" * length)
    assert is_allowed(batch, data)
    for place in range(length):
        sent = bytearray(data)
        sent[data.index(b"x" * length) + place] = 0xFF
        assert batch.answer(bytes(sent)) is None
    text = "x" * (length - 1) + "é"
    assert is_allowed(batch, question(owner="u1", title=text))
    assert kept(batch) == 1


@given(st.data())
def test_whatever_bytes_are_changed_memory_answers_as_what_remembers_nothing_does(data):
    values = st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        ),
        max_leaves=4,
    )
    policies = policies_of("resource.owner == 'u1'")
    batch, forgetful = together(policies), together(policies, Limits(answer_memory=0))
    unread = data.draw(st.dictionaries(st.sampled_from(["a", "oxxer", "z"]), values, max_size=2))
    sent = bytearray(question(owner="u1", **unread))
    assert is_allowed(batch, bytes(sent))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(sent) - 1))
        sent[place] = data.draw(
            st.integers(0, 255) | st.sampled_from([*b"\x08\x0a\x12\x1a\x2a\x32"])
        )
    found, expected = batch.answer(bytes(sent)), forgetful.answer(bytes(sent))
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert found.outcome.decision == expected.outcome.decision


def test_an_id_that_is_too_long_is_not_answered_from_memory():
    batch = together(policies_of("resource.owner == 'u1'"))
    assert is_allowed(batch, question("1", owner="u1"))
    longest = "1" * DEFAULT.name_length
    assert is_allowed(batch, question(longest, owner="u1"))
    sent = pb.CheckRequest.FromString(question(owner="u1"))
    sent.resource = f"tasks/{longest}1"
    assert batch.answer(sent.SerializeToString()) is None


@pytest.mark.parametrize("condition", ["resource.id == '1'", "[resource].exists(r, r.id == '1')"])
def test_an_id_that_is_read_makes_another_question(condition):
    batch = together(policies_of(condition))
    assert is_allowed(batch, question("1"))
    assert not is_allowed(batch, question("2"))
    assert kept(batch) == 2


def test_where_an_id_chooses_rules_nothing_is_remembered():
    batch = together(policies_of("action.name != 'x'", "tasks/1*"))
    for _ in range(2):
        assert is_allowed(batch, question("12"))
        assert not is_allowed(batch, question("21"))
    assert kept(batch) == 0


def test_what_was_decided_by_the_time_is_not_remembered_and_the_rest_is():
    late = "now > timestamp('2026-01-01T00:00:00Z')"
    batch = together(policies_of(f"resource.owner == 'u1' && {late}"))
    for now, allowed in [(0, False), (NOW, True), (0, False)]:
        batch.begin(now)
        assert is_allowed(batch, question(owner="u1")) is allowed
        assert not is_allowed(batch, question(owner="u2"))
    assert kept(batch) == 1
    items = [question(owner=f"u{number % 3}") for number in range(9)]
    messages = [pb.CheckRequest.FromString(item) for item in items]
    assert compare(policies_of(late), pb.BatchCheckRequest(items=messages).SerializeToString()) == 9


def test_of_a_batch_only_what_its_defaults_say_too_is_the_same():
    batch = together(policies_of("context.when == 'now' && resource.owner == 'u1'"))
    for when in ("now", "then", "now"):
        item = {"owner": "u1"}
        message = pb.BatchCheckRequest(items=[pb.CheckRequest(resource="tasks/1")])
        message.items[0].resource_properties.update(item)
        message.defaults.MergeFromString(question(when=when))
        message.defaults.ClearField("resource")
        found = batch.answers(message.SerializeToString(), 1, yes)
        assert found is not None
        assert [bool(each) for each in found.decisions] == [when == "now"]


def test_of_more_answers_than_are_near_each_is_its_own():
    """Those that were looked up lately are found without a dict: others take their places."""
    batch = together(policies_of("context.when == 'now' && resource.owner < 'u5'"))
    owners = [f"u{number}" for number in range(NEAR + NEAR // 2)]
    messages = [pb.CheckRequest.FromString(question(owner=owner)) for owner in owners]
    for when in ("now", "then", "now", "now"):
        data = pb.BatchCheckRequest(items=messages)
        data.defaults.MergeFromString(question(when=when))
        data.defaults.ClearField("resource")
        data.defaults.ClearField("resource_properties")
        for _ in range(3):
            found = batch.answers(data.SerializeToString(), len(owners), yes)
            assert found is not None
            decided = [bool(each) for each in found.decisions]
            assert decided == [when == "now" and owner < "u5" for owner in owners]
    assert kept(batch) > NEAR


def test_items_that_are_alike_are_remembered_once():
    batch = together(policies_of("resource.owner == 'u1'"), Limits(answer_memory=10))
    items = [pb.CheckRequest.FromString(question(f"{number}", owner="u1")) for number in range(50)]
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    for _ in range(5):
        assert batch.answers(data, 50, yes) is not None
        assert kept(batch) == 1
    assert (batch.sieve.misses, batch.sieve.hits) == (2, 248)  # decided once, and once more


def test_properties_before_a_subject_are_not_taken_for_each_other():
    """A subject whose text is, as bytes, an entry of a Struct."""
    batch = together(policies_of("resource.owner == 'u1' || resource.owner == 'u2'"))
    own, inner = entry(b"\x1a\2u1", b"owner"), field(0x0A, b"owner") + field(0x12, b"\x1a\3u:2")
    asked = field(0x12, b"tasks:a") + field(0x1A, b"tasks/1")
    assert is_allowed(batch, asked + field(0x3A, own) + field(0x0A, inner))
    assert kept(batch) == 1
    assert batch.answer(asked + field(0x3A, own + field(0x0A, inner))) is None


@pytest.mark.parametrize("length", [511, 512, 513])
def test_as_much_is_remembered_on_both_twins(length):
    batch = together(policies_of("resource.owner == 'u1'"))
    data = question(owner="u" * 300)
    # Without the length and the id of the resource, and with an end for the length of properties.
    data = question(owner="u" * (300 + length - (len(data) - 3)))
    assert not is_allowed(batch, data)
    assert kept(batch) == (1 if length <= LONGEST else 0)


def test_how_much_is_remembered_is_bounded():
    batch = together(policies_of("resource.owner == 'u1'"), Limits(answer_memory=10))
    for number in range(100):
        assert is_allowed(batch, question(owner=f"u{number % 50}")) is (number % 50 == 1)
        assert kept(batch) <= 10
    before = kept(batch)
    assert not is_allowed(batch, question(owner="u" * 1_000))  # too much to be remembered
    for number in range(100):
        batch.answer(question(owner=f"new {number}"))  # asked but once
    assert kept(batch) == before
    none = together(policies_of("resource.owner == 'u1'"), Limits(answer_memory=0))
    assert is_allowed(none, question(owner="u1"))
    assert kept(none) == 0


def test_when_time_is_over_what_is_remembered_is_answered_and_nothing_else_decided():
    batch = together(policies_of("resource.owner == 'u1'"))
    assert is_allowed(batch, question(owner="u1"))
    owners = [f"u{number % 25}" for number in range(50)]
    messages = [pb.CheckRequest.FromString(question(owner=owner)) for owner in owners]
    data = pb.BatchCheckRequest(items=messages).SerializeToString()
    looks = iter([True, False])
    found = batch.answers(data, 50, lambda: next(looks))
    assert found is not None and found.is_late
    decided = [None if each is None else bool(each) for each in found.decisions]
    expected = [owner == "u1" for owner in owners[:17]]
    assert decided[:17] == expected
    assert decided[17:] == [True if owner == "u1" else None for owner in owners[17:]]
    assert sum(times for _, _, times in found.counted()) == 18


def test_what_is_told_of_a_batch_is_counted_by_company_and_decision():
    messages = []
    for number in range(10):
        message = pb.CheckRequest.FromString(question(owner=f"u{number % 2}"))
        message.company_id = "acme" if number < 5 else ""
        messages += [message, message]
    batch = together(policies_of("resource.owner == 'u1'"))
    data = pb.BatchCheckRequest(items=messages).SerializeToString()
    found = batch.answers(data, 20, yes)
    assert found is not None
    counted = {(company, bool(each)): times for company, each, times in found.counted()}
    assert counted == {("acme", False): 6, ("acme", True): 4, (None, True): 6, (None, False): 4}
    messages = [pb.CheckRequest.FromString(question(owner="u1")) for _ in range(3)]
    messages[1].company_id = "acme"
    found = batch.answers(pb.BatchCheckRequest(items=messages).SerializeToString(), 3, yes)
    assert found is not None
    assert sorted((company or "", times) for company, _, times in found.counted()) == [
        ("", 2),
        ("acme", 1),
    ]
