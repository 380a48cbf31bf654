"""What both clients share, without I/O: how they are set up, and the way of one call.

A `Call` is made of a question. `begin` says whether it has to be sent (its answer is not
remembered, the circuit is closed); `with call:` around the sending learns how it ended.

Law: whatever goes wrong ends in `Call._fail`, and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import NoneType, TracebackType
from typing import Any, Generic, Literal, TypeVar

import grpc

from ..breaker import Breaker, BreakerSettings, Refused
from ..decision import UNAVAILABLE, Decision, Reason
from ..errors import (
    ArgumentError,
    AuthzError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    require,
)
from ..limits import DEFAULT, Limits
from ..request import make_request
from ..wire import SERVICE, read_decision, read_decisions, write_check
from .batch import Batch
from .channel import TLS, Target, check_secret, options_of, target_of
from .memory import Memory
from .metadata import (
    Metadata,
    Token,
    check_revision,
    check_token,
    metadata_of,
    request_id_of,
)

_log = logging.getLogger("taskman_authz.client")

TIMEOUT = 1.0  # seconds; a check beside the caller takes one millisecond
BREAKER = BreakerSettings()
LONGEST = 86_400.0  # seconds of a timeout, and of a memory: gRPC's clock overflows somewhere

# Of a decision point that is not well. With any other status it answers, and says no to a call.
_SICK = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DATA_LOSS,
    }
)
# Of one that is well, and does not serve this caller.
_UNAUTHORIZED = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
_DENIAL = Decision(False, (Reason(UNAVAILABLE, "", "the decision point did not answer"),), "")

A = TypeVar("A")


class Asking(ABC):
    """A client of the decision point at `target`: `host:port`, `unix:///path`, `dns:///name:port`
    (every address of the name) or a list of `ip:port`s.

    - `timeout`: the deadline of a call in seconds, tries again included.
    - `tls`, `token`: a `TLS`; a bearer token, or a function that gives one without waiting for it.
    - `breaker`: how the circuit breaker behaves; None: there is none.
    - `remember`: seconds that a decision may be answered again without asking; 0: never.
    - `on_unavailable`: "raise" `UnavailableError`, or "deny" with the reason `unavailable` and a
      line in the log, which is an error where this caller is refused (`UnauthorizedError`).

    Raises `ArgumentError`.
    """

    def __init__(
        self,
        target: Target = "127.0.0.1:50051",
        *,
        timeout: float = TIMEOUT,
        limits: Limits = DEFAULT,
        tls: TLS | None = None,
        token: Token | None = None,
        breaker: BreakerSettings | None = BREAKER,
        remember: float = 0,
        on_unavailable: Literal["raise", "deny"] = "raise",
        interceptors: Sequence[Any] = (),
    ) -> None:
        require("limits", limits, Limits, "Limits")
        require("tls", tls, (TLS, NoneType), "a TLS, as `TLS(ca=…)`")
        require("breaker", breaker, (BreakerSettings, NoneType), "BreakerSettings, or None")
        require("interceptors", interceptors, Sequence, "a list of gRPC's interceptors")
        self._target = target_of(target)
        self._timeout = _seconds("timeout", timeout)
        self._limits = limits
        self._token = check_token(token)
        check_secret(self._target, tls, token)
        if on_unavailable not in ("raise", "deny"):
            raise ArgumentError("on_unavailable", "`raise` or `deny`", f"{on_unavailable!r}")
        self._denies = on_unavailable == "deny"
        self._memory: Memory | None = None
        if remember:
            self._memory = Memory(_seconds("remember", remember), limits.remembered_bytes)
        self.breaker = None if breaker is None else Breaker(self._target, breaker)
        self._closed = False
        self._credentials = None if tls is None else tls.credentials()
        options = options_of(self._target, tls, limits)
        self._channel = self._open(self._target, options, interceptors)
        self._check: Any = self._channel.unary_unary(f"/{SERVICE}/Check", None, None)
        self._batch_check: Any = self._channel.unary_unary(f"/{SERVICE}/BatchCheck", None, None)

    @abstractmethod
    def _open(self, target: str, options: Any, interceptors: Sequence[Any]) -> Any:
        """A channel of gRPC."""

    def forget(self) -> None:
        """Drop all decisions that are remembered."""
        if self._memory is not None:
            self._memory.forget()

    def _one(
        self, question: Any, timeout: float | None, request_id: Any, min_revision: int | None
    ) -> Call[Decision]:
        subject, action, resource, context, company_id = question
        limits = self._limits
        request = make_request(subject, action, resource, context, company_id, 0, limits)
        data = write_check(request, limits)
        call = Call(self, data, timeout, request_id, read_decision, lambda: _DENIAL, min_revision)
        memory = self._memory
        if memory is not None and not self._closed:
            if min_revision is None:  # what is remembered may be of an earlier one
                call.known = memory.find(data)
            asked = memory.asked()
            call.told = lambda decision: memory.keep(data, decision, asked)
        return call

    def _many(
        self,
        items: Sequence[Any],
        timeout: float | None,
        request_id: Any,
        min_revision: int | None,
    ) -> Call[list[Decision]]:
        batch = Batch(items, self._limits)
        call = Call(
            self,
            batch.data,
            timeout,
            request_id,
            lambda data: batch.decisions(read_decisions(data)),
            lambda: batch.decisions([_DENIAL] * batch.sent),
            min_revision,
        )
        memory = self._memory
        if not batch.sent:
            call.known = batch.decisions([])
        elif memory is not None:
            call.told = lambda decisions: memory.see(decisions[0].revision)
        return call


class Call(Generic[A]):
    """One call: what is sent, and what came of it."""

    def __init__(
        self,
        client: Asking,
        data: bytes,
        timeout: float | None,
        request_id: Any,
        read: Callable[[bytes], A],
        denial: Callable[[], A],
        min_revision: int | None,
    ) -> None:
        self.data = data
        self.timeout = client._timeout if timeout is None else _seconds("timeout", timeout)
        self.metadata: Metadata = ()
        self.known: A | None = None  # the answer
        self.told: Callable[[A], None] | None = None  # is told a fresh answer
        self._client = client
        self._request_id = request_id_of(request_id, client._limits)
        self._min_revision = check_revision(min_revision)
        self._read = read
        self._denial = denial
        self._entered = 0

    @property
    def answer(self) -> A:
        """Once there is one."""
        assert self.known is not None
        return self.known

    def begin(self) -> bool:
        """Whether it has to be sent. Raises `UnavailableError`."""
        if self.known is not None:
            return False
        client = self._client
        try:
            if client._closed:
                raise self._unavailable("the client is closed")
            self.metadata = metadata_of(self._request_id, client._token, self._min_revision)
            if client.breaker is not None:
                self._entered = client.breaker.enter()
        except Refused as refused:
            self._fail(self._unavailable(_until(refused)), None)
        except UnavailableError as error:
            self._fail(error, error.__cause__)
        return self.known is None

    def take(self, reply: bytes) -> None:
        """The reply came."""
        try:
            answer = self._read(reply)
        except ValueError as error:
            raise _Unreadable(str(error)) from error
        if self.told is not None:
            self.told(answer)
        self.known = answer

    def __enter__(self) -> None:
        """It is sent."""

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        """It ended. Raises what a failure means to whoever asked."""
        if self._client.breaker is not None:
            self._client.breaker.leave(self._entered, self._outcome(error))
        if error is None:
            return False
        meaning = self._meaning(error)
        if meaning is None:
            return False
        self._fail(meaning, error)
        return True

    def _outcome(self, error: BaseException | None) -> bool | None:
        """What it says of the decision point: it is well, it is not, or nothing."""
        if error is None:
            return True
        if self._client._closed:
            return None
        if isinstance(error, grpc.RpcError):
            code = error.code()
            return None if code is grpc.StatusCode.CANCELLED else code not in _SICK
        return False if isinstance(error, _Unreadable) else None

    def _meaning(self, error: BaseException) -> AuthzError | None:
        if self._client._closed and not _is_cancelled(error):
            return self._unavailable("the client is closed")
        if not isinstance(error, Exception):
            return None
        if isinstance(error, _Unreadable):
            return self._unavailable(f"the answer cannot be read: {error}")
        if not isinstance(error, grpc.RpcError):  # an interceptor
            return self._unavailable(f"asking failed with {type(error).__name__}")
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            field, found, message = details.partition(": ")
            return RequestError(field, message) if found else RequestError("message", details)
        why = f"{code.name.lower()}: {details}"
        if code in _UNAUTHORIZED:
            target, request = self._client._target, self._request_id
            return UnauthorizedError(f"`{target}` refused request {request}: {why}")
        return self._unavailable(why)

    def _unavailable(self, why: str) -> UnavailableError:
        target, request = self._client._target, self._request_id
        return UnavailableError(f"no answer from `{target}` to request {request}: {why}")

    def _fail(self, error: AuthzError, cause: BaseException | None) -> None:
        if not (self._client._denies and isinstance(error, UnavailableError)):
            raise error from cause
        level = logging.ERROR if isinstance(error, UnauthorizedError) else logging.WARNING
        _log.log(level, "denied: %s", error)
        self.known = self._denial()


class _Unreadable(Exception):
    """A reply that is none."""


def _is_cancelled(error: BaseException) -> bool:
    """Whether the caller gave up. (When a client is closed, its calls are cancelled too.)"""
    if not isinstance(error, asyncio.CancelledError):
        return not isinstance(error, Exception)
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())


def _until(refused: Refused) -> str:
    if not refused.seconds:
        return str(refused)
    end = datetime.now(UTC) + timedelta(seconds=refused.seconds)
    return f"{refused} until {end:%Y-%m-%dT%H:%M:%SZ}, for {refused.seconds:.1f} s more"


def _seconds(name: str, value: Any) -> float:
    if not (isinstance(value, int | float) and 0 < value <= LONGEST):
        raise ArgumentError(name, f"seconds, more than 0 and up to {LONGEST:.0f}", f"{value!r:.50}")
    return float(value)
