"""Decisions and what was found → AuthZEN bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from taskman_authz.decision import INVALID, Decision, Reason

from ..status import Code


class Fault(Struct):
    """Why an item of a batch could not be asked."""

    status: int
    message: str


class Context(Struct):
    """What is told beside a decision: why, and by which policies."""

    reasons: tuple[Reason, ...]
    revision: str
    error: Fault | UnsetType = UNSET


class Answer(Struct):
    """A decision."""

    decision: bool
    context: Context


class Page(Struct):
    """How a search goes on; "" where it does not."""

    next_token: str
    count: int


class Results(Struct):
    """What a search found."""

    page: Page | UnsetType
    results: list[dict[str, str]]


def write_decision(decision: Decision) -> bytes:
    """The body of an Access Evaluation response."""
    return _encode(_answer(decision))


def write_decisions(decisions: Iterable[Decision]) -> bytes:
    """The body of an Access Evaluations response."""
    return _encode({"evaluations": [_answer(decision) for decision in decisions]})


def write_results(results: list[dict[str, str]], next_token: str | None) -> bytes:
    """The body of a search response; with a page unless `next_token` is None."""
    page = UNSET if next_token is None else Page(next_token, len(results))
    return _encode(Results(page, results))


def write_json(value: Any) -> bytes:
    """Any other body."""
    return _encode(value)


_encode = msgspec.json.Encoder().encode


def _answer(decision: Decision) -> Answer:
    context = Context(decision.reasons, decision.revision)
    first = decision.reasons[0]
    if first.code == INVALID:
        context.error = Fault(Code.INVALID_ARGUMENT.http, first.message)
    return Answer(decision.allowed, context)
