"""Failures are counted, and who fails too often waits.

Law: an attempt counts before it is looked at, so that many at once are not more than one after the
other; what succeeds is taken back.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ..chassis.database import Database

WINDOW = 15 * 60  # seconds after which failures are forgotten
# Of one address from one place the policies say how many (`too-many-failures-lock-the-door`); these
# are for who comes from many places, or tries many addresses. An office shares a place.
FROM_ANYWHERE = 50
FROM_ONE_PLACE = 200
RESETS = 3  # mails to one address

_COUNT = """
INSERT INTO failures AS known (key, count, since) SELECT each, 1, now() FROM unnest($1::text[]) each
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN known.since < now() - make_interval(secs => $2) THEN 1 ELSE known.count + 1 END,
  since = CASE WHEN known.since < now() - make_interval(secs => $2) THEN now() ELSE known.since END
RETURNING key, count
"""


class Attempt(NamedTuple):
    """An attempt to sign in: how many failed before it, from this place with this address."""

    keys: tuple[str, str, str]
    failed: int
    is_storm: bool


class Throttle:
    """Counts in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempt(self, email: str, ip: str) -> Attempt:
        """Count an attempt."""
        keys = (_key("both", email, ip), _key("email", email), _key("ip", ip))
        counts = await self._counts(sorted(keys))
        both, anywhere, place = (counts[key] - 1 for key in keys)
        return Attempt(keys, both, anywhere >= FROM_ANYWHERE or place >= FROM_ONE_PLACE)

    async def succeeded(self, attempt: Attempt) -> None:
        """It was no failure; those before it, with this address, are forgotten."""
        both, anywhere, place = attempt.keys
        async with self._database.platform() as transaction:
            await transaction.execute(
                "DELETE FROM failures WHERE key = ANY($1::text[])", [both, anywhere]
            )
            await transaction.execute(
                "UPDATE failures SET count = greatest(0, count - 1) WHERE key = $1", place
            )

    async def may_reset(self, email: str) -> bool:
        """Count a mail to an address. Whether it may be sent."""
        key = _key("reset", email)
        return (await self._counts([key]))[key] <= RESETS

    async def forget_old(self) -> None:
        """Delete what counts no more."""
        async with self._database.platform() as transaction:
            await transaction.execute(
                "DELETE FROM failures WHERE since < now() - make_interval(secs => $1)", WINDOW
            )

    async def _counts(self, keys: list[str]) -> dict[str, int]:
        # Sorted: two attempts lock rows in the same order.
        async with self._database.platform() as transaction:
            rows = await transaction.fetch(_COUNT, keys, WINDOW)
        return {row["key"]: row["count"] for row in rows}


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
