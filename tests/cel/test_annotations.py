from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NewType, NotRequired, TypedDict, TypeVar

import pytest
from pydantic import BaseModel, computed_field

from taskman_authz import cel
from taskman_authz.cel.annotations import annotated_type
from taskman_authz.cel.types import STRING, Kind, list_of, map_of, message_type, wrapper_of
from taskman_authz.errors import CompileError

Number = TypeVar("Number", bound=int)


class Priority(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Level(enum.IntEnum):
    ONE = 1


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


@dataclass
class Task:
    kinds: ClassVar[list[str]] = []
    owner: str
    tags: set[str]
    due: datetime | None = None
    parent: Task | None = None
    _secret: str = ""

    @property
    def late(self) -> bool:
        return self.due is not None

    @cached_property
    def words(self) -> list[str]:
        return self.owner.split()


class Address(TypedDict):
    city: str
    zip: NotRequired[int]


class Street(BaseModel):
    city: str
    zip: int = 0


class User(BaseModel):
    id: uuid.UUID
    address: Street
    priority: Priority = Priority.LOW

    @computed_field  # type: ignore[prop-decorator]
    @property
    def home(self) -> str:
        return self.address.city


class Plain:
    def __init__(self) -> None:
        self.anything = 1


@pytest.mark.parametrize(
    ("annotation", "type"),
    [
        (None, "null_type"),
        (bool, "bool"),
        (int, "int"),
        (cel.UInt, "uint"),
        (float, "double"),
        (str, "string"),
        (bytes, "bytes"),
        (bytearray, "bytes"),
        (datetime, "google.protobuf.Timestamp"),
        (cel.Timestamp, "google.protobuf.Timestamp"),
        (timedelta, "google.protobuf.Duration"),
        (uuid.UUID, "string"),
        (list, "list(dyn)"),
        (list[int], "list(int)"),
        (set[str], "list(string)"),
        (Sequence[float], "list(double)"),
        (tuple[int, ...], "list(int)"),
        (tuple[int, str], "list(dyn)"),
        (tuple[int, int], "list(int)"),
        (dict, "map(dyn, dyn)"),
        (dict[str, list[int]], "map(string, list(int))"),
        (Mapping[str, Any], "map(string, dyn)"),
        (Any, "dyn"),
        (object, "dyn"),
        (Plain, "dyn"),
        (str | None, "wrapper(string)"),
        (datetime | None, "google.protobuf.Timestamp"),
        (list[int] | None, "dyn"),
        (int | str, "dyn"),
        (Literal["a", "b"], "string"),
        (Literal["a", None], "wrapper(string)"),
        (Literal["a", 1], "dyn"),
        (Annotated[int, "years"], "int"),
        (NewType("Name", str), "string"),
        (Number, "int"),
        (Priority, "string"),
        (Level, "int"),
        (Mixed, "dyn"),
    ],
)
def test_an_annotation_says_what_its_values_are_in_the_language(annotation, type):
    assert str(annotated_type(annotation)) == type


def test_the_fields_of_a_dataclass_are_those_that_can_be_read():
    task = annotated_type(Task)
    assert task.fields == {
        "owner": STRING,
        "tags": list_of(STRING),
        "due": annotated_type(datetime),
        "parent": message_type(task.name),
        "late": annotated_type(bool),
        "words": list_of(STRING),
    }


def test_the_fields_of_a_model_and_of_a_typed_dict_are_types_themselves():
    user = annotated_type(User)
    assert user.fields is not None
    assert user.fields["address"].fields == annotated_type(Address).fields
    assert annotated_type(Address).fields == {"city": STRING, "zip": annotated_type(int)}
    assert {name: str(type) for name, type in user.fields.items() if name != "address"} == {
        "id": "string",
        "priority": "string",
        "home": "string",
    }


def test_a_type_is_read_inside_of_others():
    assert annotated_type(dict[str, list[Task]]) is map_of(STRING, list_of(annotated_type(Task)))
    assert annotated_type(dict[str, str | None]) is map_of(STRING, wrapper_of(STRING))
    assert annotated_type(Task | None).kind is Kind.STRUCT


def test_what_is_misspelt_is_found_when_it_is_compiled():
    env = cel.Env({"task": annotated_type(Task)})
    assert env.compile("task.parent.parent.owner").type is STRING
    with pytest.raises(CompileError) as raised:
        env.compile("task.parent.ownr == 'me'")
    (issue,) = raised.value.issues
    assert issue.hint == "did you mean `owner`?"


def test_objects_are_evaluated_as_they_were_declared():
    env = cel.Env({"task": annotated_type(Task), "user": annotated_type(User)})
    task = Task(owner="ann", tags={"a", "b"}, due=datetime.fromisoformat("2026-01-01T00:00:00Z"))
    user = User(id=uuid.UUID(int=1), address=Street(city="Riga"), priority=Priority.HIGH)
    program = env.compile(
        "task.owner == 'ann' && 'a' in task.tags && task.late && task.due.getFullYear() == 2026"
        " && user.address.city == user.home && user.priority == 'high'"
    )
    assert program.evaluate({"task": task, "user": user}) is True


def test_an_annotation_that_names_nothing_is_refused():
    @dataclass
    class Broken:
        other: Nowhere  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(CompileError, match="the annotations of `.*Broken` cannot be read"):
        annotated_type(Broken)
