"""gRPC: an interceptor of a server, `GuardInterceptor`, and under asyncio `AsyncGuardInterceptor`.

    guard = GuardInterceptor(
        pdp,
        subject=current_user,  # of the ServicerContext
        methods={"/tasks.v1.TaskService/GetTask": ("tasks:view", "tasks/{task_id}")},
        public=["/grpc.health.v1.Health/"],
    )
    server = grpc.server(pool, interceptors=[guard])

Names of a template are fields of the request message, and a resource that is a function is called
with the message; where requests are a stream there is none, so neither can be had. A method that is
neither among `methods` nor public (by its name, or with all of its service) is PERMISSION_DENIED.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc

from ..errors import ArgumentError, RequestError
from .enforcement import (
    Check,
    DecisionPoint,
    Enforcement,
    Readers,
    Refusal,
    Template,
    log,
    names_of,
)

__all__ = ["AsyncGuardInterceptor", "GuardInterceptor"]

CODES = {
    Refusal.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Refusal.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Refusal.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}


class _Guard:
    """What both interceptors are made of. Raises ArgumentError."""

    _sync = False

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[..., Any],
        methods: Mapping[str, tuple[str, str | Callable[..., Any]]],
        public: str | Iterable[str] = (),
        context: Callable[..., Any] | None = None,
        company_id: Callable[..., Any] | None = None,
    ) -> None:
        self._readers = Readers(subject, context, company_id)
        self._enforcement = Enforcement(pdp, sync=self._sync)
        self._checks = {_name(name): Check.of(*asked) for name, asked in methods.items()}
        self._public = frozenset(map(_name, names_of(public)))

    def _is_public(self, method: str) -> bool:
        return method in self._public or method.rpartition("/")[0] + "/" in self._public

    def _guarded(self, handler: Any, method: str) -> Any:
        kind = "stream" if handler.request_streaming else "unary"
        kind += "_stream" if handler.response_streaming else "_unary"
        guarded = self._behaviour(self._checks.get(method), handler, getattr(handler, kind))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(guarded, handler.request_deserializer, handler.response_serializer)

    def _behaviour(self, check: Check | None, handler: Any, behaviour: Any) -> Any:
        raise NotImplementedError


class GuardInterceptor(_Guard, grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Asks `pdp` (a `PDP` or a `Client`) before a method of a `grpc.server` runs."""

    _sync = True

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """What gRPC calls to find a method's handler."""
        handler, method = continuation(handler_call_details), handler_call_details.method
        return (
            handler
            if handler is None or self._is_public(method)
            else self._guarded(handler, method)
        )

    def _behaviour(self, check: Check | None, handler: Any, behaviour: Any) -> Any:
        def guarded(request: Any, context: Any) -> Any:
            refusal = (
                Refusal.FORBIDDEN
                if check is None
                else self._refusal(check, handler, request, context)
            )
            if refusal is not None:
                return context.abort(CODES[refusal], refusal.text)
            return behaviour(request, context)

        return guarded

    def _refusal(self, check: Check, handler: Any, request: Any, context: Any) -> Refusal | None:
        resource = _resource(check, handler, request)
        return self._enforcement.refusal(
            functools.partial(self._readers.read, check.action, resource, context)
        )


class AsyncGuardInterceptor(_Guard, grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """`GuardInterceptor` for a `grpc.aio.server`, whose methods are async; the readers may be."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """What gRPC calls to find a method's handler."""
        handler, method = await continuation(handler_call_details), handler_call_details.method
        return (
            handler
            if handler is None or self._is_public(method)
            else self._guarded(handler, method)
        )

    def _behaviour(self, check: Check | None, handler: Any, behaviour: Any) -> Any:
        async def refused(request: Any, context: Any) -> bool:
            refusal = await self._refusal(check, handler, request, context, behaviour)
            if refusal is not None:
                await context.abort(CODES[refusal], refusal.text)
            return refusal is not None

        if inspect.isasyncgenfunction(behaviour):

            async def guarded_stream(request: Any, context: Any) -> Any:
                if not await refused(request, context):
                    async for response in behaviour(request, context):
                        yield response

            return guarded_stream

        async def guarded(request: Any, context: Any) -> Any:
            if not await refused(request, context):
                return await behaviour(request, context)

        return guarded

    async def _refusal(
        self, check: Check | None, handler: Any, request: Any, context: Any, behaviour: Any
    ) -> Refusal | None:
        if check is None:
            return Refusal.FORBIDDEN
        if not (inspect.iscoroutinefunction(behaviour) or inspect.isasyncgenfunction(behaviour)):
            log.error("a method of a grpc.aio server is not async, and is not called")
            return Refusal.UNAVAILABLE
        resource = _resource(check, handler, request)
        return await self._enforcement.refusal_async(
            functools.partial(self._readers.read_async, check.action, resource, context)
        )


def _resource(check: Check, handler: Any, request: Any) -> Callable[[], Any]:
    """What gives the resource of a request message."""
    if isinstance(check.resource, Template):
        message = None if handler.request_streaming else request
        return functools.partial(check.resource.fill, functools.partial(getattr, message))
    if handler.request_streaming:
        return _no_message
    return functools.partial(check.resource, request)


def _no_message() -> Any:
    raise RequestError("resource", "the method has a stream of requests, and no message to read")


def _name(method: Any) -> str:
    if not isinstance(method, str) or not method.startswith("/") or method.count("/") != 2:
        expected = "`/package.Service/Method`"
        if isinstance(method, str):
            raise ArgumentError("methods", expected, f"`{method}`")
        raise ArgumentError.of("methods", expected, method)
    return method
