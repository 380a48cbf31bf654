"""Passwords, sessions and resets in PostgreSQL; sessions in Redis too, as long as they last
(`auth:session:{id}:{company}`).

Laws: a row and what is said of it are one transaction. A session does not end before Redis knows:
otherwise it would seem to go on there.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from taskman_authz.bindings import HeldRole, SubjectRoles
from taskman_authz.messaging import Event

from ..chassis.cache import Cache
from ..chassis.database import Database, Transaction
from ..chassis.errors import Unauthenticated, Unavailable
from ..chassis.events import say
from . import events
from .domain import Account, Session, digest, refresh_token

_ROLES = msgspec.json.Decoder(list[HeldRole])
_SESSION = """
SELECT id::text, user_id::text, company_id::text, email, refresh_token,
  coalesce(host(ip_address), '') AS ip_address, user_agent, expires_at, mfa FROM sessions
"""


class Accounts:
    """What authentication keeps."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def password(self, account: Account) -> str | None:
        """The hash of a user's password, if they have one."""
        async with self._database.company(account.company_id) as transaction:
            found: str | None = await transaction.fetchval(
                "SELECT password FROM credentials WHERE user_id = $1 AND company_id = $2",
                *(account.user_id, account.company_id),
            )
        return found

    async def roles(self, company_id: str, user_id: str) -> list[HeldRole]:
        """The roles of a user, those that have ended too."""
        async with self._database.company(company_id) as transaction:
            found = await transaction.fetchval(
                "SELECT roles FROM held_roles WHERE user_id = $1 AND company_id = $2",
                *(user_id, company_id),
            )
        return _ROLES.decode(found) if found else []

    async def take_roles(self, transaction: Transaction, event: Event) -> None:
        """What IAM told, unless something newer is known."""
        told = SubjectRoles.of(event.data)
        kind, _, id = told.subject.partition(":")
        if kind == "user":
            await transaction.execute(
                "INSERT INTO held_roles AS held (user_id, company_id, version, roles)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (company_id, user_id) DO UPDATE"
                " SET version = $3, roles = $4 WHERE held.version < $3",
                *(id, told.company_id, told.version, msgspec.json.encode(told.roles).decode()),
            )

    async def begin(self, session: Session) -> None:
        """A session begins."""
        async with self._database.company(session.company_id) as transaction:
            await transaction.execute(
                "INSERT INTO sessions (id, user_id, company_id, email, refresh_token, ip_address,"
                " user_agent, expires_at, mfa) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *(session.id, session.user_id, session.company_id, session.email),
                *(session.refresh_token, session.ip_address or None, session.user_agent),
                *(session.expires_at, session.mfa),
            )
            await self._say(transaction, events.about_session("auth.login.success", session))
        await self._remember(session, msgspec.json.encode(session))

    async def session(self, session_id: str) -> Session | None:
        """A session of whatever company."""
        async with self._database.platform() as transaction:
            row = await transaction.fetchrow(f"{_SESSION} WHERE id = $1", session_id)
        return Session(**dict(row)) if row else None

    async def going_on(self, session_id: str, company_id: str) -> Session | None:
        """A session of a company that has not ended."""
        kept = await self._cache.get("session", session_id, company_id)
        if kept:
            session: Session | None = msgspec.json.decode(kept, type=Session)
        else:
            session = await self.session(session_id)
        if session is None or session.company_id != company_id:
            return None
        return session if session.expires_at > datetime.now(UTC) else None

    async def was_used(self, session: Session, token: str) -> bool:
        """Whether it is a refresh token that the session had before."""
        async with self._database.company(session.company_id) as transaction:
            return bool(
                await transaction.fetchval(
                    "SELECT true FROM used_refresh_tokens WHERE token = $1 AND session_id = $2",
                    *(digest(token), session.id),
                )
            )

    async def rotate(self, session: Session, now: datetime) -> str | None:
        """A new refresh token in the place of the session's; None where it has another by now."""
        token = refresh_token(session.id)
        async with self._database.company(session.company_id) as transaction:
            done = await transaction.fetchval(
                "UPDATE sessions SET refresh_token = $3"
                " WHERE id = $1 AND refresh_token = $2 AND expires_at > $4 RETURNING true",
                *(session.id, session.refresh_token, digest(token), now),
            )
            if not done:
                return None
            await transaction.execute(
                "INSERT INTO used_refresh_tokens (token, session_id, company_id)"
                " VALUES ($1, $2, $3)",
                *(session.refresh_token, session.id, session.company_id),
            )
            await self._say(transaction, events.about_session("auth.token.refreshed", session))
        return token

    async def end(self, session: Session, **why: Any) -> None:
        """A session ends."""
        async with self._database.company(session.company_id) as transaction:
            gone = await transaction.fetchval(
                "DELETE FROM sessions WHERE id = $1 RETURNING true", session.id
            )
            if gone:
                await self._say(transaction, events.about_session("auth.logout", session, **why))
            await self._forget(session)

    async def end_all(self, transaction: Transaction, user_id: str, why: str) -> None:
        """All sessions of a user end, with a transaction of their company."""
        rows = await transaction.fetch(f"{_SESSION} WHERE user_id = $1 FOR UPDATE", user_id)
        for session in (Session(**dict(row)) for row in rows):
            await self._forget(session)
            await self._say(transaction, events.about_session("auth.logout", session, why=why))
        await transaction.execute("DELETE FROM sessions WHERE user_id = $1", user_id)

    async def user_gone(self, transaction: Transaction, event: Event) -> None:
        """A user was deleted or deactivated."""
        user_id = str(uuid.UUID(str(event.data["user_id"])))
        await self.end_all(transaction, user_id, event.type)
        if event.type == "user.deleted":
            for table in ("credentials", "password_resets", "held_roles", "second_factors"):
                await transaction.execute(f"DELETE FROM {table} WHERE user_id = $1", user_id)

    async def failed(self, event: Event) -> None:
        """Somebody did not get in."""
        async with self._database.platform() as transaction:
            await self._say(transaction, event)

    async def ask_reset(self, account: Account, token: str, ends: datetime) -> None:
        """A token was asked for; it is told to whoever sends it."""
        said = events.reset(account, "requested", token=token, expires_at=ends.isoformat())
        async with self._database.company(account.company_id) as transaction:
            await transaction.execute(
                "INSERT INTO password_resets (id, user_id, company_id, email, token, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                *(uuid.uuid4(), account.user_id, account.company_id, account.email),
                *(digest(token), ends),
            )
            await self._say(transaction, said)

    async def reset_of(self, token: str) -> Account | None:
        """Whose password a token may set."""
        async with self._database.platform() as transaction:
            row = await transaction.fetchrow(
                "SELECT user_id::text, company_id::text, email FROM password_resets"
                " WHERE token = $1 AND NOT used AND expires_at > now()",
                digest(token),
            )
        return Account(row["user_id"], row["company_id"], row["email"], True) if row else None

    async def set_password(self, account: Account, token: str, hashed: str) -> None:
        """Set a password by a token, once. Raises Unauthenticated where it was used meanwhile."""
        async with self._database.company(account.company_id) as transaction:
            done = await transaction.fetchval(
                "UPDATE password_resets SET used = true"
                " WHERE token = $1 AND NOT used AND expires_at > now() RETURNING true",
                digest(token),
            )
            if not done:
                raise Unauthenticated("the token is not good")
            # Other tokens that were asked for before are of no use any more.
            await transaction.execute(
                "UPDATE password_resets SET used = true WHERE user_id = $1", account.user_id
            )
            await transaction.execute(
                "INSERT INTO credentials (user_id, company_id, password) VALUES ($1, $2, $3)"
                " ON CONFLICT (user_id) DO UPDATE SET (password, updated_at) = ($3, now())",
                *(account.user_id, account.company_id, hashed),
            )
            await self.end_all(transaction, account.user_id, "auth.password.reset")
            await self._say(transaction, events.reset(account, "done"))

    async def forget_old(self) -> None:
        """Delete sessions and resets that have ended."""
        async with self._database.platform() as transaction:
            for table in ("sessions", "password_resets"):
                await transaction.execute(f"DELETE FROM {table} WHERE expires_at < now()")

    async def _say(self, transaction: Transaction, *said: Event) -> None:
        await say(transaction, events.EXCHANGE, *said)

    async def _forget(self, session: Session) -> None:
        if not await self._remember(session, b""):
            raise Unavailable("the session cannot be ended now")

    async def _remember(self, session: Session, value: bytes) -> bool:
        version = int(time.time() * 1_000_000)
        left = (session.expires_at - datetime.now(UTC)) / timedelta(seconds=1)
        key = ("session", session.id, session.company_id)
        return await self._cache.put(*key, value, version, max(1, int(left)))
