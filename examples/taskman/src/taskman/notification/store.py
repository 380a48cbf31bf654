"""Templates and notifications in PostgreSQL.

Law: who sends a notification holds its row meanwhile, so that no other process sends it too. One
that was sent and whose row could not be written then is sent again, under the same id.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from ..chassis.database import Database, Transaction
from ..chassis.errors import NotFound
from ..chassis.events import say
from ..chassis.fields import Page
from . import events
from .letters import Letter
from .templates import Template, Variable

_SHOWN = [name for name in Letter.__struct_fields__ if name != "content"]
_LIST = f"""
SELECT {", ".join(_SHOWN)} FROM notification_logs
WHERE company_id = $1 AND ($2::uuid IS NULL OR user_id = $2)
  AND ($3 = '' OR type = $3) AND ($4 = '' OR status = $4)
  AND ($5::timestamptz IS NULL OR (created_at, id) < ($5, $6::uuid))
ORDER BY created_at DESC, id DESC LIMIT $7
"""
_INSERT = """
INSERT INTO notification_logs (id, company_id, type, recipient, user_id, subject, body, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING created_at
"""
_DUE = f"""
SELECT {", ".join(_SHOWN)}, content FROM notification_logs
WHERE status = 'pending' AND not_before <= clock_timestamp()
ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_LATER = """
UPDATE notification_logs SET error = $2, attempts = $3, not_before = clock_timestamp() + $4
WHERE id = $1
"""
_ENDED = """
UPDATE notification_logs SET status = $2::text, error = $3, attempts = $4, content = NULL,
  sent_at = CASE WHEN $2::text = 'sent' THEN clock_timestamp() END
WHERE id = $1
"""
_TEMPLATE = """
SELECT name, type, subject, body, variables FROM notification_templates
WHERE name = $1 AND type = $2 ORDER BY company_id NULLS LAST LIMIT 1
"""


class Wanted(NamedTuple):
    """Which notifications; empty texts and None stand for all."""

    user_id: str | None = None
    type: str = ""
    status: str = ""


class Attempt(NamedTuple):
    """What came of an attempt: `sent`, `failed`, or `pending`, to be tried after a pause."""

    status: str
    error: str = ""
    pause: float = 0.0  # seconds


async def find_template(transaction: Transaction, type: str, name: str) -> Template:
    """As `Notifications.template`, in a transaction of a company."""
    row = await transaction.fetchrow(_TEMPLATE, name, type)
    if row is None:
        raise NotFound("there is no such template")
    variables = msgspec.json.decode(row["variables"], type=tuple[Variable, ...])
    return Template(**{**dict(row), "variables": variables})


class Notifications:
    """The notifications of all companies. `on_new` is told that some are there to be sent."""

    def __init__(self, database: Database, on_new: Callable[[], object]) -> None:
        self._database = database
        self._on_new = on_new

    async def template(self, company_id: str, type: str, name: str) -> Template:
        """The company's template of a name, or the one that all have. Raises NotFound."""
        async with self._database.company(company_id) as transaction:
            return await find_template(transaction, type, name)

    async def add(self, letters: Iterable[Letter]) -> list[Letter]:
        """Write down what a call asks for: letters of one company."""
        given = list(letters)
        async with self._database.company(given[0].company_id) as transaction:
            written = [await self.write(transaction, letter) for letter in given]
        self._on_new()
        return written

    async def write(self, transaction: Transaction, letter: Letter) -> Letter:
        """Write a letter down, in a transaction of its company."""
        row = await transaction.fetchrow(
            _INSERT,
            *(letter.id, letter.company_id, letter.type, letter.recipient, letter.user_id),
            *(letter.subject, letter.body, json.dumps(letter.content)),
        )
        return msgspec.structs.replace(letter, created_at=row["created_at"])

    async def page(self, company_id: str, wanted: Wanted, page: Page) -> list[Letter]:
        """A page, the newest first, and one more where there are more."""
        given = (company_id, *wanted, *(page.before or (None, None)), page.size + 1)
        async with self._database.company(company_id) as transaction:
            rows = await transaction.fetch(_LIST, *given)
        return [_letter(dict(row)) for row in rows]

    async def send_one(self, send: Callable[[Letter], Awaitable[Attempt]]) -> Letter | None:
        """Have `send` try the letter that has waited longest, and write down what came of it.
        None: there is none."""
        async with self._database.platform() as transaction:
            row = await transaction.fetchrow(_DUE)
            if row is None:
                return None
            letter = _letter(dict(row))
            tried = await send(letter)
            letter = msgspec.structs.replace(
                letter, status=tried.status, error=tried.error, attempts=letter.attempts + 1
            )
            done = (letter.id, letter.error, letter.attempts)
            if letter.status == "pending":
                await transaction.execute(_LATER, *done, timedelta(seconds=tried.pause))
            else:
                await transaction.execute(_ENDED, letter.id, letter.status, *done[1:])
                await say(transaction, events.EXCHANGE, events.ended(letter))
            return letter


def _letter(row: dict[str, Any]) -> Letter:
    """A row as a letter; asyncpg has UUIDs of its own."""
    for name in ("id", "company_id", "user_id"):
        row[name] = str(row[name]) if row[name] else None
    content = row.get("content")
    return Letter(**{**row, "content": json.loads(content) if content else None})
