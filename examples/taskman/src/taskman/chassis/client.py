"""Other services: a channel each, with our token, the request id and trace, a deadline, retries and
a circuit breaker.

Laws: a call to another service ends no later than the call that it is made for. Only methods that
are named as safe to repeat are. A service that is sick is not asked (`Unavailable`). Errors are the
classes that the other service raised.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import grpc

from taskman_authz import ArgumentError
from taskman_authz.breaker import Breaker, BreakerSettings, Refused

from .caller import Tokens
from .errors import Unavailable, error_of
from .server import credentials
from .settings import Settings
from .tracing import Traces

_SICK = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}
_RETRY = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


class Peer:
    """Another service at an address. `repeatable` are services and methods."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        tokens: Tokens,
        traces: Traces,
        repeatable: Collection[tuple[str, str]] = (),
    ) -> None:
        self._name = name
        self._tokens = tokens
        self._traces = traces
        self._timeout = settings.call_timeout
        self.breaker = Breaker(name, BreakerSettings(timeout=settings.breaker_timeout))
        names = [{"service": service, "method": method} for service, method in repeatable]
        config = {"methodConfig": [{"name": names, "retryPolicy": _RETRY}]} if names else {}
        options = [("grpc.service_config", json.dumps(config))]
        target, given = _address(name, settings), credentials(settings)
        if given is None:
            self.channel = grpc.aio.insecure_channel(target, options)
        else:
            [(key, certificate)], authority, _ = given
            secure = grpc.ssl_channel_credentials(authority, key, certificate)
            self.channel = grpc.aio.secure_channel(target, secure, options)

    async def ask(self, method: Any, request: Any, company_id: str = "", token: str = "") -> Any:
        """What a method of a stub over `channel` answers, asked as this service for a company, or
        as whom `token` is of. Raises ServiceError."""
        name = f"{self._name} {type(request).__name__.removesuffix('Request')}"
        try:
            began = self.breaker.enter()
        except Refused as error:
            raise Unavailable(f"{self._name} does not answer") from error
        succeeded: bool | None = None
        try:
            with self._traces.asking(name, self._timeout) as call:
                metadata = (
                    ("authorization", f"Bearer {token or self._tokens.own(company_id)}"),
                    ("x-request-id", call.request_id),
                    ("traceparent", call.traceparent),
                )
                left = min(call.left, self._timeout)
                answer = await method(request, timeout=left, metadata=metadata)
            succeeded = True
            return answer
        except grpc.aio.AioRpcError as error:
            succeeded = error.code() not in _SICK
            if not succeeded:
                raise Unavailable(f"{self._name} does not answer") from error
            raise error_of(error) from error
        finally:
            self.breaker.leave(began, succeeded)

    async def close(self) -> None:
        """Give up the connection."""
        await self.channel.close(None)


def _address(name: str, settings: Settings) -> str:
    if name not in settings.peers:
        raise ArgumentError("TASKMAN_PEERS", f'{{"{name}": "HOST:PORT"}}', "no such name")
    return settings.peers[name]
