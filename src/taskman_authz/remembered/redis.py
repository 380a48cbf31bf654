"""Values remembered in Redis, for several processes. Needs `[redis]`.

An epoch is a random text in a key of its own, which `drop` overwrites; a tag without one gets one
before anything is read. With them goes the run of the server: one that was restarted, or that took
over from another, may have forgotten a change, so what an earlier run kept is not found.

Laws: to find is one question to Redis, and the value is read before the epochs: a change in between
is seen. What does not answer in `timeout` seconds knows nothing, and is left alone for a while. A
change that could not be told is remembered, and until it is told nothing is found here.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from ..errors import StoreError, UnavailableError
from .cache import Found

PREFIX = "authz:epoch:"
ALL = "*"  # a tag of everything
EPOCH_SECONDS = 86_400  # longer than any value is kept
KNOWS_NOTHING = Found(None, None)
_LOSSES = (RedisError, OSError, asyncio.TimeoutError)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    epochs: tuple[str, ...]
    value: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Kept)


class RedisCache:
    """A `Cache` at `url` (`redis://host:port/1`, `rediss://`, `unix://`). `pause` is how many
    seconds a server that failed is left alone. Raises StoreError for a URL that is none."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 0.05,
        pause: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        on_problem: Callable[..., object] | None = None,
    ) -> None:
        try:
            self._redis = redis.asyncio.Redis.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=max(timeout, 1.0),
                retry=Retry(NoBackoff(), 0),
                redis_connect_func=self._connected,
            )
        except ValueError as error:
            raise StoreError(f"this is no URL of Redis: {error}") from None
        self.hits = self.misses = self.failures = 0
        self._run = ""  # of the server that we are connected to
        self._pause = pause
        self._clock = clock
        self._tell = on_problem
        self._silent_until = 0.0
        self._untold: dict[str, int] = {}  # tags, with the number of their last change
        self._changes = itertools.count()

    @property
    def is_up(self) -> bool:
        """Whether the last question was answered."""
        return self._silent_until == 0.0

    async def find(self, key: str, tags: Sequence[str]) -> Found:
        """`Cache.find`"""
        if self._is_silent() or not await self._tell_changes():
            return KNOWS_NOTHING
        tags = (*tags, ALL)
        run = self._run
        try:
            kept, epochs = await self._read(key, tags)
            if epochs is None:
                epochs = await self._make_epochs(tags)
        except _LOSSES as error:
            self._failed(error)
            return KNOWS_NOTHING
        self._answered()
        if self._run != run:  # connected anew on the way: which run the epochs are of is not known
            return KNOWS_NOTHING
        value = _value(kept, epochs)
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return Found(value, epochs)

    async def keep(self, key: str, epochs: tuple[str, ...], value: bytes, seconds: float) -> None:
        """`Cache.keep`"""
        milliseconds = int(seconds * 1_000)
        if milliseconds <= 0 or self._is_silent():
            return
        try:
            await self._redis.set(key, _ENCODER.encode(_Kept(epochs, value)), px=milliseconds)
        except _LOSSES as error:
            self._failed(error)

    async def drop(self, tags: Sequence[str]) -> None:
        """`Cache.drop`"""
        self._untold.update((tag, next(self._changes)) for tag in tags)
        if not await self._tell_changes():
            raise UnavailableError(
                "Redis does not answer: what it remembers is not used until then"
            )

    async def drop_all(self) -> None:
        """`Cache.drop_all`"""
        await self.drop((ALL,))

    async def close(self) -> None:
        """Give up the connections."""
        await self._redis.aclose()

    async def _read(self, key: str, tags: Sequence[str]) -> tuple[Any, tuple[str, ...] | None]:
        """What is kept under a key, and the epochs as they were after it; None: one is missing."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(key)
        for tag in tags:
            pipeline.get(PREFIX + tag)
        kept, *epochs = await pipeline.execute()
        if any(epoch is None for epoch in epochs):
            return None, None
        return kept, (self._run, *(epoch.decode() for epoch in epochs))

    async def _make_epochs(self, tags: Sequence[str]) -> tuple[str, ...]:
        """Epochs for the tags that have none."""
        pipeline = self._redis.pipeline(transaction=False)
        for tag in tags:
            pipeline.set(PREFIX + tag, secrets.token_hex(8), ex=EPOCH_SECONDS, nx=True)
        for tag in tags:
            pipeline.get(PREFIX + tag)
        found = (await pipeline.execute())[len(tags) :]
        # One that is gone again is one that nobody else finds: what is kept with it is not found.
        return (self._run, *((epoch or b"").decode() or secrets.token_hex(8) for epoch in found))

    async def _tell_changes(self) -> bool:
        """Tell Redis of the changes that it does not know. Whether it knows all of them."""
        if not self._untold:
            return True
        if self._is_silent():
            return False
        telling, run = dict(self._untold), self._run
        pipeline = self._redis.pipeline(transaction=False)
        for tag in telling:
            pipeline.set(PREFIX + tag, secrets.token_hex(8), ex=EPOCH_SECONDS)
        try:
            await pipeline.execute()
        except _LOSSES as error:
            self._failed(error)
            return False
        self._answered()
        if run and self._run != run:  # which of the two was told is not known
            return False
        for tag, change in telling.items():
            if self._untold.get(tag) == change:  # and not of one that came meanwhile
                del self._untold[tag]
        return not self._untold

    async def _connected(self, connection: Any) -> None:
        """Ask every new connection which run of the server it leads to."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        said = await connection.read_response()
        text = said.decode() if isinstance(said, bytes) else str(said)
        runs = [line[7:].strip() for line in text.splitlines() if line.startswith("run_id:")]
        if not runs:
            raise RedisError("the server does not say which run it is")
        if self._run not in ("", runs[0]):  # the others may lead to the former still
            await self._redis.connection_pool.disconnect(inuse_connections=False)
        self._run = runs[0]

    def _is_silent(self) -> bool:
        return self._clock() < self._silent_until

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.is_up and self._tell is not None:
            self._tell("Redis does not answer", why=type(error).__name__)
        self._silent_until = self._clock() + self._pause

    def _answered(self) -> None:
        if not self.is_up and self._tell is not None:
            self._tell("Redis answers again")
        self._silent_until = 0.0


def _value(kept: bytes | None, epochs: tuple[str, ...]) -> bytes | None:
    """The value in what is kept, if it was made in these epochs."""
    if kept is None:
        return None
    try:
        found = _DECODER.decode(kept)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # another version's
    return found.value if found.epochs == epochs else None
