"""The read side: everything that is stored, as documents to compile, with its revision.

Law: what is given is one revision, whole.
"""

from __future__ import annotations

import msgspec

from ...policy import compile_documents
from .database import Database, head_of
from .reading import state_of
from .texts import texts_of


class Snapshot(msgspec.Struct, frozen=True):
    """The documents of a revision, as names and YAML texts. The set that they compile to has the
    revision `content_hash`: if not, rows were written by hand."""

    number: int
    content_hash: str
    documents: list[tuple[str, str]]


class PostgresStore:
    """The policies of a database, of all companies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._empty = compile_documents([], database.limits).revision

    async def load(self) -> Snapshot:
        """Everything, as it is now. Raises StoreError."""
        async with self._database.transaction(None, reads=True) as connection:
            head = await head_of(connection, self._empty)
            state = await state_of(connection)
        return Snapshot(head.number, head.content_hash, sorted(texts_of(state).items()))

    async def fingerprint(self) -> str:
        """The number of the current revision. Raises StoreError."""
        async with self._database.transaction(None, reads=True) as connection:
            return str((await head_of(connection, self._empty)).number)
