"""Messages as the subject and the resource of a decision."""

from __future__ import annotations

import pytest

from taskman_authz._fast.access import EntityValue, has, select
from taskman_authz._fast.values import Fault
from taskman_authz.cel.protobuf import MessageValue
from tests.cel.protobuf.shop import Customer, Order


def test_members_of_an_entity_may_be_a_messages_fields() -> None:
    order = Order(customer=Customer(name="ann"))
    entity = EntityValue("orders", "7", order, False)
    assert (select(entity, "id"), select(entity, "type")) == ("7", "orders")
    assert type(select(entity, "customer")) is MessageValue
    assert has(entity, "customer") is True
    assert has(entity, "placed") is False
    assert has(entity, "id") is True
    assert type(has(entity, "nope")) is Fault
    assert type(select(entity, "nope")) is Fault


@pytest.mark.parametrize("attributes", [None, {}, {"a": 1}])
def test_members_of_other_entities_stay_what_they_were(attributes: object) -> None:
    entity = EntityValue("orders", "7", attributes, False)
    assert has(entity, "a") is bool(attributes)
    assert has(entity, "type") is True
