# cython: binding=False, boundscheck=False, wraparound=False
"""The items of a batch, decided one after another.

Laws: an outcome is that of `Decider.decide`, of the request that an item is; of an item whose form
is not the usual one there is none. Of an item's properties only those are read that a condition
may read. What an item shares with the one before it, as the same object, is not looked at again:
who asks, the rows that apply, and what attribute paths led to. Steps are not shared: an item may
take as many as a question that is asked alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .access import EntityValue
from .activation import Path, unset
from .decide import Decider, Outcome, combine, roles_of, with_selected
from .messages import Fields, Names, Wanted, read_check
from .rules import View
from .times import timestamp_of

# The roots of an activation, in the order of the policy variables.
SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW = 0, 1, 2, 3, 4, 5

_EMPTY: dict[str, Any] = {}


class Batch:
    """Decides by `decider` what was read with `wanted`; `make` makes decisions of outcomes."""

    __slots__ = (
        "activation",
        "asked",
        "asker",
        "company",
        "decider",
        "former",
        "longest",
        "make",
        "reads_now",
        "roles",
        "roots",
        "verb",
        "view",
        "wanted",
    )

    def __init__(self, decider: Decider, make: Callable[[Outcome], Any]) -> None:
        self.decider = decider
        self.make = make
        self.longest = decider.name_length
        self.reads_now = decider.reads_now
        self.activation = decider.another()
        self.roots = [Root(number, decider.paths) for number in range(NOW + 1)]
        self.wanted = Wanted(
            *[self.roots[each].names for each in (SUBJECT, ACTION, RESOURCE, CONTEXT)]
        )
        # What conditions are given. Nothing keeps them when an item is decided, so the next one is
        # put into the same.
        self.asker = EntityValue("", "", None, False)
        self.verb = EntityValue("", "", None, True)
        self.asked = EntityValue("", "", None, False)
        # Of the item before, where that is there.
        self.former: Fields | None = None
        self.roles: tuple[str, ...] = ()
        self.company: str | None = None
        self.view: View | None = None

    def begin(self, now: int) -> None:
        """Decide as of a time, in nanoseconds since the epoch: where `reads_now`."""
        self.put(NOW, timestamp_of(now, "now"))

    def answer(self, data: bytes, depth: int) -> Outcome | None:
        """The outcome of the bytes of a CheckRequest with properties up to `depth` levels deep, its
        decision made; None where they are not in their usual form."""
        fields = read_check(data, depth, self.wanted)
        outcome = None if fields is None else self.outcome(fields)
        if outcome is not None and outcome.decision is None:
            self.make(outcome)
        return outcome

    def decisions(self, items: list[Fields]) -> list[Any] | None:
        """What is made of some items, in their order; None where one is not in its usual form."""
        found = []
        for item in items:
            decision = self.decision(item)
            if decision is None:
                return None
            found.append(decision)
        return found

    def decision(self, item: Fields) -> Any:
        """What is made of an item; None where it is not in its usual form."""
        outcome = self.outcome(item)
        if outcome is None:
            return None
        return self.make(outcome) if outcome.decision is None else outcome.decision

    def outcome(self, fields: Fields) -> Outcome | None:
        former = self.former
        self.former = None  # an item that is not decided is no help with the next
        if not self.take(fields, former):
            return None
        self.former = fields
        self.activation.again()  # whatever became of the item before
        decider = self.decider
        view = self.view
        assert view is not None
        if view.tables:
            view = view.of(self.asked.id, decider.index.reasons)
        rows = view.rows
        if view.groups:
            rows = with_selected(rows, view.groups, self.activation)
        nothing, reasons = decider.nothing, decider.reasons
        return combine(rows, self.activation, nothing, reasons, decider.decided, decider.denied)

    def take(self, fields: Fields, former: Fields | None) -> bool:
        """Put an item into the activation, and find its view. Whether it is in its usual form."""
        if fields.wanted is not self.wanted:
            return False
        is_other = former is None  # than what the view is of
        if former is None or fields.company_id is not former.company_id:
            if len(fields.company_id) > self.longest:
                return False
            is_other = True
            self.company = fields.company_id or None
            self.put(COMPANY, self.decider.company_of(self.company))
        if (
            former is None
            or fields.subject is not former.subject
            or fields.subject_properties is not former.subject_properties
        ):
            if not self.name(self.asker, fields.subject, ":"):
                return False
            roles = self.roles_in(fields.subject_properties)
            if roles is None:
                return False
            if roles != self.roles:
                is_other = True
                self.roles = roles
            self.put_entity(SUBJECT, self.asker, fields.subject_properties)
        if former is None or fields.action is not former.action:
            if not 0 < len(fields.action) <= self.longest:
                return False
            is_other = True
            self.verb.id = fields.action
            self.put_entity(ACTION, self.verb, fields.action_properties)
        elif fields.action_properties is not former.action_properties:
            self.put_entity(ACTION, self.verb, fields.action_properties)
        if (
            former is None
            or fields.context
            or former.context
            or fields.context_properties is not former.context_properties
        ):
            if fields.context and fields.context_properties is not None:  # a key may be in both
                return False
            self.put_context(fields)
        if (
            former is None
            or fields.resource is not former.resource
            or fields.resource_properties is not former.resource_properties
        ):
            kind = self.asked.kind
            if not self.name(self.asked, fields.resource, "/"):
                return False
            if self.asked.kind is not kind:
                is_other = True
            self.put_entity(RESOURCE, self.asked, fields.resource_properties)
        if is_other:
            index = self.decider.index
            self.view = index.view(self.company, fields.action, self.asked.kind, self.roles)
        return True

    def put_context(self, fields: Fields) -> None:
        """What is around, as texts or as properties."""
        properties = fields.context_properties
        if type(properties) is list:
            self.put(CONTEXT, _EMPTY)
            self.spread(CONTEXT, properties)
        else:
            self.put(CONTEXT, fields.context if properties is None else properties)

    def name(self, entity: EntityValue, text: str, separator: str) -> bool:
        """Make an entity be who a text says. Whether that has a type and an id, not too long ones;
        a type that is equal to the one before is the same object."""
        end = len(entity.kind)
        if not (
            end and len(text) > end and text[end] == separator and text.startswith(entity.kind)
        ):
            end = text.find(separator)
            if not 0 < end <= self.longest:
                return False
            entity.kind = text[:end]
        entity.id = text[end + 1 :]
        return 0 < len(entity.id) <= self.longest

    def roles_in(self, properties: Any) -> tuple[str, ...] | None:
        """The roles among a subject's properties; None where they are none."""
        if properties is None:
            return ()
        found: Any
        if type(properties) is list:
            values: list[Any] = properties
            found = values[0]
            if found is unset():
                return ()
        else:
            found = properties.get("roles")
        return roles_of(found, self.decider.subject_roles, self.longest)

    def put(self, number: int, value: Any) -> None:
        """Another value of a root: what was read from the former one is forgotten."""
        root: Root = self.roots[number]
        self.activation.roots[number] = value
        self.activation.unset(root.slots)

    def spread(self, number: int, values: list[Any]) -> None:
        """Put the values of a root's properties where paths lead."""
        root: Root = self.roots[number]
        slots, places = self.activation.slots, root.places
        for each in range(len(values)):
            place: int = places[each]
            if place >= 0:
                slots[place] = values[each]

    def put_entity(self, number: int, entity: EntityValue, properties: Any) -> None:
        """The same of an entity with other properties."""
        if type(properties) is list:
            entity.attributes = None
            self.put(number, entity)
            self.spread(number, properties)
        else:
            entity.attributes = properties
            self.put(number, entity)


class Root:
    """What conditions read of a root: `slots` of paths from it, and the `names` of properties that
    are read, None where that is any. Where they are read one by one, `places` has the slot of each
    name, -1 where no path is to it."""

    __slots__ = ("names", "places", "slots")

    def __init__(self, number: int, paths: list[Path]) -> None:
        self.slots = [slot for slot, path in enumerate(paths) if path.root == number]
        own = {paths[slot].members: slot for slot in self.slots}
        self.places: list[int] = []
        self.names: Names | None = None
        if () in own:
            return
        wanted = {members[0]: None for members in own}
        if number == SUBJECT:
            wanted = {"roles": None, **wanted}
        texts = tuple([name for name in wanted if name not in OWN[number]])
        if max([len(members) for members in own], default=1) > 1:
            self.names = Names(texts)
            return
        self.names = Names(texts, [unset()] * len(texts))
        self.places = [own.get((text,), -1) for text in texts]


# What roots have whatever their properties are.
OWN = (("type", "id"), ("type", "id"), ("name",), (), (), ())
