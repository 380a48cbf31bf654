"""The door: what every call passes, whichever transport brought it.

Begin with `Door.answer`. A transport makes a `Call` of what it knows, and gives the door the call,
the method and the data; what comes back is the answer, or the `Status` that says why there is none.

Laws: a call whose deadline has passed is not decided. Guards are asked in their order before a
method is; the first that raises ends the call. Watchers are told of every call, refused ones too,
and cannot change its answer. An exception becomes a status here and nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .faces import Face
from .status import Code, Refusal, Status, status_of
from .trace_context import read_traceparent

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

ID = 128  # characters of a request's id that logs show: it is the caller's

A = TypeVar("A")
D = TypeVar("D")


class Caller(msgspec.Struct, frozen=True):
    """Who asks, as the transport proved it: a stranger has no names."""

    # What a certificate, a token or the kernel says that they are: `spiffe://...`, `dns:host`,
    # `uid:1000`, `token:name`, `jwt:subject`; what is told first counts most.
    names: tuple[str, ...] = ()


STRANGER = Caller()


class Call:
    """One call: what a transport knows of it besides its data. A transport may have a class of its
    own with all of this (`http2.session.Exchange`)."""

    __slots__ = (
        *("authorization", "began", "caller", "face", "left", "method", "min_revision"),
        *("request_id", "seen", "span", "traceparent", "tracestate"),
    )

    def __init__(
        self,
        face: str,
        method: str,
        caller: Caller = STRANGER,
        request_id: str = "",
        traceparent: str = "",
        left: float | None = None,
        authorization: str = "",
        tracestate: str = "",
        min_revision: str = "",
    ) -> None:
        self.began = time.perf_counter()
        self.face = face  # grpc, http, ext_authz
        self.method = method
        self.caller = caller  # as the connection proves it, until a guard knows more
        self.authorization = authorization  # the header, not checked
        self.request_id = request_id
        self.traceparent = traceparent  # as W3C Trace Context writes it, not checked
        self.tracestate = tracestate
        self.min_revision = min_revision  # the header, not checked
        self.span: tuple[str, str] | None = None  # our own: ids of its trace and of itself
        self.seen: Any = None  # what telemetry keeps of it
        self.left = left  # seconds until the caller gives up, when it began; None: never

    def check_time(self) -> None:
        """Raises Refusal where the caller has given up."""
        if self.left is not None and time.perf_counter() - self.began >= self.left:
            raise Refusal(Code.DEADLINE_EXCEEDED, "too late to decide")

    def remaining(self) -> float | None:
        """Seconds until the caller gives up, 0 or more; None: never."""
        if self.left is None:
            return None
        return max(0.0, self.left - (time.perf_counter() - self.began))

    def ids(self) -> dict[str, str]:
        """What logs know it by: `trace_id`, `span_id` (ours, or the caller's), `request_id`; those
        that there are."""
        span = self.span
        if span is None and (context := read_traceparent(self.traceparent)):
            span = context.trace_id, context.span_id
        ids = {} if span is None else {"trace_id": span[0], "span_id": span[1]}
        return ids | ({"request_id": self.request_id[:ID]} if self.request_id else {})


_answered: ContextVar[Call | None] = ContextVar("answered", default=None)


def answered() -> Call | None:
    """The call that is being answered by what asks."""
    return _answered.get()


Guard = Callable[[Call], None]  # raises Refusal
Watcher = Callable[[Call, Status | None], None]


class Door:
    """What calls pass: `guards` before they are answered, `watchers` after."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        guards: Sequence[Guard] = (),
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self._log = log
        self._guards = tuple(guards)
        self._watchers = tuple(watchers)

    def of(self, face: Face, method: str = "") -> Door:
        """The door that the calls of a face pass; of one method of it: without guards that say of
        themselves that they guard another one (`only_method`)."""
        if not face.is_guarded:
            return Door(self._log)
        if not method:
            return self
        guards = [each for each in self._guards if getattr(each, "only_method", method) == method]
        return Door(self._log, guards, self._watchers)

    def answer(self, call: Call, method: Callable[[D, Call], A], data: D) -> A | Status:
        """What `method` answers to `data`, or why there is no answer. Never raises."""
        status: Status | None = None
        token = _answered.set(call)
        try:
            if call.left is not None:
                call.check_time()
            for guard in self._guards:
                guard(call)
            return method(data, call)
        except Exception as error:
            status = self._say(call, error)
            return status
        finally:
            for watch in self._watchers:
                watch(call, status)
            _answered.reset(token)

    async def answer_later(
        self, call: Call, method: Callable[[D, Call], Awaitable[A]], data: D
    ) -> A | Status:
        """As `answer`, of a method that waits for others. Raises only where it is cancelled."""
        status: Status | None = None
        token = _answered.set(call)
        try:
            call.check_time()
            for guard in self._guards:
                guard(call)
            return await method(data, call)
        except Exception as error:
            status = self._say(call, error)
            return status
        except asyncio.CancelledError:
            status = Status(Code.CANCELLED, "the caller has gone")
            raise
        finally:
            for watch in self._watchers:
                watch(call, status)
            _answered.reset(token)

    def refuse(self, call: Call, error: Exception) -> Status:
        """What the caller of a stream learns of an exception that ends it."""
        token = _answered.set(call)
        try:
            return self._say(call, error)
        finally:
            _answered.reset(token)

    def _say(self, call: Call, error: Exception) -> Status:
        """What the caller learns of an exception; the log learns the rest."""
        status = status_of(error)
        fields: dict[str, Any] = {
            "face": call.face,
            "method": call.method,
            "status": status.code.name,
            "duration_ms": round((time.perf_counter() - call.began) * 1_000, 3),
        }
        if status.code is Code.INTERNAL:
            self._log.error("call failed", exc_info=error, **fields)
        else:
            self._log.info("call refused", error=status.message, **fields)
        return status
