"""Who holds which role, in PostgreSQL.

Laws: a change, its version and what is said of it are one transaction. Changes of one company's
roles come one after the other, so that the last admin is counted right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

from taskman_authz.messaging import Event

from ..chassis.database import Database, Transaction
from ..chassis.errors import Conflict, NotFound
from ..chassis.events import say
from .access import ADMIN
from .events import EXCHANGE, told

SYSTEM = "service:iam-admin-service"


class Held(NamedTuple):
    """A role that somebody holds."""

    name: str
    expires_at: datetime | None
    assigned_by: str
    assigned_at: datetime


class Everything(NamedTuple):
    """All that somebody holds, and how often that has changed."""

    company_id: str
    user_id: str
    version: int
    held: list[Held]


_EVERYBODY = """
SELECT company_id::text, user_id::text, version, (
  SELECT array_agg((role, expires_at, assigned_by, assigned_at) ORDER BY role) FROM user_roles
  WHERE (user_roles.company_id, user_roles.user_id) = (v.company_id, v.user_id)
    AND (expires_at IS NULL OR expires_at > now())
) AS held
FROM role_versions AS v
"""
_HELD = (
    "SELECT role, expires_at, assigned_by, assigned_at FROM user_roles WHERE company_id = $1"
    " AND user_id = $2 AND (expires_at IS NULL OR expires_at > now()) ORDER BY role"
)
_ADMINS = (
    "SELECT count(*) FROM user_roles WHERE company_id = $1 AND role = $2 AND user_id <> $3"
    " AND (expires_at IS NULL OR expires_at > now())"
)
_ASSIGN = (
    "INSERT INTO user_roles (company_id, user_id, role, assigned_by, expires_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (company_id, user_id, role)"
    " DO UPDATE SET (assigned_by, expires_at, assigned_at) = ($4, $5, clock_timestamp())"
)
_VERSION = (
    "INSERT INTO role_versions (company_id, user_id, version) VALUES ($1, $2, 1)"
    " ON CONFLICT (company_id, user_id) DO UPDATE SET version = role_versions.version + 1"
    " RETURNING version"
)
_EXPIRED = (
    "DELETE FROM user_roles WHERE (company_id, user_id, role) IN ("
    "SELECT company_id, user_id, role FROM user_roles WHERE expires_at <= now()"
    " ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)"
    " RETURNING company_id::text, user_id::text, role"
)


class Roles:
    """The roles that users hold, one company at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def other_admins(self, company_id: str, user_id: str) -> int:
        """How many admins a company has besides somebody."""
        async with self._database.company(company_id) as transaction:
            return int(await transaction.fetchval(_ADMINS, company_id, ADMIN, user_id))

    async def assign(
        self, company_id: str, user_id: str, role: str, expires_at: datetime | None, actor: str
    ) -> list[Held]:
        """Give a role, or give it for another time. All that they hold then."""
        async with self._database.company(company_id) as transaction:
            return await assign(transaction, company_id, user_id, role, expires_at, actor)

    async def revoke(
        self, company_id: str, user_id: str, role: str, actor: str, other_admins: int
    ) -> list[Held]:
        """Take a role back; `other_admins` is how many were counted when it was decided. All that
        they hold then. Raises NotFound, Conflict."""
        async with self._database.company(company_id) as transaction:
            await _in_turn(transaction, company_id)
            counted = await transaction.fetchval(_ADMINS, company_id, ADMIN, user_id)
            if role == ADMIN and counted != other_admins:
                raise Conflict("the admins of the company are others now")
            gone = await transaction.fetchval(
                "DELETE FROM user_roles WHERE (company_id, user_id, role) = ($1, $2, $3)"
                " AND (expires_at IS NULL OR expires_at > now()) RETURNING true",
                *(company_id, user_id, role),
            )
            if not gone:
                raise NotFound("they do not hold this role")
            return await _changed(transaction, "revoked", company_id, user_id, actor, role)

    async def welcome(self, transaction: Transaction, event: Event, role: str) -> None:
        """Give who is new the role that everybody begins with."""
        company_id, user_id = str(event.company_id), str(event.data["user_id"])
        if not await transaction.fetch(_HELD, company_id, user_id):
            await assign(transaction, company_id, user_id, role, None, SYSTEM)

    async def forget(self, transaction: Transaction, event: Event) -> None:
        """Who is gone holds nothing."""
        company_id, user_id = str(event.company_id), str(event.data["user_id"])
        await _in_turn(transaction, company_id)
        gone = await transaction.fetch(
            "DELETE FROM user_roles WHERE (company_id, user_id) = ($1, $2) RETURNING role",
            *(company_id, user_id),
        )
        if gone:
            role = gone[0]["role"]
            await _changed(transaction, "revoked", company_id, user_id, SYSTEM, role)

    async def everybody(self) -> AsyncIterator[Everything]:
        """All that anybody holds or held, of all companies."""
        async with self._database.platform() as transaction:
            async for row in transaction.cursor(_EVERYBODY):
                held = [Held(*role) for role in row["held"] or ()]
                yield Everything(row["company_id"], row["user_id"], row["version"], held)

    async def expire(self) -> int:
        """Take back what has ended. How many there were."""
        async with self._database.platform() as transaction:
            rows = await transaction.fetch(_EXPIRED)
            for company_id, user_id, role in rows:
                await _changed(transaction, "revoked", company_id, user_id, SYSTEM, role)
        return len(rows)


async def assign(
    transaction: Transaction,
    company_id: str,
    user_id: str,
    role: str,
    expires_at: datetime | None,
    actor: str,
) -> list[Held]:
    """As `Roles.assign`."""
    await _in_turn(transaction, company_id)
    await transaction.execute(_ASSIGN, company_id, user_id, role, actor, expires_at)
    return await _changed(transaction, "assigned", company_id, user_id, actor, role)


async def _in_turn(transaction: Transaction, company_id: str) -> None:
    await transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", company_id)


async def _changed(
    transaction: Transaction, verb: str, company_id: str, user_id: str, actor: str, role: str
) -> list[Held]:
    version: Any = await transaction.fetchval(_VERSION, company_id, user_id)
    held = [Held(*row) for row in await transaction.fetch(_HELD, company_id, user_id)]
    await say(transaction, EXCHANGE, told(verb, company_id, user_id, version, held, actor, role))
    return held
