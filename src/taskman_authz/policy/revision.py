"""The revision of policies: a hash of all that a decision or its reasons depend on.

Each policy has a digest (SHA-256). They are the leaves of a tree of fixed shape: a leaf's first
byte says in which of 256 branches it is; a branch is hashed over its leaves in their order, the
revision over all branches in theirs. So it depends on the set of policies alone, and a change of
one policy hashes one branch and the root again, not a hundred thousand leaves.

Two sets with one revision would be a collision of SHA-256 (cut to 128 bits), as with one hash over
everything: leaves have a fixed length, so a branch's text says what its leaves are; and so do the
hashes of branches, so the root's text says what the branches are. (A sum or product of digests
could be changed in no time at all as well, but for these equal sums can be sought.)
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterable

import msgspec

from .._fast.rows import RuleRow

REVISION_LENGTH = 32  # hexadecimal digits: 128 bits
BRANCHES = 256

_encode = msgspec.json.Encoder().encode


def digest(row: RuleRow) -> bytes:
    """The hash of all of a policy that a decision or its reasons depend on."""
    content = (
        row.company or "",
        row.id,
        "deny" if row.deny else "allow",
        sorted(row.actions),
        sorted(row.resources),
        sorted(row.roles),
        row.text,
    )
    return hashlib.sha256(_encode(content)).digest()


class Digests:
    """The digests of a set of policies. Immutable; sets that differ in little share most of it."""

    __slots__ = ("_branches", "_hashes", "revision")

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        branches: list[list[bytes]] = [[] for _ in range(BRANCHES)]
        for each in digests:
            branches[each[0]].append(each)
        for branch in branches:
            branch.sort()
        self._set(branches, [_hash(branch) for branch in branches])

    def changed(self, gone: Iterable[bytes], new: Iterable[bytes]) -> Digests:
        """The digests without some that are here, and with others."""
        branches, hashes = self._branches.copy(), self._hashes.copy()
        left_out, taken_in = list(gone), list(new)
        touched = {each[0] for each in (*left_out, *taken_in)}
        for number in touched:
            branches[number] = branches[number].copy()
        for each in left_out:
            branch = branches[each[0]]
            place = bisect_left(branch, each)
            assert branch[place] == each, "a policy left out was none of the set"
            del branch[place]
        for each in taken_in:
            insort(branches[each[0]], each)
        for number in touched:
            hashes[number] = _hash(branches[number])
        made = Digests.__new__(Digests)
        made._set(branches, hashes)
        return made

    def _set(self, branches: list[list[bytes]], hashes: list[bytes]) -> None:
        self._branches = branches
        self._hashes = hashes
        self.revision = _hash(hashes).hex()[:REVISION_LENGTH]


def _hash(parts: list[bytes]) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
