"""The read side: everything that is stored, as documents to compile or compiled, with its revision.

Laws: what is given is one revision, whole. What is given compiled has the revision's content hash:
rows that were written by hand are told, not followed.
"""

from __future__ import annotations

import asyncio

import msgspec

from ...errors import CompileError, StoreError
from ...policy import compile_documents
from . import history
from .compiled import ADOPT, Compiled, compile_state
from .database import Database, Head, head_of
from .folders import files_of
from .items import Key, State
from .reading import state_of
from .texts import texts_of


class Snapshot(msgspec.Struct, frozen=True):
    """The documents of a revision, as names and YAML texts. The set that they compile to has the
    revision `content_hash`: if not, rows were written by hand."""

    number: int
    content_hash: str
    documents: list[tuple[str, str]]


class Status(msgspec.Struct, frozen=True):
    """The current revision, how much is in it, and how many events wait to be told."""

    revision: int
    content_hash: str
    policies: int
    roles: int
    documents: int
    untold: int


COUNTS = """
SELECT (SELECT count(*) FROM policies) AS policies, (SELECT count(*) FROM roles) AS roles,
  (SELECT count(*) FROM documents) AS documents,
  (SELECT count(*) FROM outbox WHERE told_at IS NULL) AS untold"""


class PostgresStore:
    """The policies of a database, of all companies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._empty = compile_documents([], database.limits).revision

    async def load(self) -> Snapshot:
        """Everything, as it is now. Raises StoreError."""
        head, state = await self._read()
        texts = await asyncio.to_thread(texts_of, state)
        return Snapshot(head.number, head.content_hash, sorted(texts.items()))

    async def compiled(self, last: Compiled | None = None) -> Compiled:
        """The current revision, compiled; where there is one that was given before, by what changed
        since. Raises StoreError, CompileError."""
        if last is not None:
            found = await self._changed_since(last)
            if found is not None:
                return found
        head, state = await self._read()
        limits = self._database.limits
        compiled = await asyncio.to_thread(compile_state, head.number, state, limits)
        if compiled.head != head:
            raise StoreError(f"what is stored is not revision {head.number}: {ADOPT}")
        return compiled

    async def _changed_since(self, last: Compiled) -> Compiled | None:
        """The current revision as `last` with what changed; None where that does not lead to it:
        somebody put another history in place."""
        async with self._database.transaction(None, reads=True) as connection:
            head = await head_of(connection, self._empty)
            if head == last.head:
                return last
            changes = await history.changes_since(connection, last.number, last.state)
        try:
            found = await asyncio.to_thread(last.changed, changes, "")
        except CompileError:
            return None
        found = found._replace(number=head.number)
        return found if found.head == head else None

    async def files(self) -> Snapshot:
        """Everything, as documents for people: few files, named by company. Raises StoreError."""
        head, state = await self._read()
        files = await asyncio.to_thread(files_of, state, self._database.limits)
        return Snapshot(head.number, head.content_hash, files)

    async def keys(self) -> tuple[Head, set[Key]]:
        """The current revision, and what everything in it is called. Raises StoreError."""
        head, state = await self._read()
        return head, set(state)

    async def _read(self) -> tuple[Head, State]:
        async with self._database.transaction(None, reads=True) as connection:
            return await head_of(connection, self._empty), await state_of(connection)

    async def head(self) -> Head:
        """The current revision. Raises StoreError."""
        async with self._database.transaction(None, reads=True) as connection:
            return await head_of(connection, self._empty)

    async def status(self) -> Status:
        """How much there is. Raises StoreError."""
        async with self._database.transaction(None, reads=True) as connection:
            head = await head_of(connection, self._empty)
            row = await connection.fetchrow(COUNTS)
        assert row is not None
        return Status(*head, **dict(row))

    async def fingerprint(self) -> str:
        """The number of the current revision. Raises StoreError."""
        return str((await self.head()).number)
