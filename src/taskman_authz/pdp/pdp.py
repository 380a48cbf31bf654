"""The policy decision point: policies that can be exchanged while questions are answered.

Laws: a question, or a batch of them, reads `policies` once and is answered by that set to the end.
`install` is one assignment; there is no lock. The time is stamped once a question or batch. What
the caller's own objects raise is a RequestError, and spoils one item of a batch, not the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..decision import INVALID, Decision, Reason
from ..errors import RequestError
from ..limits import DEFAULT, Limits
from ..policy import PolicySet, compile_documents
from ..policy.files import read_documents
from ..request import CheckRequest, failed, make_request
from .authorizer import authorize

if TYPE_CHECKING:
    from .explain import DecisionExplanation

FIELDS = ("subject", "action", "resource", "context", "company_id", "now")
REQUIRED = 3  # of them


class PDP:
    """Answers questions by a `PolicySet`. Threads may share it.

    pdp = PDP.from_path("policies/taskman")
    if pdp.check("user:123", "tasks:edit", "tasks/456"):
        ...
    """

    __slots__ = ("_policies",)

    def __init__(self, policies: PolicySet) -> None:
        self._policies = policies

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], limits: Limits = DEFAULT) -> PDP:
        """A decision point by the documents of a folder or a file.

        Raises StoreError (missing, empty, unreadable) and CompileError with all issues.
        """
        return cls(compile_documents(read_documents(path, limits), limits))

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self._policies

    def install(self, policies: PolicySet) -> None:
        """Put other policies in force, for the questions that come after."""
        self._policies = policies

    def check(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
        now: datetime | int | None = None,
    ) -> Decision:
        """May `subject` do `action` on `resource`?

        A subject is `"user:123"`, a mapping or object with `type` and `id`, or an `Entity`; a
        resource the same, `"tasks/456"`; an action `"tasks:edit"` or something with a `name`.
        `now` is a datetime with its zone or nanoseconds since the Unix epoch; the clock's where
        None. Raises RequestError naming the field that cannot be understood.
        """
        policies = self._policies  # read once: one revision to the end
        moment = time.time_ns() if now is None else now
        try:
            outcome = policies.decider.ask(subject, action, resource, context, company_id, moment)
            if outcome is None:
                return _decide(policies, subject, action, resource, context, company_id, moment)
            return Decision(outcome.allowed, outcome.reasons, policies.revision)
        except RequestError:
            raise
        except Exception as error:  # a key of a caller's dict that fails to compare, and the like
            raise failed("request") from error

    def explain(
        self,
        subject: Any,
        action: Any,
        resource: Any,
        context: Any = None,
        *,
        company_id: str | None = None,
        now: datetime | int | None = None,
        others: bool = False,
    ) -> DecisionExplanation:
        """Why `check` with the same arguments decides as it does: every rule that applies, the
        clauses that decided with the values seen, and the smallest change of attributes that would
        flip the decision; with `others` also why each other rule does not apply.

        It contains attribute values: it is for administrators. Raises RequestError as `check`.
        """
        from .explain import explain  # a decision does not wait for what explains one

        policies = self._policies
        moment = time.time_ns() if now is None else now
        try:
            request = make_request(
                subject, action, resource, context, company_id, moment, policies.limits
            )
            return explain(policies, request, others)
        except RequestError:
            raise
        except Exception as error:  # as in `check`
            raise failed("request") from error

    def batch_check(self, items: Sequence[Any]) -> list[Decision]:
        """One decision for each item, in their order, by one policy set at one time.

        An item is a `CheckRequest`, a mapping with the arguments of `check`, or a tuple of the
        first of them. One that cannot be understood is denied with the reason `invalid_request`.
        Raises RequestError where there are more than `Limits.batch_size`.
        """
        policies = self._policies
        check_items(items, policies.limits)
        now = time.time_ns()
        return [_answer(policies, item, now) for item in items]


def _decide(
    policies: PolicySet,
    subject: Any,
    action: Any,
    resource: Any,
    context: Any,
    company_id: Any,
    now: Any,
) -> Decision:
    """A decision on what is not in the usual form, or wrong."""
    request = make_request(subject, action, resource, context, company_id, now, policies.limits)
    return authorize(policies, request)


def _answer(policies: PolicySet, item: Any, now: int) -> Decision:
    try:
        if isinstance(item, CheckRequest):
            return authorize(policies, item)
        arguments = _arguments(item, now)
        outcome = policies.decider.ask(*arguments)
        if outcome is None:
            return _decide(policies, *arguments)
        return Decision(outcome.allowed, outcome.reasons, policies.revision)
    except RequestError as error:
        wrong = error
    except Exception:  # as in `check`
        wrong = failed("item")
    return Decision(False, (Reason(INVALID, "", str(wrong)),), policies.revision)


def check_items(items: Any, limits: Limits) -> None:
    """Raises RequestError for what is no batch, or one that is too large."""
    if not isinstance(items, Sequence):
        raise RequestError(
            "items", f"expected a list, found a value of type {type(items).__name__}"
        )
    if len(items) > limits.batch_size:
        raise RequestError("items", f"more than {limits.batch_size} items")


def request_of(item: Any, now: int, limits: Limits = DEFAULT) -> CheckRequest:
    """The request that an item of a batch is, made at `now` unless it says another time. Raises
    RequestError."""
    try:
        if isinstance(item, CheckRequest):
            return item
        return make_request(*_arguments(item, now), limits)
    except RequestError:
        raise
    except Exception as error:
        raise failed("item") from error


def _arguments(item: Any, now: int) -> tuple[Any, Any, Any, Any, Any, Any]:
    """The arguments of `check` that an item of a batch stands for: FIELDS, None for what was left
    out but the time."""
    if isinstance(item, Mapping):
        for key in item:
            if key not in FIELDS:
                raise RequestError("item", f"unknown field, expected {', '.join(FIELDS)}")
        get = item.get
    elif isinstance(item, tuple):
        if not REQUIRED <= len(item) <= len(FIELDS):
            expected = f"{REQUIRED} to {len(FIELDS)} of {', '.join(FIELDS)}"
            raise RequestError("item", f"expected {expected}, found {len(item)}")
        get = dict(zip(FIELDS, item, strict=False)).get
    else:
        found = type(item).__name__
        raise RequestError("item", f"expected a request, a mapping or a tuple, found {found}")
    subject, action, resource, context, company_id, moment = map(get, FIELDS)
    return subject, action, resource, context, company_id, now if moment is None else moment
