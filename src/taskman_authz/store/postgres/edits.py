"""What a write asks for, and what it comes to: edits → changes of a state.

Begin with `resolve`. An edit says what to do, whatever the state; a `Change` is what one item was
and what it is then.

Laws: nothing here writes. A company's edits reach its own items and nothing else, whatever they
say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args
from uuid import uuid4

import msgspec

from ...errors import AlreadyExistsError, ArgumentError, NotFoundError, require
from ...limits import DEFAULT
from .items import (
    KINDS,
    SCHEMA,
    Given,
    Item,
    Key,
    Kind,
    State,
    Stored,
    StoredPolicy,
    item_of,
    kind_of,
    name_of,
)

Verb = Literal["created", "updated", "deleted"]


class Create(msgspec.Struct, frozen=True):
    """A new item; of another company only where the platform writes."""

    item: Given
    company: str | None = None


class Update(msgspec.Struct, frozen=True):
    """Another content of an item that is there: all of it."""

    item: Given
    company: str | None = None


class Put(msgspec.Struct, frozen=True):
    """An item as it shall be, whether or not it is there."""

    item: Given
    company: str | None = None


class Delete(msgspec.Struct, frozen=True):
    """An item away: the id of a policy, the name of another one."""

    kind: Kind
    name: str
    company: str | None = None


class Attach(msgspec.Struct, frozen=True):
    """A policy (by id) attached to a role (by name)."""

    policy: str
    role: str
    company: str | None = None


class Detach(msgspec.Struct, frozen=True):
    """A policy attached to a role no more."""

    policy: str
    role: str
    company: str | None = None


Edit: TypeAlias = Create | Update | Put | Delete | Attach | Detach
EDITS = get_args(Edit)


class Change(NamedTuple):
    """What an item was and is then; None where it is not there."""

    key: Key
    before: Stored | None
    after: Stored | None

    @property
    def verb(self) -> Verb:
        """What becomes of it."""
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"


def resolve(edits: Sequence[Edit], state: State, number: int, company: str) -> list[Change]:
    """What edits come to, one after the other, in the state of revision `number`; `company` is the
    writer's, "" the platform's. What stays as it is, is no change. Raises ArgumentError,
    CompileError, ConflictError, NotFoundError."""
    found = _Edited(state, number, company)
    for place, edit in enumerate(edits):
        require(f"edits[{place}]", edit, EDITS, "an edit")
        found.take(edit)
    return changes_between({key: state.get(key) for key in found.items}, found.items)


def changes_between(
    before: Mapping[Key, Stored | None], after: Mapping[Key, Stored | None]
) -> list[Change]:
    """The changes that lead from some items to the same ones later, in the order of `after`."""
    changes = []
    for key, now in after.items():
        was = before.get(key)
        if was is not None and now is not None:
            now = now._replace(uuid=was.uuid)  # the row stays
        if (was and was.image()) != (now and now.image()):
            changes.append(Change(key, was, now))
    return changes


def applied(state: State, changes: Sequence[Change]) -> State:
    """Another state: this one with changes."""
    made = dict(state)
    for key, _, after in changes:
        if after is None:
            made.pop(key, None)
        else:
            made[key] = after
    return made


def check_company(company: str) -> None:
    """Raises ArgumentError for what is no company's id, and not "" either."""
    require("company", company, str, "the id of a company")
    if len(company) > DEFAULT.identifier_length or re.search(r"[\s\0]", company):
        expected = f"a word of up to {DEFAULT.identifier_length} characters"
        raise ArgumentError("company", expected, "another text")


class _Edited:
    """The items that edits have touched so far, over a state."""

    def __init__(self, state: State, number: int, company: str) -> None:
        self.state = state
        self.number = number
        self.company = company
        self.items: dict[Key, Stored | None] = {}

    def take(self, edit: Edit) -> None:
        company = self.company_of(edit)
        if isinstance(edit, Delete):
            self.items[self.there(self.key(edit.kind, company, edit.name))] = None
        elif isinstance(edit, Attach | Detach):
            self.attach(edit, company)
        else:
            self.put(edit, company)

    def put(self, edit: Create | Update | Put, company: str) -> None:
        item = item_of(edit.item)
        key = self.key(kind_of(item), company, name_of(item))
        before = self.find(key)
        if isinstance(edit, Create) and before is not None:
            raise AlreadyExistsError(f"there is the {key} already", self.number)
        if isinstance(edit, Update):
            self.there(key)
        self.set(key, item)

    def attach(self, edit: Attach | Detach, company: str) -> None:
        key = self.there(self.key("policy", company, edit.policy))
        found = self.find(key)
        assert found is not None and isinstance(found.item, StoredPolicy)
        require("role", edit.role, str, "the name of a role")
        roles = {*found.item.roles, edit.role}
        if isinstance(edit, Detach):
            if edit.role not in found.item.roles:
                raise NotFoundError(f"the {key} is not attached to the role `{edit.role}`")
            roles.remove(edit.role)
        self.set(key, item_of(found.item.model_copy(update={"roles": sorted(roles)})))

    def set(self, key: Key, item: Item) -> None:
        before = self.find(key)
        self.items[key] = Stored(before.uuid if before else str(uuid4()), item)

    def find(self, key: Key) -> Stored | None:
        return self.items[key] if key in self.items else self.state.get(key)

    def there(self, key: Key) -> Key:
        if self.find(key) is None:
            raise NotFoundError(f"there is no {key}")
        return key

    def company_of(self, edit: Edit) -> str:
        if edit.company is None:
            return self.company
        check_company(edit.company)
        if self.company and edit.company != self.company:
            raise ArgumentError("company", "the writer's own company", "another one")
        return edit.company

    def key(self, kind: Kind, company: str, name: str) -> Key:
        if kind not in KINDS:
            raise ArgumentError("kind", "`policy`, `role` or `document`", "something else")
        require("name", name, str, "a text")
        if kind == "document" and name == SCHEMA and company:
            raise ArgumentError("name", "another name: the schema is of every company", name)
        return Key(kind, company, name)
