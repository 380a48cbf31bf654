"""Where the rules of a set are from: the place of each policy, and its condition as it was
compiled, the names that files define and the types of schemas worked in.

A decision needs none of it. Whoever looks into one does: what explains it, or measures which
clauses tests have seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._fast.rows import RuleRow
from ..cel import Env, Source
from ..issues import Place
from .loader import ConditionPlaces, Text
from .resolver import Condition, Entry
from .yaml_reader import Path

BUNDLE = "<bundle>"
Key = tuple[str, str | None]  # a policy's id and its company


class Origin(NamedTuple):
    """A policy at `path` of a `text`, and its condition, None if it has none."""

    text: Text
    path: Path
    condition: Condition | None

    @property
    def place(self) -> Place:
        """Where the policy begins: its id."""
        return self.text.place((*self.path, "id"))

    @property
    def source(self) -> Source | None:
        """The condition; its places are those of the file."""
        return None if self.condition is None else self.condition.source

    @property
    def env(self) -> Env | None:
        """What the condition was compiled in."""
        return None if self.condition is None else self.condition.env


class _Known(NamedTuple):
    """What is kept of a policy's origin: the text, the numbers of the document in it and of the
    policy in that, what the condition was compiled in; and the condition only where it is not as it
    was written. (There are many, and almost none is ever asked for.)"""

    text: Text
    document: int
    policy: int
    env: Env | None
    condition: Condition | None

    def origin(self, row: RuleRow) -> Origin:
        """The origin of the policy's rule."""
        path: Path = (self.document, "policies", self.policy)
        if self.env is None or self.condition is not None:
            return Origin(self.text, path, self.condition)
        places = ConditionPlaces(self.text, (*path, "condition"))
        source = Source(row.text, self.text.name, places)
        return Origin(self.text, path, Condition(source, self.env))


class Origins:
    """The origins of a set's rules. Of those of a bundle nobody knows more than their conditions'
    texts, which `env` reads."""

    __slots__ = ("_env", "_known")

    def __init__(self, known: Mapping[Key, _Known], env: Env | None = None) -> None:
        self._known = known
        self._env = env

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> Origins:
        """The origins of policies that stand in documents."""
        return cls(_known(entries))

    def changed(self, gone: Iterable[RuleRow], entries: Iterable[Entry]) -> Origins:
        """These origins without those of some rules, and with those of other policies."""
        made = dict(self._known)
        for row in gone:
            made.pop((row.id, row.company), None)
        made.update(_known(entries))
        return Origins(made, self._env)

    def of(self, row: RuleRow) -> Origin | None:
        """The origin of a rule; None where nobody knows."""
        known = self._known.get((row.id, row.company))
        if known is not None:
            return known.origin(row)
        if self._env is None:
            return None
        condition = Condition(Source(row.text, BUNDLE), self._env) if row.text else None
        return Origin(Text(BUNDLE, ""), (), condition)


def _known(entries: Iterable[Entry]) -> dict[Key, _Known]:
    found = {}
    for entry in entries:
        document, condition = entry.document, entry.condition
        env = None if condition is None else condition.env
        # A condition that names or types were worked into has places of its own.
        written = condition is None or type(condition.source.places) is ConditionPlaces
        kept = None if written else condition
        place = (document.text, document.number, entry.number)
        found[entry.policy.id, document.company or None] = _Known(*place, env, kept)
    return found
