"""Passwords and bcrypt, in threads: a hash takes a third of a second, which no call may wait for
but its own.

Law: a password is compared with some hash also where there is none, so that both take as long.
"""

from __future__ import annotations

import asyncio
import os

import bcrypt

from ..chassis.errors import InvalidInput

LONGEST = 72  # bytes; bcrypt takes no more
SHORTEST = 12  # characters


class Passwords:
    """Hashes with a cost of 2^`cost` rounds; no more at once than there are processors."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._turns = asyncio.Semaphore(os.cpu_count() or 1)
        self._nobodys = bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt(cost))

    async def hash(self, password: str) -> str:
        """The hash of a password."""
        async with self._turns:
            made = await asyncio.to_thread(
                bcrypt.hashpw, password.encode(), bcrypt.gensalt(self._cost)
            )
        return made.decode()

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Whether it is the password of a hash; never where there is none (None)."""
        given = password.encode()
        can_fit = hashed is not None and len(given) <= LONGEST and b"\0" not in given
        given = given.replace(b"\0", b" ")[:LONGEST]  # bcrypt takes neither
        async with self._turns:
            fits = await asyncio.to_thread(
                bcrypt.checkpw, given, hashed.encode() if hashed else self._nobodys
            )
        return fits and can_fit


def read_password(field: str, text: str) -> str:
    """A new password. Raises InvalidInput."""
    if len(text) < SHORTEST or len(text.encode()) > LONGEST or "\0" in text:
        raise InvalidInput(
            field, f"expected {SHORTEST} characters or more, {LONGEST} bytes at most"
        )
    return text
