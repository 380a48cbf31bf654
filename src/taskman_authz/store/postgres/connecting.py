"""Connections to PostgreSQL, and its errors as ours.

Laws: every error of the driver becomes a `StoreError` here, in words that name neither a value nor
a password. Nothing waits for the database longer than `Limits.database_seconds`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from ...errors import ArgumentError, StoreError, require
from ...limits import DEFAULT, Limits

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy"
    Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

NOT_MIGRATED = "the database has not the tables of this version: run `taskman-authz db migrate`"
TOO_LONG = "another write is taking too long"
NO_MEMBER = "GRANT authz_service, authz_platform TO the user who connects"
SCHEMES = ("postgresql://", "postgres://")
EXPECTED = "postgresql://USER@HOST:PORT/DATABASE"


def options(dsn: str, limits: Limits) -> dict[str, Any]:
    """How to connect. Raises ArgumentError for what is no DSN; it may hold a password, so it is not
    repeated."""
    require("dsn", dsn, str, "a text")
    if not dsn.startswith(SCHEMES):
        raise ArgumentError("dsn", EXPECTED, "another text")
    return {
        "dsn": dsn,
        "timeout": limits.database_seconds,
        "command_timeout": limits.database_seconds,
        "server_settings": {"application_name": "taskman-authz"},
    }


@asynccontextmanager
async def connection_to(dsn: str, limits: Limits = DEFAULT) -> AsyncIterator[Connection]:
    """One connection. Raises ArgumentError, StoreError."""
    given = options(dsn, limits)
    with told_as_ours():
        with _readable():
            connection = await asyncpg.connect(**given)
        try:
            yield connection
        finally:
            await connection.close(timeout=limits.database_seconds)


async def pool_of(dsn: str, size: int, limits: Limits = DEFAULT) -> Pool:
    """Up to `size` connections. Raises ArgumentError, StoreError."""
    given = options(dsn, limits)
    with told_as_ours(), _readable():
        return await asyncpg.create_pool(**given, min_size=1, max_size=size)


@contextmanager
def _readable() -> Iterator[None]:
    """What keeps the driver from reading the DSN is an ArgumentError."""
    try:
        yield
    except ValueError as error:
        raise ArgumentError("dsn", EXPECTED, "a text that cannot be read") from error


@contextmanager
def told_as_ours() -> Iterator[None]:
    """What the driver raises inside is a StoreError."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise StoreError(_refused(error)) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if isinstance(error, ValueError):
            raise StoreError("the database takes no such value") from error
        raise StoreError("the connection to the database was lost") from error
    except TimeoutError as error:
        raise StoreError("the database does not answer in time") from error
    except OSError as error:
        raise StoreError("the database cannot be reached") from error


def _refused(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return NOT_MIGRATED
    if isinstance(error, asyncpg.UndefinedObjectError | asyncpg.InvalidParameterValueError):
        return f"{NOT_MIGRATED} ({_message(error)})"
    if isinstance(error, asyncpg.LockNotAvailableError):
        return TOO_LONG
    if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError):
        return f"the connection to the database was lost: {_message(error)}"
    said = _message(error)
    hint = f"; {NO_MEMBER}" if "set role" in said else ""
    return f"the database refused: {said}{hint}"


def _message(error: asyncpg.PostgresError) -> str:
    """The primary message, in which no values are (these are in the detail)."""
    return str(getattr(error, "message", "") or type(error).__name__)
