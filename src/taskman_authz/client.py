"""The decision point over gRPC, for those who ask: `Client`, and `AsyncClient` under asyncio.

    with Client("127.0.0.1:50051") as pdp:
        if pdp.check("user:123", "tasks:edit", "tasks/456", {"ip": "10.0.0.7"}):
            ...

`check` and `batch_check` are those of `PDP`, without `now`: a decision point has its own clock.
Attributes come from mappings, `Entity`, dataclasses, pydantic models and msgspec structs.

Laws: no answer is never a yes. Whatever keeps the decision point from answering in time raises
`UnavailableError`; a question that cannot be asked, here or there, raises `RequestError`. Only
UNAVAILABLE is tried again, with jitter, and only within the deadline. Needs `[sidecar]`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

try:
    import grpc
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"taskman_authz.client needs `{error.name}`: pip install 'taskman-authz[sidecar]'",
        name=error.name,
    ) from None

from .decision import INVALID, Decision, Reason
from .errors import AuthzError, RequestError, UnavailableError
from .limits import DEFAULT, Limits
from .pdp import check_items, request_of
from .request import CheckRequest, failed, make_request
from .wire import SERVICE, read_decision, read_decisions, write_batch, write_check

TIMEOUT = 1.0  # seconds; a check beside the caller takes one millisecond
_RETRY = {
    "maxAttempts": 5,  # the most that gRPC does
    "initialBackoff": "0.02s",  # each is varied by a fifth at random
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


class Client:
    """Asks the decision point at `target`: `host:port` or `unix:///path`.

    Safe to share between threads; keep one for the life of the process. `timeout` is the deadline
    of a call in seconds, retries included.
    """

    def __init__(
        self, target: str = "127.0.0.1:50051", *, timeout: float = TIMEOUT, limits: Limits = DEFAULT
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._limits = limits
        self._closed = False
        self._channel = grpc.insecure_channel(target, options=_options(limits))
        self._check: Any = self._channel.unary_unary(f"/{SERVICE}/Check", None, None)
        self._batch_check: Any = self._channel.unary_unary(f"/{SERVICE}/BatchCheck", None, None)

    def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
    ) -> Decision:
        """May `subject` do `action` on `resource`? Raises `RequestError`, `UnavailableError`."""
        request = make_request(subject, action, resource, context, company_id, 0, self._limits)
        data = write_check(request, self._limits)
        try:
            return read_decision(self._answer(self._check, data))
        except (grpc.RpcError, ValueError) as error:
            _refuse(error, self._target)

    def batch_check(self, items: Sequence[Any]) -> list[Decision]:
        """One decision an item, in their order, all of one revision. An item is a `CheckRequest`,
        a mapping or a tuple of what `check` takes; one that cannot be asked is denied. Raises
        `RequestError` for the batch as a whole (too many items), `UnavailableError`."""
        batch = _Batch(items, self._limits)
        if batch.is_empty:
            return batch.decisions([])
        try:
            return batch.decisions(read_decisions(self._answer(self._batch_check, batch.data)))
        except (grpc.RpcError, ValueError) as error:
            _refuse(error, self._target)

    def close(self) -> None:
        """Give up the connection. Calls in flight, and later ones, raise `UnavailableError`."""
        self._closed = True
        self._channel.close()

    def _answer(self, method: Any, data: bytes) -> bytes:
        if self._closed:
            raise _after_close(self._target)
        answer: bytes = method(data, timeout=self._timeout)
        return answer

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """`Client` under asyncio. Make it, use it and close it in one event loop."""

    def __init__(
        self, target: str = "127.0.0.1:50051", *, timeout: float = TIMEOUT, limits: Limits = DEFAULT
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._limits = limits
        self._closed = False
        self._channel = grpc.aio.insecure_channel(target, options=_options(limits))
        self._check: Any = self._channel.unary_unary(f"/{SERVICE}/Check", None, None)
        self._batch_check: Any = self._channel.unary_unary(f"/{SERVICE}/BatchCheck", None, None)

    async def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
    ) -> Decision:
        """May `subject` do `action` on `resource`? Raises `RequestError`, `UnavailableError`."""
        request = make_request(subject, action, resource, context, company_id, 0, self._limits)
        data = write_check(request, self._limits)
        try:
            return read_decision(await self._answer(self._check, data))
        except (grpc.RpcError, ValueError) as error:
            _refuse(error, self._target)

    async def batch_check(self, items: Sequence[Any]) -> list[Decision]:
        """`Client.batch_check`."""
        batch = _Batch(items, self._limits)
        if batch.is_empty:
            return batch.decisions([])
        try:
            answer = await self._answer(self._batch_check, batch.data)
            return batch.decisions(read_decisions(answer))
        except (grpc.RpcError, ValueError) as error:
            _refuse(error, self._target)

    async def close(self) -> None:
        """Give up the connection. Calls in flight, and later ones, raise `UnavailableError`."""
        self._closed = True
        await self._channel.close(None)

    async def _answer(self, method: Any, data: bytes) -> bytes:
        if self._closed:
            raise _after_close(self._target)
        try:
            answer: bytes = await method(data, timeout=self._timeout)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise _after_close(self._target) from None  # the call is cancelled, not the caller
            raise
        return answer

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Batch:
    """The items that can be asked, as bytes, and what is wrong with the others."""

    def __init__(self, items: Sequence[Any], limits: Limits) -> None:
        check_items(items, limits)
        requests = [_item(item, limits) for item in items]
        self.data, self._errors = write_batch(requests, limits)
        self.is_empty = None not in self._errors

    def decisions(self, answers: list[Decision]) -> list[Decision]:
        """`answers`, with a denial in the place of each item that was not sent."""
        if len(answers) != self._errors.count(None):
            raise ValueError("not as many answers as items")
        revision = answers[0].revision if answers else ""
        return list(self._merged(iter(answers), revision))

    def _merged(self, answers: Iterator[Decision], revision: str) -> Iterator[Decision]:
        for error in self._errors:
            if error is None:
                yield next(answers)
            else:
                yield Decision(False, (Reason(INVALID, "", str(error)),), revision)


def _item(item: Any, limits: Limits) -> CheckRequest | RequestError:
    try:
        if "now" in item if isinstance(item, Mapping) else isinstance(item, tuple) and item[5:]:
            return RequestError("now", "the decision point has its own clock")
        return request_of(item, 0, limits)
    except RequestError as error:
        return error
    except Exception:  # the caller's own code
        return failed("item")


def _after_close(target: str) -> UnavailableError:
    return UnavailableError(f"no answer from `{target}`: the client is closed")


def _refuse(error: Exception, target: str) -> NoReturn:
    """Raise what a failed call means to whoever asked."""
    raise _meaning(error, target) from error


def _meaning(error: Exception, target: str) -> AuthzError:
    if not isinstance(error, grpc.RpcError):
        return UnavailableError(f"the answer of `{target}` cannot be read: {error}")
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        field, found, message = details.partition(": ")
        return RequestError(field, message) if found else RequestError("message", details)
    return UnavailableError(f"no answer from `{target}`: {code.name.lower()}: {details}")


def _options(limits: Limits) -> list[tuple[str, Any]]:
    methods = [{"name": [{"service": SERVICE}], "retryPolicy": _RETRY}]
    return [
        ("grpc.service_config", json.dumps({"methodConfig": methods})),
        # A sidecar that restarts is back within a second: gRPC would wait one before it looks.
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # The answers to a full batch, with all their reasons, are longer than its questions.
        ("grpc.max_receive_message_length", 4 * limits.message_bytes),
    ]
