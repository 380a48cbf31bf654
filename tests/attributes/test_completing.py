"""A request that gives only ids, completed by what is stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.attributes import Entities, StoredEntity, complete
from taskman_authz.errors import RequestError
from taskman_authz.request import CheckRequest, Entity, make_request

ENTITIES = Entities(
    [
        StoredEntity("user", "ann", {"roles": ["developer"], "level": 3}),
        StoredEntity("user", "bob", {"roles": ["admin"]}, "acme"),
    ],
    [StoredEntity("tasks", "1", {"owner": "ann", "meta": {"due": 1}}, "acme")],
)


def completed(subject, resource="tasks/9", company_id=None) -> CheckRequest:
    return complete(make_request(subject, "tasks:edit", resource, None, company_id), ENTITIES)


def test_stored_attributes_and_roles_stand_in():
    found = completed("user:ann", "tasks/1", "acme")
    assert found.roles == ("developer",)
    assert found.subject == {"roles": ["developer"], "level": 3}
    assert found.resource == {"owner": "ann", "meta": {"due": 1}}


def test_what_the_request_says_counts_key_by_key():
    found = completed(
        {"type": "user", "id": "ann", "roles": ["guest"]},
        {"type": "tasks", "id": "1", "meta": {}},
        "acme",
    )
    assert found.roles == ("guest",)
    assert found.subject["level"] == 3
    assert found.resource["meta"] == {}
    assert found.resource["owner"] == "ann"


@pytest.mark.parametrize("company", [None, "initech"])
def test_what_belongs_to_a_company_is_not_there_for_another(company):
    request = make_request("user:bob", "tasks:edit", "tasks/1", None, company)
    assert complete(request, ENTITIES) is request


def test_a_request_about_nobody_known_comes_back_as_it_is():
    request = make_request("user:cleo", "tasks:edit", "tasks/2", None, "acme")
    assert complete(request, ENTITIES) is request


def test_attributes_that_are_no_mapping_cannot_be_completed():
    class Account:
        level = 1

    with pytest.raises(RequestError, match="subject: expected a mapping"):
        completed(Entity("user", "ann", Account()))


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from([None, "acme", "initech"])),
        unique_by=lambda pair: pair[0],
    ),
    st.sampled_from([None, "acme", "initech"]),
    st.sampled_from(["", "a", "c", "z"]),
)
def test_entities_of_a_type_are_told_in_order_from_anywhere(known, company, after):
    entities = Entities([StoredEntity("user", id, {}, owner) for id, owner in known])
    found = [each.id for each in entities.of_type("subject", "user", company, after)]
    expected = sorted(id for id, owner in known if owner in (None, company) and id > after)
    assert found == expected
    assert list(entities.of_type("subject", "group", company)) == []
    assert list(entities.of_type("resource", "user", company)) == []
