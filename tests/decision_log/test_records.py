"""What a line holds, and that no line holds what is masked."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, mapped_column

from taskman_authz import ArgumentError, Entity, Limits, cel, make_request
from taskman_authz.decision import Decision, Reason
from taskman_authz.decision_log.records import Records

ALLOWED = Decision(True, (Reason("allowed_by_policy", "own", "policy `own` allows it"),), "r1")
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def record(
    subject: Any, resource: Any = "tasks/1", context: Any = None, mask: Any = (), **given: Any
) -> Any:
    request = make_request(subject, "tasks:edit", resource, context, "acme", NOW)
    return json.loads(Records(mask, **given).encode(request, ALLOWED, 1_200))


def test_a_line_says_who_asked_what_and_was_answered_what():
    subject = {"type": "user", "id": "1", "roles": ["dev"], "department": "engineering"}
    found = record(subject, {"type": "tasks", "id": "2", "owner": "1"}, {"ip": "10.0.0.7"})
    assert datetime.fromisoformat(found.pop("time")).tzinfo is not None
    assert found == {
        "subject": subject,
        "action": {"name": "tasks:edit"},
        "resource": {"type": "tasks", "id": "2", "owner": "1"},
        "context": {"ip": "10.0.0.7"},
        "company_id": "acme",
        "now": "2026-01-15T10:30:00Z",
        "allowed": True,
        "reasons": [
            {"code": "allowed_by_policy", "policy": "own", "message": "policy `own` allows it"}
        ],
        "revision": "r1",
        "duration_ns": 1_200,
    }


@dataclass
class User:
    type: str
    id: str
    department: str
    _secret: str = "xyzzy"


class Task(BaseModel):
    owner: str
    size: int


class Row:
    """An object of which nobody knows what reading it does."""

    id, type = "1", "user"
    roles = ["dev"]

    @property
    def manager(self) -> str:
        raise AssertionError("it was read")


def test_attributes_of_declared_classes_are_written_and_those_of_others_are_not_read():
    assert record(User("user", "1", "it"))["subject"] == {
        "type": "user",
        "id": "1",
        "roles": [],
        "department": "it",
    }
    found = record(Row(), Entity("tasks", "1", Task(owner="1", size=2)), {"row": Row()})
    assert found["subject"] == {"type": "user", "id": "1", "roles": ["dev"]}
    assert found["resource"] == {"type": "tasks", "id": "1", "owner": "1", "size": 2}
    assert found["context"] == {"row": "<Row>"}


@dataclass(slots=True)
class Slotted:
    department: str


class Struct(msgspec.Struct):
    department: str


class Base(MappedAsDataclass, DeclarativeBase):
    pass


class Stored(Base):
    __tablename__ = "mapped"
    id: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str]


def test_a_declared_attribute_that_is_not_loaded_is_not_fetched():
    for made in (Slotted("it"), Struct("it"), Stored(id=1, department="it")):
        assert record(Entity("user", "1", made))["subject"]["department"] == "it"
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Stored(id=1, department="it"))
        session.commit()
        found = session.scalars(select(Stored)).one()
        session.expire(found, ["department"])  # to read it is to ask the database
        subject = record("user:1", Entity("tasks", "1", found))["resource"]
        assert "department" not in subject
        assert "department" not in found.__dict__


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
def test_a_name_of_which_utf8_has_no_bytes_is_written_as_it_is(name):
    found = record(f"user:{name}", f"tasks/{name}", mask=["resource.id"])
    assert found["incomplete"] is True
    assert (found["subject"]["id"], found["resource"]["id"]) == (name, "***")
    assert found["reasons"] == record("user:1")["reasons"]


def test_values_that_json_lacks_are_written_as_text():
    values = {
        "time": cel.evaluate("timestamp('2026-01-01T00:00:00Z')"),
        "at": NOW,
        "count": cel.UInt(7),
        "price": Decimal("1.5"),
        "map": MappingProxyType({"a": 1}),
        "bytes": b"\x00",
        1: "number",
    }
    found = record("user:1", context=values)["context"]
    assert found["count"] == 7
    assert found["map"] == {"a": 1}
    assert found["at"].startswith("2026-01-15T10:30:00")
    assert found["time"].startswith("2026-01-01T00:00:00")
    assert (found["price"], found["1"]) == ("1.5", "number")


def circle() -> Any:
    found: dict[str, Any] = {}
    found["again"] = found
    return found


@pytest.mark.parametrize(
    "context", [circle(), {"x": "\ud800"}, {(1, 2): 3}], ids=["circle", "text", "key"]
)
def test_what_cannot_be_written_is_left_out_and_the_line_says_so(context):
    found = record({"type": "user", "id": "1", "email": "a@b.c"}, context=context)
    assert found["incomplete"] is True
    assert found["subject"] == {"type": "user", "id": "1"}
    assert "context" not in found
    assert found["allowed"] is True


def test_a_line_is_bounded():
    limits = Limits(log_line_bytes=1_000)
    context = {"text": "x" * 1_000}
    assert record("user:1", context=context, limits=limits)["incomplete"] is True
    assert "incomplete" not in record("user:1", context=context)


def test_masked_attributes_are_stars():
    subject = {"type": "user", "id": "1", "email": "a@b.c", "cards": [{"no": 1, "bank": "x"}, 2]}
    mask = ["subject.email", "subject.cards.no", "context.device", "resource.owner.name"]
    found = record(
        subject, {"type": "tasks", "id": "1", "owner": "ann"}, {"device": {"ip": 1}}, mask
    )
    assert found["subject"]["email"] == "***"
    assert found["subject"]["cards"] == [{"no": "***", "bank": "x"}, 2]
    assert found["context"] == {"device": "***"}
    assert found["resource"]["owner"] == "ann"  # it has no name


SECRET = "xyzzy"
NESTED = st.recursive(
    st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
        | inner.map(lambda value: MappingProxyType({"c": value}))
        | inner.map(lambda value: Task.model_construct(owner=value, size=1))
    ),
    max_leaves=5,
)


@given(
    NESTED,
    st.lists(st.sampled_from(["a", "b"]), max_size=3),
    st.sampled_from(["subject", "resource", "context"]),
    st.sampled_from([None, 300]),
)
def test_no_line_holds_a_value_that_is_masked(value, path, root, limit):
    """Wherever it hangs below its path, and whatever else becomes of the line."""
    for name in reversed([*path, "secret"]):
        value = {name: value}
    parts: dict[str, Any] = {"subject": {"type": "user", "id": "1"}, "context": {}}
    parts["resource"] = {"type": "tasks", "id": "1"}
    parts[root] = {**parts[root], **value}
    mask = ".".join([root, *path, "secret"])
    limits = Limits(**({} if limit is None else {"log_line_bytes": limit}))
    assert SECRET not in json.dumps(record(**parts, mask=[mask], limits=limits))


class Renamed(msgspec.Struct, rename="upper"):
    part: Any


class Positional(msgspec.Struct, array_like=True):
    part: Any


@dataclass
class Holder:
    part: Any


class Part(Enum):
    NAME = "part"


HOLDERS: list[Any] = [
    Renamed,
    Positional,
    Holder,
    lambda value: {"part": value},
    lambda value: {Part.NAME: value},
    lambda value: MappingProxyType({"part": value}),
    lambda value: OrderedDict(part=value),
]
LISTS: list[Any] = [lambda value: value, lambda value: [1, value], lambda value: (value, 1)]


@given(st.lists(st.tuples(st.sampled_from(HOLDERS), st.sampled_from(LISTS)), min_size=1))
def test_an_attribute_is_masked_by_its_name_whatever_holds_it(around):
    value: Any = SECRET
    for holder, listed in around:
        value = listed(holder(value))
    mask = "context.x" + ".part" * len(around)
    found = json.dumps(record("user:1", context={"x": value}, mask=mask))
    assert SECRET not in found and "***" in found


def test_names_can_be_masked_too():
    found = record("user:ann@b.c", mask="subject.id")
    assert found["subject"]["id"] == "***"


@pytest.mark.parametrize("path", ["email", "user.email", "subject.", "subject..x", "", 7])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ArgumentError, match="mask: expected a path such as `subject.email`"):
        Records([path])


@pytest.mark.parametrize("path", ["resource.items[*].sku", "context.*", "subject.tags[0]"])
def test_what_would_mask_nothing_is_refused(path):
    with pytest.raises(ArgumentError, match="mask: expected .* goes through lists by itself"):
        Records([path])
