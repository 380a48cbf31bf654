"""The policy decision point: policies that can be exchanged while questions are answered.

Laws: a question, or a batch of them, reads `policies` once and is answered by that set to the end.
`install` is one assignment; there is no lock. The time is stamped once a question or batch. What
the caller's own objects raise is a RequestError, and spoils one item of a batch, not the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import TYPE_CHECKING, Any

from .._fast.decide import Outcome
from ..decision import INVALID, Decision, Reason
from ..errors import ArgumentError, RequestError, require
from ..limits import DEFAULT, Limits
from ..policy import PolicySet, Schema, load_policies
from ..request import CheckRequest, failed, make_request
from .authorizer import authorize, decision_of
from .observing import Log, Observer
from .shadow import Shadow

if TYPE_CHECKING:
    from .explain import DecisionExplanation

FIELDS = ("subject", "action", "resource", "context", "company_id", "now")
REQUIRED = 3  # of them


# Policies in force, their `ask`, and whether it reads the time: one object, which is exchanged.
Installed = tuple[PolicySet, Callable[..., Outcome | None], bool]


class PDP:
    """Answers questions by a `PolicySet`. Threads may share it.

    pdp = PDP.from_path("policies/taskman")
    if pdp.check("user:123", "tasks:edit", "tasks/456"):
        ...

    `log` is a `DecisionLog`, or what is called as that is: with the request, the decision and the
    nanoseconds that it took. Where it gives False or raises, the answer is a no. `shadow` decides
    beside.
    """

    __slots__ = ("_installed", "_observer")

    def __init__(
        self, policies: PolicySet, *, log: Log | None = None, shadow: Shadow | None = None
    ) -> None:
        require("policies", policies, PolicySet, "a PolicySet")
        self._installed: Installed = installed(policies)
        self._observer = _observer(log, shadow)

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        limits: Limits = DEFAULT,
        *,
        schema: Schema | None = None,
        log: Log | None = None,
        shadow: Shadow | None = None,
        verify_key: str | os.PathLike[str] | None = None,
    ) -> PDP:
        """A decision point by the documents of a folder or a file, checked against `schema`, or
        where there is none against each `schema.yaml` among them; or by a bundle (`*.bundle`).

        With `verify_key`, a PEM file of an Ed25519 public key, only a bundle that its owner signed
        is taken. Raises StoreError (missing, empty, unreadable, not signed) and CompileError with
        all issues.
        """
        require("path", path, (str, os.PathLike), "the path of a folder or a file")
        require("schema", schema, (Schema, NoneType), "a Schema")
        require("limits", limits, Limits, "Limits")
        keys = (str, os.PathLike, NoneType)
        require("verify_key", verify_key, keys, "the path of a public key")
        policies = load_policies(path, limits, verify_key, schema)
        return cls(policies, log=log, shadow=shadow)

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self._installed[0]

    @property
    def is_observed(self) -> bool:
        """Whether a log or a shadow learns of decisions."""
        return self._observer is not None

    def install(self, policies: PolicySet) -> None:
        """Put other policies in force, for the questions that come after."""
        require("policies", policies, PolicySet, "a PolicySet")
        self._installed = installed(policies)

    @property
    def shadow(self) -> Shadow | None:
        """The candidate beside these policies. May be exchanged, and taken away with None."""
        return None if self._observer is None else self._observer.shadow

    @shadow.setter
    def shadow(self, shadow: Shadow | None) -> None:
        log = None if self._observer is None else self._observer.log
        self._observer = _observer(log, shadow)

    def decide(
        self,
        request: CheckRequest,
        policies: PolicySet | None = None,
        doubt: Reason | None = None,
    ) -> Decision:
        """The decision on a request, by `policies` that were in force (None: that are). `doubt` is
        why a yes would not be sure: then it is a no."""
        if policies is None:  # a set without policies is false, and decides too
            policies = self._installed[0]
        return _authorized(self._observer, policies, request, doubt)

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
        policies, ask, reads_now = self._installed  # read once: one revision to the end
        observer = self._observer
        try:
            if observer is None:
                # The clock is asked where somebody will read the time.
                stamp = now if now is not None else time.time_ns() if reads_now else 0
                outcome = ask(subject, action, resource, context, company_id, stamp)
                if outcome is not None:
                    decision: Decision | None = outcome.decision
                    return decision_of(outcome, policies) if decision is None else decision
            moment = time.time_ns() if now is None else now
            question = subject, action, resource, context, company_id, moment
            return _authorized(observer, policies, make_request(*question, policies.limits))
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

        policies = self._installed[0]
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
        policies = self._installed[0]
        check_items(items, policies.limits)
        now = time.time_ns()
        observer = self._observer
        return [_answer(observer, policies, item, now) for item in items]


def installed(policies: PolicySet) -> Installed:
    return policies, policies.decider.ask, policies.decider.reads_now


def _observer(log: Log | None, shadow: Shadow | None) -> Observer | None:
    if log is not None and not callable(log):
        raise ArgumentError.of("log", "a DecisionLog, or a function", log)
    require("shadow", shadow, (Shadow, NoneType), "a Shadow")
    return None if log is None and shadow is None else Observer(log, shadow)


def _authorized(
    observer: Observer | None,
    policies: PolicySet,
    request: CheckRequest,
    doubt: Reason | None = None,
) -> Decision:
    if observer is None:
        return authorize(policies, request, doubt)
    return observer.decide(policies, request, doubt)


def _answer(observer: Observer | None, policies: PolicySet, item: Any, now: int) -> Decision:
    try:
        if isinstance(item, CheckRequest):
            return _authorized(observer, policies, item)
        arguments = _arguments(item, now)
        if observer is None:
            outcome = policies.decider.ask(*arguments)
            if outcome is not None:
                return decision_of(outcome, policies)
        return _authorized(observer, policies, make_request(*arguments, policies.limits))
    except RequestError as error:
        wrong = error
    except Exception:  # as in `check`
        wrong = failed("item")
    return Decision(False, (Reason(INVALID, "", str(wrong)),), policies.revision)


def check_items(items: Any, limits: Limits) -> None:
    """Raises RequestError for what is no batch, or one that is too large."""
    if not isinstance(items, Sequence) or isinstance(items, str | bytes | bytearray):
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
