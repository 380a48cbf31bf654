"""Applies the numbered SQL files of a package to a database: those of `migrations`, or another's.

Laws: one at a time, whoever else migrates waits (an advisory lock); each in a transaction of its
own, with its checksum. A database in which one was applied that is another here, or is none, is
refused and left as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from ...errors import StoreError
from .connecting import connection_to, told_as_ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .connecting import Connection

LOCK = 0x7A3A_0001  # of this database, while it is migrated
_FILE = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")
TABLE = "authz_migrations"  # where it is kept which were applied
_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
  number int PRIMARY KEY,
  name varchar(255) NOT NULL,
  checksum varchar(64) NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)"""


class Migration(msgspec.Struct, frozen=True):
    """A file of SQL, and when it was applied to a database, if it was."""

    number: int
    name: str
    sql: str = ""
    applied_at: datetime | None = None

    @property
    def checksum(self) -> str:
        """The SHA-256 of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04} {self.name}"


def known(package: str = f"{__package__}.migrations") -> list[Migration]:
    """The migrations of this version, or of another package, in their order."""
    folder = files(package)
    found = [(_FILE.fullmatch(each.name), each) for each in folder.iterdir()]
    return sorted(
        (
            Migration(int(match["number"]), match["name"], file.read_text(encoding="utf-8"))
            for match, file in found
            if match
        ),
        key=lambda each: each.number,
    )


async def migrate(
    dsn: str, migrations: Sequence[Migration] | None = None, table: str = TABLE
) -> list[Migration]:
    """Apply what is not applied yet (default: `known()`), and say what that was. Whoever shares a
    database keeps which were applied in a `table` of its own. Raises StoreError."""
    wanted = known() if migrations is None else migrations
    async with _alone(dsn) as connection:
        await connection.execute(_CREATE.format(table=table))
        applied = await _applied(connection, wanted, table)
        new = [each for each in wanted if each.number not in applied]
        for each in new:
            async with connection.transaction():
                await connection.execute(each.sql)
                await connection.execute(
                    f"INSERT INTO {table} (number, name, checksum) VALUES ($1, $2, $3)",
                    *(each.number, each.name, each.checksum),
                )
        return new


async def migrations_of(dsn: str) -> list[Migration]:
    """The migrations of this version, each with when it was applied. Raises StoreError, also for a
    database that `migrate` refuses."""
    async with connection_to(dsn) as connection:
        there = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", TABLE)
        applied = await _applied(connection, known()) if there else {}
    return [msgspec.structs.replace(each, applied_at=applied.get(each.number)) for each in known()]


@asynccontextmanager
async def _alone(dsn: str) -> AsyncIterator[Connection]:
    async with connection_to(dsn) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)  # goes with the connection
        try:
            with told_as_ours():
                yield connection
        except StoreError as error:
            cause = error.__cause__
            if isinstance(cause, asyncpg.InsufficientPrivilegeError):
                hint = "let a user migrate who may create tables and the two roles (CREATEROLE)"
                raise StoreError(f"{error}; {hint}") from cause
            raise


async def _applied(
    connection: Connection, wanted: Sequence[Migration], table: str = TABLE
) -> dict[int, datetime]:
    """When each was applied. Raises StoreError for one that is not among `wanted`, or another."""
    files = {each.number: each for each in wanted}
    rows = await connection.fetch(f"SELECT * FROM {table} ORDER BY number")
    for row in rows:
        said = f"the migration {row['number']:04} {row['name']}, applied at {row['applied_at']}"
        file = files.get(row["number"])
        if file is None:
            raise StoreError(f"{said}, is not known here: the database is of a later version")
        if file.checksum != row["checksum"]:
            raise StoreError(f"{said}, is another one here: its file was changed afterwards")
    numbers = {row["number"] for row in rows}
    last = max(numbers, default=0)
    for each in wanted:
        if each.number < last and each.number not in numbers:
            raise StoreError(f"the migration {each} was left out, and later ones were applied")
    return {row["number"]: row["applied_at"] for row in rows}
