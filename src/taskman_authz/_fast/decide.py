# cython: binding=False
"""How rules become one decision. Nowhere else do effects combine.

Laws: deny overrides allow; nothing that grants is a no. Only a condition that is `true` grants.
In a deny rule everything but `false` denies: an error closes. All conditions of a decision share
its steps; where these are spent the decision ends, and is a no. Equal conditions are evaluated at
most once for a question. The outcome is that of the first deciding row in canonical order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .access import EntityValue
from .activation import STEPS, Activation, Path
from .cells import Group
from .rows import RuleRow, merged
from .rules import RuleIndex
from .times import timestamp_of
from .values import Fault


class Outcome:
    """What was decided, by which row (None: by default) and why: `reasons` are the row's own.

    What a row decides is always the same, and is one Outcome of its Decider; so are many denials by
    rows that did not decide. `decision` and `reply`
    are for whoever makes something of it, to make that once.
    """

    __slots__ = ("allowed", "row", "reasons", "decision", "reply")

    def __init__(self, allowed: bool, row: RuleRow | None, reasons: tuple[Any, ...]) -> None:
        self.allowed = allowed
        self.row = row
        self.reasons = reasons
        self.decision: Any = None
        self.reply: bytes | None = None


def combine(
    rows: tuple[RuleRow, ...],
    activation: Activation,
    nothing: Outcome,
    limit: int,
    decided: dict[RuleRow, Outcome],
    denied: dict[tuple[Any, ...], Outcome],
) -> Outcome:
    """The outcome of rows that apply, in canonical order, over what the activation holds.

    A default deny tells at most `limit` allow rows that did not grant; where there is none, the
    outcome is `nothing`. `decided` keeps what rows decide, `denied` some denials by others.
    """
    shared: dict[int, int] | None = None  # condition number → its truth
    unmet: list[Any] | None = None
    for row in rows:
        if row.condition is None:
            found = 1
        elif row.number < 0:
            found = row.condition.truth(activation)
        else:
            if shared is None:
                shared = {}
            if row.number not in shared:
                shared[row.number] = row.condition.truth(activation)
            found = shared[row.number]
        if activation.steps < 0:
            return _outcome(False, row if row.deny else None, _ended(row))
        if row.deny:
            if found == 1:
                return _decided(row, decided)
            if found != 0:
                return _denied((row,), row, row.failed, denied)
        elif found == 1:
            return _decided(row, decided)
        else:
            if unmet is None:
                unmet = []
            if len(unmet) < limit:
                unmet.append(row.unmet if found == 0 else row.failed)
    if unmet is None:
        return nothing
    # By identity: what is kept under them holds them, so that they stay the only ones.
    return _denied(tuple([id(reason) for reason in unmet]), None, unmet, denied)


def _ended(row: RuleRow) -> tuple[Any, ...]:
    """The reasons of a decision that ended at a row, because its condition spent the steps."""
    return row.failed if row.deny else (row.failed,)


def _decided(row: RuleRow, decided: dict[RuleRow, Outcome]) -> Outcome:
    """What a row decides whose condition holds."""
    known = decided.get(row)
    if known is None:
        known = decided[row] = Outcome(not row.deny, row, row.decided)
    return known


def _denied(
    key: tuple[Any, ...],
    row: RuleRow | None,
    reasons: Iterable[Any],
    denied: dict[tuple[Any, ...], Outcome],
) -> Outcome:
    """A denial by an error of a row, or by rows that did not grant. Callers choose which, and how
    many: when it is full, what is kept is let go."""
    known = denied.get(key)
    if known is None:
        if len(denied) >= DENIED:
            denied.clear()
        known = denied[key] = _outcome(False, row, tuple(reasons))
    return known


def _outcome(allowed: bool, row: RuleRow | None, reasons: tuple[Any, ...]) -> Outcome:
    """An Outcome. Compiled, `__new__` and assignments take a fifth of a call of the class."""
    made = Outcome.__new__(Outcome)
    made.allowed = allowed
    made.row = row
    made.reasons = reasons
    made.decision = None
    made.reply = None
    return made


def _value(kind: str, id: str, attributes: Any, is_action: bool) -> EntityValue:
    """An EntityValue, made the same way."""
    made = EntityValue.__new__(EntityValue)
    made.kind = kind
    made.id = id
    made.attributes = attributes
    made.is_action = is_action
    return made


class Decider:
    """Decides questions by the rows of an index, whose conditions read through `paths`.

    It is immutable but for what it keeps: a spare activation, in use by one decision at a time,
    and what rows have decided.
    """

    __slots__ = (
        "index",
        "paths",
        "registers",
        "nothing",
        "reasons",
        "name_length",
        "subject_roles",
        "steps",
        "reads_action",
        "reads_now",
        "spare",
        "decided",
        "denied",
    )

    def __init__(
        self,
        index: RuleIndex,
        paths: list[Path],
        registers: int,
        nothing: tuple[Any, ...],
        reasons: int,
        name_length: int,
        subject_roles: int,
        steps: int = STEPS,
    ) -> None:
        self.index = index
        self.paths = paths
        self.registers = registers
        self.nothing = Outcome(False, None, nothing)
        self.reasons = reasons
        self.name_length = name_length
        self.subject_roles = subject_roles
        self.steps = steps  # that a decision may take
        roots = {path.root for path in paths}
        self.reads_action = ACTION in roots
        self.reads_now = NOW in roots
        self.spare: Activation | None = None
        self.decided: dict[RuleRow, Outcome] = {}
        self.denied: dict[tuple[Any, ...], Outcome] = {}

    def decide(self, request: Any) -> Outcome:
        """The outcome of a request: an object with the fields of a `CheckRequest`."""
        view = self.index.find(
            request.company_id,
            request.action,
            request.resource_type,
            request.resource_id,
            request.roles,
        )
        if not view.rows and not view.groups:
            return self.nothing
        return self._decide(view.rows, view.groups, request)

    def decide_by(self, rows: tuple[RuleRow, ...], request: Any) -> Outcome:
        """The outcome of a request by rows that apply to it, in canonical order."""
        return self._decide(rows, (), request)

    def _decide(
        self, rows: tuple[RuleRow, ...], groups: tuple[Group, ...], request: Any
    ) -> Outcome:
        subject = _value(request.subject_type, request.subject_id, request.subject, False)
        resource = _value(request.resource_type, request.resource_id, request.resource, False)
        action = _value("", request.action, request.action_attributes, True)
        return self._combine(
            rows,
            groups,
            subject,
            resource,
            action,
            request.context,
            request.company_id,
            request.now,
        )

    def ask(
        self, subject: Any, action: Any, resource: Any, context: Any, company: Any, now: Any
    ) -> Outcome | None:
        """The outcome of a question in its usual form, without a request being made of it: texts
        and plain dicts. None where the form is another one or something is wrong with it: whoever
        asks then makes a request, which says what."""
        if type(action) is not str or not 0 < len(action) <= self.name_length:
            return None
        if type(now) is not int or (context is not None and type(context) is not dict):
            return None
        if company is not None and (
            type(company) is not str or not 0 < len(company) <= self.name_length
        ):
            return None
        # A dict that says its own type and id is read as it is, which is quicker.
        asker: Any = subject
        if type(subject) is str:
            asker = entity_of(subject, ":")
            roles: tuple[str, ...] | None = ()
        elif type(subject) is dict:
            roles = roles_of(subject.get("roles"), self.subject_roles, self.name_length)
        else:
            return None
        asked: Any = resource
        if type(resource) is str:
            asked = entity_of(resource, "/")
        elif type(resource) is not dict:
            return None
        kind, id = _kind(asked, "/", self.name_length), _id(asked, self.name_length)
        if kind is None or id is None or roles is None:
            return None
        if _kind(asker, ":", self.name_length) is None or _id(asker, self.name_length) is None:
            return None
        view = self.index.find(company, action, kind, id, roles)
        if not view.rows and not view.groups:
            return self.nothing
        verb = _value("", action, None, True) if self.reads_action else None
        return self._combine(view.rows, view.groups, asker, asked, verb, context, company, now)

    def _combine(
        self,
        rows: tuple[RuleRow, ...],
        groups: tuple[Group, ...],
        subject: Any,
        resource: Any,
        action: EntityValue | None,
        context: Any,
        company: Any,
        now: int,
    ) -> Outcome:
        activation = self.spare
        if activation is None or activation.taken:
            activation = self.spare = self.another()
        # Since this was asked no other thread has run, as in `evaluator`.
        activation.taken = True
        # In the order of the policy variables. Without a company there is no `company_id`: to
        # read it is an error. A context that was not given is an empty one.
        roots = activation.roots
        activation.touched = True
        roots[0] = subject
        roots[1] = resource
        roots[ACTION] = action
        roots[3] = _EMPTY if context is None else context
        roots[4] = self.company_of(company)
        roots[NOW] = timestamp_of(now, "now") if self.reads_now else None
        if groups:
            rows = with_selected(rows, groups, activation)
        outcome = combine(rows, activation, self.nothing, self.reasons, self.decided, self.denied)
        activation.clear()
        return outcome

    def another(self) -> Activation:
        """An activation that nobody else uses."""
        made = Activation(len(self.paths), self.registers, ROOTS, self.steps, "decision_steps")
        made.taken = True
        return made

    def company_of(self, company: str | None) -> Any:
        """What `company_id` is in conditions."""
        return _NO_COMPANY if company is None else company


def with_selected(
    rows: tuple[RuleRow, ...], groups: tuple[Group, ...], activation: Activation
) -> tuple[RuleRow, ...]:
    """Rows, and those of some groups that what the activation holds leaves."""
    group: Group
    for group in groups:
        found = group.select(activation)
        if found:
            rows = merged(rows, found)
    return rows


def entity_of(text: str, separator: str) -> EntityValue:
    """A subject or resource that is a text; without a separator one without an id."""
    end = text.find(separator)
    if end < 0:
        return _value(text, "", None, False)
    return _value(text[:end], text[end + 1 :], None, False)


def _kind(value: Any, separator: str, longest: int) -> str | None:
    """The type of an EntityValue or of a dict, if it is one."""
    if type(value) is dict:
        attributes: dict[Any, Any] = value
        kind = attributes.get("type")
        if type(kind) is not str or separator in kind:
            return None
    else:
        entity: EntityValue = value
        kind = entity.kind
    return kind if 0 < len(kind) <= longest else None


def _id(value: Any, longest: int) -> str | None:
    """The id of an EntityValue or of a dict, if it is one."""
    if type(value) is dict:
        attributes: dict[Any, Any] = value
        id = attributes.get("id")
        if type(id) is not str:
            return None
    else:
        entity: EntityValue = value
        id = entity.id
    return id if 0 < len(id) <= longest else None


def roles_of(found: Any, most: int, longest: int) -> tuple[str, ...] | None:
    """The roles that a subject's attribute of that name holds, None for none of it; None where
    they are no roles."""
    if found is None:
        return ()
    if (type(found) is not list and type(found) is not tuple) or len(found) > most:
        return None
    for role in found:
        if type(role) is not str or len(role) > longest:
            return None
    return tuple(found)


DENIED = 1_024  # denials that are kept

# Roots of an activation that are made only where a condition reads them.
ACTION = 2
NOW = 5
ROOTS = 6

_EMPTY: dict[str, Any] = {}
_NO_COMPANY = Fault("no_such_attribute", ("company_id",))
