"""Second factors: the six digits that an authenticator makes of a secret and the time (TOTP, RFC
6238).

Laws: a secret counts once a code of it was shown. A code is good in its half minute and in those
beside it, and once. Secrets rest encrypted.
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from typing import NamedTuple

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..chassis.database import Database, Transaction
from ..chassis.errors import AlreadyExists, NotFound, Unavailable
from ..chassis.events import say
from . import events
from .domain import Account, Session

STEP = 30  # seconds
BESIDE = (0, -1, 1)  # steps that clocks may differ by
CODE = re.compile("[0-9]{6}")


class Secret(NamedTuple):
    """As an authenticator is told it: Base32, and as a URI."""

    text: str
    uri: str


class Factors:
    """The second factors of users, in the database, encrypted with a key made of `secret`."""

    def __init__(self, database: Database, secret: bytes) -> None:
        key = HKDF(SHA256(), 32, None, b"taskman second factors").derive(secret)
        self._box = Fernet(base64.urlsafe_b64encode(key))
        self._database = database

    async def begin(self, session: Session) -> Secret:
        """A new secret, which does not count yet. Raises AlreadyExists."""
        text = pyotp.random_base32()
        async with self._database.company(session.company_id) as transaction:
            done = await transaction.fetchval(
                "INSERT INTO second_factors AS known (user_id, company_id, secret)"
                " VALUES ($1, $2, $3) ON CONFLICT (user_id) DO UPDATE SET secret = $3"
                " WHERE NOT known.is_confirmed RETURNING true",
                *(session.user_id, session.company_id, self._box.encrypt(text.encode()).decode()),
            )
        if not done:
            raise AlreadyExists("there is a second factor; remove it first")
        return Secret(
            text, pyotp.TOTP(text).provisioning_uri(name=session.email, issuer_name="TaskMan")
        )

    async def confirm(self, session: Session, code: str) -> bool:
        """Whether it is a code of their secret; then it counts from now on, and the session is a
        confirmed one. Raises NotFound."""
        who = (session.company_id, session.user_id)
        async with self._database.company(session.company_id) as transaction:
            row = await self._row(transaction, *who)
            if row is None:
                raise NotFound("there is no second factor")
            if not await self._takes(transaction, row, code):
                return False
            if not row["is_confirmed"]:
                await transaction.execute(
                    "UPDATE second_factors SET is_confirmed = true WHERE user_id = $1", who[1]
                )
                said = events.about_session("auth.factor.confirmed", session)
                await say(transaction, events.EXCHANGE, said)
            await transaction.execute("UPDATE sessions SET mfa = true WHERE id = $1", session.id)
        return True

    async def passes(self, account: Account, code: str) -> bool | None:
        """Whether it is a code of their factor; None where they have none that counts."""
        async with self._database.company(account.company_id) as transaction:
            row = await self._row(transaction, account.company_id, account.user_id)
            if row is None or not row["is_confirmed"]:
                return None
            return await self._takes(transaction, row, code)

    async def counts(self, company_id: str, user_id: str) -> bool:
        """Whether somebody has one that counts."""
        async with self._database.company(company_id) as transaction:
            row = await self._row(transaction, company_id, user_id)
        return bool(row and row["is_confirmed"])

    async def remove(self, company_id: str, user_id: str, actor: str) -> None:
        """They have none any more. Raises NotFound."""
        async with self._database.company(company_id) as transaction:
            gone = await transaction.fetchval(
                "DELETE FROM second_factors WHERE user_id = $1 AND company_id = $2 RETURNING true",
                *(user_id, company_id),
            )
            if not gone:
                raise NotFound("there is no second factor")
            said = events.factor_removed(company_id, user_id, actor)
            await say(transaction, events.EXCHANGE, said)

    async def _row(
        self, transaction: Transaction, company_id: str, user_id: str
    ) -> dict[str, object] | None:
        # FOR UPDATE: of two calls with one code, the second sees that it was taken.
        row = await transaction.fetchrow(
            "SELECT * FROM second_factors WHERE user_id = $1 AND company_id = $2 FOR UPDATE",
            *(user_id, company_id),
        )
        return dict(row) if row else None

    async def _takes(self, transaction: Transaction, row: dict[str, object], code: str) -> bool:
        try:
            secret = self._box.decrypt(str(row["secret"]).encode()).decode()
        except InvalidToken as error:
            raise Unavailable("second factors are encrypted with another secret") from error
        step = fitting(secret, code, time.time())
        if step is None or step <= int(str(row["last_step"])):
            return False
        await transaction.execute(
            "UPDATE second_factors SET last_step = $2 WHERE user_id = $1", row["user_id"], step
        )
        return True


def fitting(secret: str, code: str, now: float) -> int | None:
    """The step, counted from the epoch, that a code is of; None where it is of none near `now`."""
    if not CODE.fullmatch(code):
        return None
    made = pyotp.HOTP(secret)
    found = None
    for step in (int(now) // STEP + each for each in BESIDE):
        if hmac.compare_digest(made.at(step), code):
            found = step if found is None else max(found, step)
    return found
