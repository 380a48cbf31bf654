"""AuthZEN bodies are read as the specification says, and what is wrong is named."""

from __future__ import annotations

import json

import msgspec
import pytest
from taskman_authz_sidecar.http.questions import (
    parse_body,
    read_evaluation,
    read_evaluations,
    read_search,
)

from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT

USER = {"type": "user", "id": "ann"}
EDIT = {"name": "edit"}
TASK = {"type": "tasks", "id": "1"}
GOOD = {"subject": USER, "action": EDIT, "resource": TASK}


def read(body, company=None):
    return read_evaluation(parse_body(json.dumps(body).encode(), DEFAULT), company, 7, DEFAULT)


def items(body):
    batch = read_evaluations(body, None, 7, DEFAULT)
    return batch if batch is None else list(batch.questions)


def test_a_body_is_a_request():
    found = read(
        {
            "subject": {**USER, "properties": {"roles": ["dev"], "level": 1, "share": 1.0}},
            "action": {**EDIT, "properties": {"soft": True}},
            "resource": {**TASK, "properties": {"tags": ["a", None]}},
            "context": {"ip": "10.0.0.1"},
        },
        "acme",
    )
    assert (found.subject_type, found.subject_id, found.roles) == ("user", "ann", ("dev",))
    assert (found.action, found.resource_type, found.resource_id) == ("tasks:edit", "tasks", "1")
    assert (found.company_id, found.now, found.context) == ("acme", 7, {"ip": "10.0.0.1"})
    assert found.action_attributes == {"soft": True}
    assert found.resource == {"tags": ["a", None]}
    assert [type(value) for value in found.subject.values()] == [list, int, float]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("edit", "tasks:edit"), ("tasks:edit", "tasks:edit"), ("notes:edit", "notes:edit")],
)
def test_a_name_without_a_colon_is_done_with_the_type_of_the_resource(name, meant):
    assert read({**GOOD, "action": {"name": name}}).action == meant


def test_null_is_as_if_it_was_not_there():
    body = {**GOOD, "context": None, "subject": {**USER, "properties": None}}
    assert read(body) == read(GOOD)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": None}, "subject: missing"),
        ({"subject": "ann"}, "subject: expected an object, found a string"),
        ({"subject": {"type": "user"}}, "subject.id: missing"),
        ({"subject": {"type": 1, "id": "1"}}, "subject.type: expected a string, found"),
        ({"subject": {"type": "a:b", "id": "1"}}, "subject.type: expected no `:` in it"),
        ({"subject": {**USER, "properties": {"roles": "dev"}}}, "subject.roles: expected a list"),
        ({"subject": {**USER, "properties": []}}, "subject.properties: expected an object"),
        ({"action": {"name": ""}}, "action: expected a name, found an empty string"),
        ({"action": {"name": 123}}, "action: expected a string, found"),
        ({"action": {}}, "action.name: missing"),
        ({"resource": {"type": "tasks", "id": ""}}, "resource.id: expected a name"),
        ({"resource": {"type": ["x"], "id": "1"}}, "resource.type: expected a string"),
        ({"context": [1]}, "context: expected an object, found a list"),
        ({"context": True}, "context: expected an object, found a boolean"),
    ],
)
def test_what_is_wrong_is_named(change, said):
    with pytest.raises(RequestError) as raised:
        read({**GOOD, **change})
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "body: not JSON: expecting value, at character 0"),
        (b'{"a": 1,', "body: not JSON: expecting property name enclosed in double quotes"),
        (b'{"a": "\xff"}', "body: not UTF-8: byte 7"),
        (b'{"a": {"b": 1, "b": 2}}', "body: not JSON: `b` twice in one object"),
        (b'{"a": NaN}', "body: not JSON: `NaN` is no JSON number"),
        (b"[1]", "body: expected an object, found a list"),
        (b"null", "body: expected an object, found null"),
        (b'{"a": %s}' % (b"[" * 99), "body: deeper than 32 levels of properties"),
        (b" " * 100, "body: longer than 99 bytes"),
    ],
)
def test_what_is_no_body_is_refused(data, said):
    limits = DEFAULT if len(data) != 100 else msgspec.structs.replace(DEFAULT, message_bytes=99)
    with pytest.raises(RequestError) as raised:
        parse_body(data, limits)
    assert str(raised.value).startswith(said)


