# cython: binding=False
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
from .activation import Path
from .decide import Decider, Outcome, combine, entity_of, roles_of, with_selected
from .messages import Fields, Wanted, read_check
from .rules import View
from .times import timestamp_of

# The roots of an activation, in the order of the policy variables.
SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW = 0, 1, 2, 3, 4, 5


class Batch:
    """Decides by `decider` what was read with `wanted`; `make` makes decisions of outcomes."""

    __slots__ = (
        "activation",
        "company",
        "decider",
        "former",
        "kind",
        "longest",
        "make",
        "reads_now",
        "roles",
        "slots",
        "view",
        "wanted",
    )

    def __init__(self, decider: Decider, make: Callable[[Outcome], Any]) -> None:
        self.decider = decider
        self.make = make
        self.longest = decider.name_length
        self.reads_now = decider.reads_now
        self.activation = decider.another()
        # By what they are read from.
        self.slots: list[list[int]] = [[] for _ in self.activation.roots]
        for number, path in enumerate(decider.paths):
            self.slots[path.root].append(number)
        self.wanted = wanted_by(decider.paths)
        # Of the item before, where that is there.
        self.former: Fields | None = None
        self.roles: tuple[str, ...] = ()
        self.company: str | None = None
        self.kind = ""
        self.view: View | None = None

    def begin(self, now: int) -> None:
        """Decide as of a time, in nanoseconds since the epoch: where `reads_now`."""
        self.put(NOW, timestamp_of(now, "now"))

    def answer(self, data: bytes, depth: int) -> Any:
        """What is made of the bytes of a CheckRequest with properties up to `depth` levels deep;
        None where they are not in their usual form."""
        fields = read_check(data, depth, self.wanted)
        return None if fields is None else self.decision(fields)

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
            resource: EntityValue = self.activation.roots[RESOURCE]
            view = view.of(resource.id, decider.index.reasons)
        rows = view.rows
        if view.groups:
            rows = with_selected(rows, view.groups, self.activation)
        nothing = decider.nothing
        return combine(rows, self.activation, nothing, decider.reasons, decider.decided)

    def take(self, fields: Fields, former: Fields | None) -> bool:
        """Put an item into the activation, and find its view. Whether it is in its usual form."""
        if fields.wanted is not self.wanted:
            return False
        is_other = former is None
        if former is None or fields.action is not former.action:
            if not 0 < len(fields.action) <= self.longest:
                return False
            is_other = True
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
            asker = entity_of(fields.subject, ":", "", fields.subject_properties)
            roles = roles_of(fields.subject_properties, self.decider.subject_roles, self.longest)
            if roles is None or not is_named(asker, self.longest):
                return False
            is_other = True
            self.roles = roles
            self.put(SUBJECT, asker)
        if former is None or is_other or fields.action_properties is not former.action_properties:
            verb = EntityValue("", fields.action, fields.action_properties, True)
            self.put(ACTION, verb)
        if (
            former is None
            or fields.context
            or former.context
            or fields.context_properties is not former.context_properties
        ):
            if fields.context and fields.context_properties is not None:  # a key may be in both
                return False
            properties: Any = fields.context_properties
            self.put(CONTEXT, fields.context if properties is None else properties)
        if (
            former is None
            or fields.resource is not former.resource
            or fields.resource_properties is not former.resource_properties
        ):
            asked = entity_of(fields.resource, "/", self.kind, fields.resource_properties)
            if not is_named(asked, self.longest):
                return False
            self.put(RESOURCE, asked)
            if asked.kind is not self.kind:
                is_other = True
                self.kind = asked.kind
        if is_other:
            self.view = self.decider.index.view(self.company, fields.action, self.kind, self.roles)
        return True

    def put(self, root: int, value: Any) -> None:
        """Another value of a root: what was read from the former one is forgotten."""
        self.activation.roots[root] = value
        self.activation.unset(self.slots[root])


def is_named(entity: EntityValue, longest: int) -> bool:
    """Whether a type and an id are there, and not too long."""
    return 0 < len(entity.kind) <= longest and 0 < len(entity.id) <= longest


def wanted_by(paths: list[Path]) -> Wanted:
    """The properties that some paths may read. Of a root that is read as a whole: all."""
    names: list[frozenset[str] | None] = []
    for root in (SUBJECT, ACTION, RESOURCE, CONTEXT):
        own = [path.members for path in paths if path.root == root]
        found = {members[0] for members in own if members}
        if root == SUBJECT:
            found.add("roles")
        names.append(None if () in own else frozenset(found))
    return Wanted(*names)
