"""What a decision reads of policies: immutable, complete, and named by its content.

INVARIANT: the same policies have the same revision and give the same answers, whatever the order
of files, of policies in a file, and of what is listed in a policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from .._fast.decide import Decider
from .._fast.rules import RuleIndex, RuleRow
from ..limits import Limits
from .document import Policy
from .origins import Origins

REVISION_LENGTH = 32  # hexadecimal digits: 128 bits


class PolicySet(msgspec.Struct, frozen=True):
    """Compiled policies. Made by `taskman_authz.policy.compile_documents`."""

    revision: str
    decider: Decider
    limits: Limits
    origins: Origins

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


def digest(company: str, policy: Policy) -> bytes:
    """The hash of all of a policy that a decision or its reasons depend on."""
    content = (
        company,
        policy.id,
        policy.effect,
        sorted(set(policy.actions)),
        sorted(set(policy.resources)),
        sorted(set(policy.roles)),
        policy.condition.rstrip(),
    )
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def revision(digests: Iterable[bytes]) -> str:
    """The hash of a set of policies."""
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()[:REVISION_LENGTH]