def test_properties_may_be_as_deep_as_over_grpc():
    deep = "[" * 31 + "]" * 31
    text = f'{{"evaluations": [{{"subject": {{"properties": {{"x": {deep}}}}}}}]}}'
    assert parse_body(text.encode(), DEFAULT)


def test_an_items_own_objects_replace_the_defaults_whole():
    default = {**TASK, "properties": {"owner": "ann"}}
    own = {"type": "tasks", "id": "2"}
    first, second, third = items(
        {
            **GOOD,
            "resource": default,
            "context": {"a": 1, "b": 2},
            "evaluations": [{}, {"resource": own, "context": {"a": 3}}, {"resource": {"id": "3"}}],
        }
    )
    assert (first.resource_id, first.resource, first.context) == (
        "1",
        {"owner": "ann"},
        {"a": 1, "b": 2},
    )
    assert (second.resource_id, second.resource, second.context) == ("2", None, {"a": 3})
    # Only what must be there and is not is the default's.
    assert (third.resource_type, third.resource_id, third.resource) == ("tasks", "3", None)


def test_a_bad_item_is_bad_in_its_place():
    found = items({"subject": USER, "action": EDIT, "evaluations": [{"resource": TASK}, {}, 7]})
    assert [str(each) for each in found[1:]] == [
        "resource: missing",
        "evaluation: expected an object, found a number",
    ]
    assert found[0].resource_id == "1"


@pytest.mark.parametrize("body", [GOOD, {**GOOD, "evaluations": []}, {**GOOD, "evaluations": None}])
def test_without_items_it_is_one_question(body):
    assert items(body) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evaluations": {}}, "evaluations: expected a list"),
        ({"evaluations": [{}] * 1_001}, "evaluations: more than 1000 items"),
        ({"subject": "ann"}, "subject: expected an object"),
        ({"options": []}, "options: expected an object"),
        ({"options": {"evaluations_semantic": "some"}}, "options.evaluations_semantic: expected"),
        ({"options": {"evaluations_semantic": ["x"]}}, "options.evaluations_semantic: expected"),
    ],
)
def test_what_is_wrong_with_the_whole_is_told_for_the_whole(change, said):
    with pytest.raises(RequestError) as raised:
        items({"evaluations": [GOOD], **change})
    assert str(raised.value).startswith(said)


def test_a_search_needs_no_id_of_what_is_sought():
    search = read_search("subject", {**GOOD, "subject": {"type": "user"}}, None, 7, DEFAULT)
    assert (search.request.subject_type, search.limit, search.token) == ("user", None, "")
    search = read_search("action", {"subject": USER, "resource": TASK}, None, 7, DEFAULT)
    assert search.request.resource_type == "tasks"
    with pytest.raises(RequestError, match=r"^resource.id: missing$"):
        read_search("subject", {**GOOD, "resource": {"type": "tasks"}}, None, 7, DEFAULT)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ([], "page: expected an object"),
        ({"limit": -1}, "page.limit: expected a whole number from 0"),
        ({"limit": True}, "page.limit: expected a whole number from 0, found a boolean"),
        ({"limit": "1"}, "page.limit: expected a whole number from 0, found a string"),
        ({"token": 1}, "page.token: expected a string, found a number"),
    ],
)
def test_a_page_that_is_none_is_refused(page, said):
    with pytest.raises(RequestError) as raised:
        read_search("subject", {**GOOD, "page": page}, None, 7, DEFAULT)
    assert str(raised.value).startswith(said)
