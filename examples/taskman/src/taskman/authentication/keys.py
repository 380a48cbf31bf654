"""Keys that sign access tokens (ES256), in the database, in turn.

Laws: a key is published before it signs, so that who verifies has heard of it, and until every
token that it signed has ended. Private keys rest encrypted. Several processes have the same keys.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from ..chassis.database import Database, Transaction
from ..chassis.errors import ServiceError, Unauthenticated, Unavailable
from .settings import AuthenticationSettings

AHEAD = timedelta(minutes=1)  # that a key is published before it signs
LOOK = 15.0  # seconds between looks at the database
LOCK = 0x7A3A_0002  # of this database, while a key is made


class SigningKey(NamedTuple):
    """A key pair."""

    id: str
    private: ec.EllipticCurvePrivateKey
    signs_from: datetime
    verifies_until: datetime


class SigningKeys:
    """The keys of all processes; `Keys` for who verifies here."""

    def __init__(self, settings: AuthenticationSettings, database: Database) -> None:
        self._life = timedelta(seconds=settings.key_life)
        self._token_life = timedelta(seconds=settings.access_life)
        self._secret = settings.key_secret.get_secret_value().encode()
        self._database = database
        self._keys: list[SigningKey] = []  # the newest last
        self._looked = 0.0

    async def find(self, key_id: str) -> tuple[Any, str]:
        """`Keys.find`"""
        await self._look()
        for key in self._keys:
            if key.id == key_id:
                return key.private.public_key(), "ES256"
        raise Unauthenticated("the token is not valid")

    async def sign(self, claims: dict[str, Any]) -> str:
        """A token. Raises Unavailable."""
        await self._look()
        now = datetime.now(UTC)
        for key in reversed(self._keys):
            if key.signs_from <= now:
                return jwt.encode(claims, key.private, "ES256", headers={"kid": key.id})
        raise Unavailable("there is no key to sign with")

    async def published(self) -> dict[str, Any]:
        """The public keys as a JWKS."""
        await self._look()
        return {"keys": [_jwk(key) for key in self._keys]}

    async def keep_turning(self) -> NoReturn:
        """Make a new key whenever its time has come, until cancelled."""
        while True:
            try:
                await self._look(at_once=True)
            except ServiceError:
                pass  # the database is away; the keys that are known go on
            await asyncio.sleep(LOOK)

    async def _look(self, *, at_once: bool = False) -> None:
        if self._keys and not at_once and time.monotonic() - self._looked < 2 * LOOK:
            return
        async with self._database.platform() as transaction:
            await transaction.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await transaction.execute("DELETE FROM signing_keys WHERE verifies_until < now()")
            keys = await self._read(transaction)
            now = datetime.now(UTC)
            if not keys or keys[-1].signs_from + self._life - AHEAD <= now:
                # The first one signs at once: nobody can have heard of another.
                await self._make(transaction, now + AHEAD if keys else now)
                keys = await self._read(transaction)
        self._keys, self._looked = keys, time.monotonic()

    async def _read(self, transaction: Transaction) -> list[SigningKey]:
        known = {key.id: key for key in self._keys}
        rows = await transaction.fetch("SELECT * FROM signing_keys ORDER BY signs_from")
        return [known.get(str(row["id"])) or self._key(row) for row in rows]

    def _key(self, row: Any) -> SigningKey:
        pem = row["private_key"].encode()
        try:
            private = serialization.load_pem_private_key(pem, self._secret)
        except ValueError as error:
            raise Unavailable("signing keys are encrypted with another secret") from error
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return SigningKey(str(row["id"]), private, row["signs_from"], row["verifies_until"])

    async def _make(self, transaction: Transaction, signs_from: datetime) -> None:
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._secret),
        )
        # It signs a little longer than its life, where a process has not looked yet.
        until = signs_from + self._life + self._token_life + AHEAD
        await transaction.execute(
            "INSERT INTO signing_keys (id, private_key, signs_from, verifies_until)"
            " VALUES ($1, $2, $3, $4)",
            *(uuid.uuid4(), pem.decode(), signs_from, until),
        )


def _jwk(key: SigningKey) -> dict[str, Any]:
    public: dict[str, Any] = ECAlgorithm.to_jwk(key.private.public_key(), as_dict=True)
    return {**public, "kid": key.id, "use": "sig", "alg": "ES256"}
