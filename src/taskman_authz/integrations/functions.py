"""A decorator for plain functions, sync and async:

    guard = Guard(pdp, subject=current_user.get)  # a ContextVar, or any function

    @guard("tasks:edit", "tasks/{task_id}")
    def rename(task_id: str, title: str) -> None: ...

Names of the template are the function's parameters; a resource that is a function is called with
the arguments of the call. Where it may not run, the function raises `DeniedError`, and where no
decision can be had, what `check` raised (`UnavailableError`, `RequestError`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from ..decision import Decision
from ..errors import DeniedError, RequestError
from .enforcement import (
    Check,
    DecisionPoint,
    Enforcement,
    Question,
    Readers,
    Template,
    mark,
)

__all__ = ["Guard"]

P = ParamSpec("P")
R = TypeVar("R")


class Guard:
    """Asks `pdp` before a function runs. `subject`, `context` and `company_id` are called without
    arguments."""

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[[], Any],
        context: Callable[[], Any] | None = None,
        company_id: Callable[[], str | None] | None = None,
    ) -> None:
        self._pdp = pdp
        self._readers = Readers(subject, context, company_id)
        self._enforcement = Enforcement(pdp)

    def __call__(
        self, action: str, resource: str | Callable[..., Any]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Guard a function. Raises ArgumentError: for an `AsyncClient`, where it is not async."""
        check = Check.of(action, resource)

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            signature = inspect.signature(function)

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                    resource = _resource(check, signature, args, kwargs)
                    question = await self._readers.read_async(check.action, resource)
                    _require(await self._enforcement.ask_async(_known(question)))
                    return await function(*args, **kwargs)

                return mark(cast("Callable[P, R]", guarded_async), check)

            enforcement = Enforcement(self._pdp, sync=True)

            @functools.wraps(function)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
                resource = _resource(check, signature, args, kwargs)
                _require(enforcement.ask(_known(self._readers.read(check.action, resource))))
                return function(*args, **kwargs)

            return mark(guarded, check)

        return decorate


def _resource(
    check: Check, signature: inspect.Signature, args: Any, kwargs: Any
) -> Callable[[], Any]:
    """What gives the resource of a call."""
    if not isinstance(check.resource, Template):
        return functools.partial(check.resource, *args, **kwargs)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return check.reader(bound.arguments)


def _known(question: Question) -> Question:
    if question.subject is None:
        raise RequestError("subject", "expected a subject, found nothing")
    return question


def _require(decision: Decision) -> None:
    if not decision.allowed:
        raise DeniedError(decision)
