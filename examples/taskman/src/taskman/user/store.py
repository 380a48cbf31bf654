"""Users in PostgreSQL, and in the cache (`user:profile:{id}:{company}`, 30 minutes).

Law: a row and what is said of it are one transaction; the cache is told after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from taskman_authz.messaging import Event

from ..chassis.cache import Cache
from ..chassis.database import Database, Transaction
from ..chassis.errors import AlreadyExists, NotFound
from ..chassis.events import say
from ..chassis.fields import Page
from .domain import PREFERENCES, User
from .events import EXCHANGE

PROFILE_SECONDS = 30 * 60
Change = Callable[[User], tuple[User, list[Event]]]  # a user after it, and what is said
_OWN = [field for field in User.__struct_fields__ if field not in PREFERENCES]
_SELECT = f"""
SELECT {", ".join(f"users.{name}" for name in _OWN)}, {", ".join(PREFERENCES)}
FROM users JOIN user_preferences ON user_id = users.id
"""
_LIST = f"""{_SELECT}
WHERE users.company_id = $1 AND ($2 = '' OR department = $2)
  AND ($3::bool IS NULL OR is_active = $3)
  AND ($4::timestamptz IS NULL OR (created_at, users.id) < ($4, $5::uuid))
ORDER BY created_at DESC, users.id DESC LIMIT $6
"""
_SEARCH = f"""{_SELECT}
WHERE users.company_id = $1 AND (lower(first_name) LIKE $2 OR lower(last_name) LIKE $2
  OR lower(username) LIKE $2 OR email LIKE $2)
  AND ($3::timestamptz IS NULL OR (created_at, users.id) < ($3, $4::uuid))
ORDER BY created_at DESC, users.id DESC LIMIT $5
"""
_INSERTED = [name for name in _OWN if name not in ("created_at", "updated_at")]
_INSERT = f"""
INSERT INTO users ({", ".join(_INSERTED)})
VALUES ({", ".join(f"${number}" for number in range(1, len(_INSERTED) + 1))})
RETURNING created_at, updated_at
"""
_UPDATE = f"""
UPDATE users SET ({", ".join(_INSERTED)}, updated_at)
  = ({", ".join(f"${number}" for number in range(1, len(_INSERTED) + 1))}, clock_timestamp())
WHERE id = $1 RETURNING created_at, updated_at
"""
_PREFER = """
INSERT INTO user_preferences (user_id, company_id, language, timezone, theme, preferences)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id) DO UPDATE SET (language, timezone, theme, preferences) = ($3, $4, $5, $6)
"""
_COUNT = "SELECT count(*) FROM users WHERE company_id = $1"


class Users:
    """The users of all companies, one company at a time."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def get(self, company_id: str, user_id: str) -> User:
        """A user. Raises NotFound."""
        kept = await self._cache.get("profile", user_id, company_id)
        if kept is not None:
            return msgspec.json.decode(kept, type=User)
        async with self._database.company(company_id) as transaction:
            user = await _find(transaction, company_id, user_id)
        await self._keep(user)
        return user

    async def by_email(self, email: str) -> User:
        """A user of whatever company. Raises NotFound."""
        async with self._database.platform() as transaction:
            row = await transaction.fetchrow(f"{_SELECT} WHERE email = $1", email)
        if row is None:
            raise NotFound("there is no such user")
        return _user(row)

    async def some(self, company_id: str, ids: Sequence[str]) -> list[User]:
        """Those of some ids who exist."""
        query = f"{_SELECT} WHERE users.company_id = $1 AND users.id = ANY($2::uuid[])"
        async with self._database.company(company_id) as transaction:
            return [_user(row) for row in await transaction.fetch(query, company_id, ids)]

    async def page(
        self, company_id: str, page: Page, department: str, is_active: bool | None
    ) -> list[User]:
        """A page of users, and one more where there are more."""
        before = page.before or (None, None)
        given = (company_id, department, is_active, *before, page.size + 1)
        async with self._database.company(company_id) as transaction:
            return [_user(row) for row in await transaction.fetch(_LIST, *given)]

    async def search(self, company_id: str, page: Page, query: str) -> list[User]:
        """A page of users whose names or e-mail begin so, and one more where there are more."""
        pattern = query.lower()
        for special in "\\%_":
            pattern = pattern.replace(special, f"\\{special}")
        before = page.before or (None, None)
        async with self._database.company(company_id) as transaction:
            rows = await transaction.fetch(
                _SEARCH, company_id, f"{pattern}%", *before, page.size + 1
            )
        return [_user(row) for row in rows]

    async def add(self, user: User, said: Sequence[Event]) -> tuple[User, int]:
        """Add a user; how many the company has now. Raises AlreadyExists."""
        async with self._database.company(user.company_id) as transaction:
            user = await self._written(transaction, _INSERT, user)
            await say(transaction, EXCHANGE, *said)
            count = await transaction.fetchval(_COUNT, user.company_id)
        await self._keep(user)
        return user, count

    async def change(self, company_id: str, user_id: str, change: Change) -> User:
        """Change a user whom nobody else changes meanwhile. Raises NotFound, AlreadyExists."""
        async with self._database.company(company_id) as transaction:
            found = await _find(transaction, company_id, user_id, " FOR UPDATE OF users")
            user, said = change(found)
            user = await self._written(transaction, _UPDATE, user)
            await say(transaction, EXCHANGE, *said)
        await self._keep(user)
        return user

    async def remove(self, user: User, said: Sequence[Event]) -> int:
        """Remove a user; how many the company has now. Raises NotFound."""
        async with self._database.company(user.company_id) as transaction:
            gone: datetime | None = await transaction.fetchval(
                "DELETE FROM users WHERE id = $1 RETURNING clock_timestamp()", user.id
            )
            if gone is None:
                raise NotFound("there is no such user")
            await say(transaction, EXCHANGE, *said)
            count: int = await transaction.fetchval(_COUNT, user.company_id)
        key = ("profile", user.id, user.company_id)
        await self._cache.put(*key, b"", _version(gone), PROFILE_SECONDS)
        return count

    async def _written(self, transaction: Transaction, statement: str, user: User) -> User:
        values = [getattr(user, name) for name in _INSERTED]
        try:
            row = await transaction.fetchrow(statement, *values)
        except asyncpg.UniqueViolationError as error:
            field = "email" if "email" in (error.constraint_name or "") else "username"
            raise AlreadyExists("is taken", field) from error
        preferences = (user.language, user.timezone, user.theme, json.dumps(user.preferences))
        await transaction.execute(_PREFER, user.id, user.company_id, *preferences)
        return msgspec.structs.replace(
            user, created_at=row["created_at"], updated_at=row["updated_at"]
        )

    async def _keep(self, user: User) -> None:
        assert user.updated_at is not None
        key = ("profile", user.id, user.company_id)
        value = msgspec.json.encode(user)
        await self._cache.put(*key, value, _version(user.updated_at), PROFILE_SECONDS)


async def _find(transaction: Transaction, company_id: str, user_id: str, lock: str = "") -> User:
    query = f"{_SELECT} WHERE users.id = $1 AND users.company_id = $2{lock}"
    row = await transaction.fetchrow(query, user_id, company_id)
    if row is None:
        raise NotFound("there is no such user")
    return _user(row)


def _version(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)


def _user(row: Any) -> User:
    values = dict(row)
    values |= {name: str(values[name]) for name in ("id", "company_id")}
    return User(**{**values, "preferences": json.loads(values["preferences"])})
