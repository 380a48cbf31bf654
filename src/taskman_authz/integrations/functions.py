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

from ..errors import DeniedError, RequestError
from .enforcement import Check, DecisionPoint, Template, decision_of, mark

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
        context: Callable[[], Any] = lambda: None,
        company_id: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._pdp = pdp
        self._subject = subject
        self._context = context
        self._company_id = company_id

    def __call__(
        self, action: str, resource: str | Callable[..., Any]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Guard a function. Raises ArgumentError."""
        check = Check.of(action, resource)

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            signature = inspect.signature(function)

            def ask(*args: Any, **kwargs: Any) -> Any:
                return self._ask(check, signature, args, kwargs)

            if not inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
                    _require(ask(*args, **kwargs))
                    return function(*args, **kwargs)

                return mark(guarded, check)

            @functools.wraps(function)
            async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                answer = ask(*args, **kwargs)
                _require(await answer if inspect.isawaitable(answer) else answer)
                return await function(*args, **kwargs)

            return mark(cast("Callable[P, R]", guarded_async), check)

        return decorate

    def _ask(self, check: Check, signature: inspect.Signature, args: Any, kwargs: Any) -> Any:
        subject = self._subject()
        if subject is None:
            raise RequestError("subject", "expected a subject, found nothing")
        if isinstance(check.resource, Template):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            resource = check.resource.fill(bound.arguments.__getitem__)
        else:
            resource = check.resource(*args, **kwargs)
        company_id = self._company_id()
        return self._pdp.check(
            subject, check.action, resource, self._context(), company_id=company_id
        )


def _require(answer: Any) -> None:
    decision = decision_of(answer)
    if not decision.allowed:
        raise DeniedError(decision)
