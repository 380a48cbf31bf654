"""A source that is left alone while it is sick. It stands right before the source, behind what
remembers its answers: a remembered answer says nothing of how the source is.

Law: every call ends in one `Outcome`. A caller who gives up says nothing of the source.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ..breaker import Breaker, Refused
from ..errors import AuthzError, UnavailableError
from .sources import Source, Wanted

# `refused`: the circuit was open; `abandoned`: the caller gave up.
Outcome = Literal["answered", "failed", "refused", "abandoned"]


class GuardedSource:
    """`source`, within `timeout` seconds a call, and not while its `breaker` is open (None: there
    is none). `told` learns of each call how it ended, how many seconds it took, and why it was
    nothing."""

    def __init__(
        self,
        source: Source,
        timeout: float,
        breaker: Breaker | None = None,
        told: Callable[[Outcome, float, str], object] = lambda _outcome, _seconds, _why: None,
    ) -> None:
        self._source = source
        self._timeout = timeout
        self._breaker = breaker
        self._told = told

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        """`Source.fetch`. Raises UnavailableError also where the circuit is open."""
        try:
            ticket = 0 if self._breaker is None else self._breaker.enter()
        except Refused as error:
            self._told("refused", 0.0, str(error))
            raise UnavailableError(str(error)) from None
        began = time.perf_counter()
        outcome: Outcome = "abandoned"
        why = ""
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._source.fetch(company_id, wanted)
            outcome = "answered"
        except (AuthzError, TimeoutError) as error:
            outcome, why = "failed", str(error) or "too late"
            raise UnavailableError(why) from None
        finally:
            if self._breaker is not None:
                self._breaker.leave(ticket, {"answered": True, "failed": False}.get(outcome))
            self._told(outcome, time.perf_counter() - began, why)
        return found
