"""`Client` and `AsyncClient`: the same questions, answered at once or awaited.

`check` and `batch_check` are those of `PDP`, without `now`: a decision point has its own clock.
Attributes come from mappings, `Entity`, dataclasses, pydantic models and msgspec structs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import grpc

from ..decision import Decision
from .asking import Asking, Call

A = TypeVar("A")


class Client(Asking):
    """Asks a decision point, as `Asking` says. Safe to share between threads; keep one for the
    life of the process. `interceptors` are gRPC's own."""

    def _open(self, target: str, options: Any, interceptors: Sequence[Any]) -> Any:
        if self._credentials is None:
            channel = grpc.insecure_channel(target, options=options)
        else:
            channel = grpc.secure_channel(target, self._credentials, options=options)
        return grpc.intercept_channel(channel, *interceptors) if interceptors else channel

    def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
        timeout: float | None = None,
        request_id: str | None = None,
        min_revision: int | None = None,
    ) -> Decision:
        """May `subject` do `action` on `resource`? `timeout` in seconds, `request_id` as the log of
        the decision point shows it; else the client's, and one made up. With `min_revision`, the
        number that a write of policies gave, it is decided by that revision or a later one, or
        there is no answer. Raises `RequestError`, `UnavailableError`."""
        question = (subject, action, resource, context, company_id)
        return self._answer(self._check, self._one(question, timeout, request_id, min_revision))

    def batch_check(
        self,
        items: Sequence[Any],
        *,
        timeout: float | None = None,
        request_id: str | None = None,
        min_revision: int | None = None,
    ) -> list[Decision]:
        """One decision an item, in their order, all of one revision. An item is a `CheckRequest`,
        a mapping or a tuple of what `check` takes; one that cannot be asked is denied. Raises
        `RequestError` for the batch as a whole (too many items), `UnavailableError`."""
        return self._answer(self._batch_check, self._many(items, timeout, request_id, min_revision))

    def close(self) -> None:
        """Give up the connection. Calls in flight, and later ones, raise `UnavailableError`."""
        self._closed = True
        self._channel.close()

    def _answer(self, method: Any, call: Call[A]) -> A:
        if call.begin():
            with call:
                call.take(method(call.data, timeout=call.timeout, metadata=call.metadata))
        return call.answer

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(Asking):
    """`Client` under asyncio. Make it, use it and close it in one event loop. `interceptors` are
    those of `grpc.aio`."""

    def _open(self, target: str, options: Any, interceptors: Sequence[Any]) -> Any:
        if self._credentials is None:
            return grpc.aio.insecure_channel(target, options, interceptors=interceptors)
        return grpc.aio.secure_channel(
            target, self._credentials, options, interceptors=interceptors
        )

    async def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
        timeout: float | None = None,
        request_id: str | None = None,
        min_revision: int | None = None,
    ) -> Decision:
        """`Client.check`."""
        question = (subject, action, resource, context, company_id)
        return await self._answer(
            self._check, self._one(question, timeout, request_id, min_revision)
        )

    async def batch_check(
        self,
        items: Sequence[Any],
        *,
        timeout: float | None = None,
        request_id: str | None = None,
        min_revision: int | None = None,
    ) -> list[Decision]:
        """`Client.batch_check`."""
        return await self._answer(
            self._batch_check, self._many(items, timeout, request_id, min_revision)
        )

    async def close(self) -> None:
        """Give up the connection. Calls in flight, and later ones, raise `UnavailableError`."""
        self._closed = True
        await self._channel.close(None)

    async def _answer(self, method: Any, call: Call[A]) -> A:
        if call.begin():
            with call:
                call.take(await method(call.data, timeout=call.timeout, metadata=call.metadata))
        return call.answer

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
