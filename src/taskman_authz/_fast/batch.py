# cython: binding=False, boundscheck=False, wraparound=False
"""Questions in messages, alone and in batches, decided one after another.

Laws: an outcome is that of `Decider.decide`, of the request that an item is; of an item whose form
is not the usual one there is none. Of an item's properties only those are read that a condition
may read, and what they lead to is remembered (`sieve`). What an item shares with the one before it,
as the same object, is not looked at again: who asks, the rows that apply, and what attribute paths
led to. Steps are not shared: an item may take as many as a question that is asked alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import native
from .access import EntityValue
from .activation import Path, unset
from .decide import Decider, Outcome, combine, roles_of, with_selected
from .messages import DEEPEST, Fields, Names, Reader, Unusual, Wanted, read_check
from .rules import View
from .sieve import Answer, Sieve, answer_of
from .times import timestamp_of

NO_DEFAULTS = b""

# The roots of an activation, in the order of the policy variables.
SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW = 0, 1, 2, 3, 4, 5

LOOK = 16  # items that are decided between two looks at the clock

_EMPTY: dict[str, Any] = {}


class Answers:
    """Decisions on the items of a batch, None where there was no time for one (then it `is_late`),
    which company each is of, and whether only distinct answers are to be told."""

    __slots__ = ("companies", "decisions", "is_distinct", "is_late")

    def __init__(self, is_distinct: bool) -> None:
        self.decisions: list[Any] = []
        self.companies: list[str | None] = []
        self.is_distinct = is_distinct
        self.is_late = False

    def counted(self) -> list[tuple[str | None, Any, int]]:
        """The decisions on items of a company, each but once, and on how many."""
        # By identity: what is remembered has few, and to compare them takes longer.
        found: dict[str | None, dict[int, int]] = {}
        decisions: dict[int, Any] = {}
        last, times = len(self.decisions) - 1, 0
        for number in range(last + 1):
            times += 1
            decision, company = self.decisions[number], self.companies[number]
            if number < last:  # as the next one most often is
                if self.decisions[number + 1] is decision and self.companies[number + 1] is company:
                    continue
            if decision is not None:  # else there was no time for it
                key = native.identity(decision)
                decisions[key] = decision
                of = found.get(company)
                if of is None:
                    of = found[company] = {}
                of[key] = of.get(key, 0) + times
            times = 0
        return [(name, decisions[key], of[key]) for name, of in found.items() for key in of]


class Batch:
    """Decides by `decider` what is in messages, with properties up to `depth` levels deep; `make`
    makes decisions of outcomes. At most `memory` answers are remembered."""

    __slots__ = (
        "activation",
        "asked",
        "asker",
        "company",
        "decider",
        "depth",
        "former",
        "longest",
        "make",
        "reads_now",
        "roles",
        "roots",
        "sieve",
        "verb",
        "view",
        "wanted",
    )

    def __init__(
        self, decider: Decider, make: Callable[[Outcome], Any], depth: int, memory: int
    ) -> None:
        self.decider = decider
        self.depth = depth
        self.make = make
        self.longest = decider.name_length
        self.reads_now = decider.reads_now
        self.activation = decider.another()
        self.roots = [Root(number, decider.paths) for number in range(NOW + 1)]
        self.wanted = Wanted(
            *[self.roots[each].names for each in (SUBJECT, ACTION, RESOURCE, CONTEXT)]
        )
        reads_id = self.roots[RESOURCE].reads_id
        self.sieve = Sieve(
            self.wanted, reads_id, self.longest, depth, memory if 0 < depth <= DEEPEST else 0
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

    def answer(self, data: bytes) -> Answer | None:
        """What becomes of the bytes of a CheckRequest; None where they are not in their usual
        form."""
        found = self.sieve.find(self.sieve.answers(NO_DEFAULTS), data, 0, len(data))
        if isinstance(found, Answer):
            self.sieve.hits += 1
            return found
        self.sieve.misses += 1
        fields = read_check(data, self.depth, self.wanted)
        return None if fields is None else self.decide(fields, NO_DEFAULTS, found)

    def answers(self, data: bytes, most: int, look: Callable[[], bool]) -> Answers | None:
        """What becomes of those of a BatchCheckRequest of at most so many items; None where one of
        them is not in its usual form. `look` is called now and then: where it says no, nothing more
        is decided."""
        if self.depth > DEEPEST:
            return None
        try:
            return self.read(Reader(data, self.wanted), most, look)
        except (Unusual, UnicodeDecodeError):
            return None

    def read(self, reader: Reader, most: int, look: Callable[[], bool]) -> Answers | None:
        reader.outline(most)
        of_defaults = self.sifted_defaults(reader)
        known = None if of_defaults is None else self.sieve.answers(of_defaults)
        # Where something is known of them, they have been read before.
        are_read = known is None
        defaults = reader.default_fields(self.depth) if are_read else None
        found = Answers(reader.is_distinct)
        missed: list[Fields] = []
        stop = reader.next_item()
        while stop >= 0:
            start = reader.position
            sifted: Answer | bytes | None = None
            if of_defaults is not None:
                sifted = self.sieve.find(known, reader.data, start, stop)
            if isinstance(sifted, Answer):
                answer = sifted
                found.decisions.append(answer.outcome.decision)
                found.companies.append(answer.company)
            else:
                if not are_read:
                    are_read = True
                    defaults = reader.default_fields(self.depth)
                item = reader.item(stop, self.depth, defaults)
                item.place = len(found.decisions)
                item.sifted = sifted
                missed.append(item)
                found.decisions.append(None)
                found.companies.append(None)
            reader.position = stop
            stop = reader.next_item()
        # All are read before one is decided: each has a road through the processor of its own.
        return found if self.complete(found, missed, of_defaults, look) else None

    def complete(
        self,
        found: Answers,
        missed: list[Fields],
        of_defaults: bytes | None,
        look: Callable[[], bool],
    ) -> bool:
        """Decide what was not remembered. Whether all of it is in its usual form."""
        decided = late = 0
        for item in missed:
            answer: Answer | None = None
            if item.sifted is not None and of_defaults is not None:
                answer = self.sieve.recall(of_defaults, item.sifted)  # one before it is the same
            if answer is None:
                if found.is_late or (decided % LOOK == 0 and not look()):
                    found.is_late = True
                    late += 1
                    continue
                decided += 1
                answer = self.decide(item, of_defaults, item.sifted)
                if answer is None:
                    return False
            found.decisions[item.place] = answer.outcome.decision
            found.companies[item.place] = answer.company
        self.sieve.misses += decided
        self.sieve.hits += len(found.decisions) - decided - late
        return True

    def sifted_defaults(self, reader: Reader) -> bytes | None:
        """What a decision depends on in a batch's defaults; None: who knows?"""
        if reader.defaults_end < 0:
            return NO_DEFAULTS
        found = self.sieve.find(None, reader.data, reader.defaults, reader.defaults_end)
        return found if isinstance(found, bytes) else None

    def decide(
        self, fields: Fields, of_defaults: bytes | None, sifted: bytes | None
    ) -> Answer | None:
        """The Answer to an item, which is remembered where it is known what it depends on; None
        where it is not in its usual form."""
        outcome = self.outcome(fields)
        if outcome is None:
            return None
        if outcome.decision is None:
            self.make(outcome)
        answer = answer_of(outcome, self.company)
        if sifted is not None and of_defaults is not None and not self.depends_on_more():
            self.sieve.remember(of_defaults, sifted, answer)
        return answer

    def depends_on_more(self) -> bool:
        """Whether what was decided last depends on an id that no condition read, or on the time."""
        view = self.view
        assert view is not None
        if view.tables and not self.sieve.reads_id:
            return True
        root: Root = self.roots[NOW]
        for slot in root.slots:
            if self.activation.slots[slot] is not unset():
                return True
        return False

    def outcome(self, fields: Fields) -> Outcome | None:
        former = self.former
        self.former = None  # an item that is not decided is no help with the next
        if not self.take(fields, former):
            return None
        self.former = fields
        self.activation.again()  # whatever became of the item before
        if self.reads_now:
            root: Root = self.roots[NOW]
            self.activation.unset(root.slots)  # so that it shows whether the time is read
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
    name, -1 where no path is to it. `reads_id` says whether its id is read, too."""

    __slots__ = ("names", "places", "reads_id", "slots")

    def __init__(self, number: int, paths: list[Path]) -> None:
        self.slots = [slot for slot, path in enumerate(paths) if path.root == number]
        own = {paths[slot].members: slot for slot in self.slots}
        self.reads_id = not {(), ("id",)}.isdisjoint([members[:1] for members in own])
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
