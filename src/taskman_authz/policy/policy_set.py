"""What a decision reads of policies: immutable, complete, and named by its content.

INVARIANT: the same policies have the same revision and give the same answers, whatever the order
of files, of policies in a file, and of what is listed in a policy.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .._fast.decide import Decider
from .._fast.rows import RuleRow
from .._fast.rules import RuleIndex
from ..limits import Limits
from .origins import Origins
from .revision import Digests


class Declared(msgspec.Struct, frozen=True):
    """What documents said that no rule says: the declared `roles` by company ("" for every one), if
    any are; whether their conditions were checked against a schema, and its actions by kind; the
    ids that companies have overridden; and the names of derived roles, which nobody is given. A
    change of a set must know it."""

    roles: Mapping[str, frozenset[str]]
    typed: bool
    actions: Mapping[str, tuple[str, ...]]
    overridden: frozenset[str]
    derived: frozenset[str]


class PolicySet(msgspec.Struct, frozen=True):
    """Compiled policies. Made by `taskman_authz.policy.compile_documents`, of another set by
    `change`, and of a file by `bundle.read`."""

    decider: Decider
    limits: Limits
    digests: Digests
    declared: Declared
    origins: Origins

    @property
    def revision(self) -> str:
        """The hash of what the policies say."""
        return self.digests.revision

    @property
    def index(self) -> RuleIndex:
        """The rules by what they apply to."""
        return self.decider.index

    @property
    def rules(self) -> tuple[RuleRow, ...]:
        """Every rule in canonical order: deny first, then by id and company."""
        return self.decider.index.all_rows()

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        return f"PolicySet({len(self)} policies, revision {self.revision})"
