"""Policies in PostgreSQL (extra `[postgres]`): rows of tables, read as documents and written
through a compile.

Begin with `writer`, the write side; `store` is the read side. Both work in a `Database`, whose
tables `migrate` makes. `items` is what is stored, `edits` what a write may ask for, `texts` how it
becomes documents.

Laws: what does not compile is not written. Rows, revision and events are one transaction. A company
neither reads nor writes what is another's, here and in SQL (row-level security).
"""

from __future__ import annotations

try:
    import asyncpg as _asyncpg  # noqa: F401
except ImportError as error:
    raise ImportError("this needs asyncpg: pip install taskman-authz[postgres]") from error

from .compiled import Compiled
from .database import Database, Head
from .edits import Attach, Create, Delete, Detach, Edit, Put, Update
from .events import Event
from .folders import items_of
from .history import Revision
from .items import Key, StoredDocument, StoredPolicy
from .listing import Entry, Filter, Page
from .migrate import Migration, known, migrate, migrations_of
from .store import PostgresStore, Snapshot, Status
from .writer import Flip, PolicyWriter, Workshop, Written

__all__ = [
    "Attach",
    "Compiled",
    "Create",
    "Database",
    "Delete",
    "Detach",
    "Edit",
    "Entry",
    "Event",
    "Filter",
    "Flip",
    "Head",
    "Key",
    "Migration",
    "Page",
    "PolicyWriter",
    "PostgresStore",
    "Put",
    "Revision",
    "Snapshot",
    "Status",
    "StoredDocument",
    "StoredPolicy",
    "Update",
    "Workshop",
    "Written",
    "items_of",
    "known",
    "migrate",
    "migrations_of",
]
