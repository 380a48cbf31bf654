"""What is expected of a reply. Each expectation gives what is wrong with one, or ""."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .asking import JSON, Reply

SHOWN = 200  # characters of a body that are told


class Expectation(NamedTuple):
    """In words what is expected, and what says what was found where it is something else."""

    words: str
    judge: Callable[[Reply], str]


def refused(status: int = 400) -> Expectation:
    """That the question is not answered, with this status."""
    return Expectation(f"status {status}", lambda reply: _status(reply, status))


def decision(allowed: bool | None = None) -> Expectation:
    """An Access Evaluation response; with this decision, or any."""
    words = "a decision" if allowed is None else f"`decision: {_json(allowed)}`"
    return Expectation(words, lambda reply: _answered(reply) or _decided(_object(reply), allowed))


def decisions(*allowed: bool | None) -> Expectation:
    """An Access Evaluations response with these decisions in their order (None: any)."""
    told = ", ".join("any" if each is None else _json(each) for each in allowed)
    words = f"{len(allowed)} evaluations that decide {told}"

    def judge(reply: Reply) -> str:
        wrong = _answered(reply)
        if wrong:
            return wrong
        found = _object(reply).get("evaluations")
        if not isinstance(found, list):
            return "no list `evaluations`"
        if len(found) != len(allowed):
            return f"{len(found)} evaluations"
        wrongs = [_decided(*pair) for pair in zip(found, allowed, strict=True)]
        return next((f"item {n}: {wrong}" for n, wrong in enumerate(wrongs) if wrong), "")

    return Expectation(words, judge)


def results(names: Iterable[str], type: str | None = None, key: str = "id") -> Expectation:
    """A search response that has at least these, all of one type."""
    wanted = list(names)
    words = f"results with at least {', '.join(wanted)}" if wanted else "results"

    def judge(reply: Reply) -> str:
        wrong, found = found_results(reply, type, key)
        missing = [name for name in wanted if name not in found]
        return wrong or (f"results without {', '.join(missing)}" if missing else "")

    return Expectation(words, judge)


def no_results() -> Expectation:
    """A search response that has nothing."""

    def judge(reply: Reply) -> str:
        wrong = _answered(reply)
        return wrong or ("" if _object(reply).get("results") == [] else _shown(reply))

    return Expectation("`results: []`", judge)


def found_results(
    reply: Reply, type: str | None = None, key: str = "id"
) -> tuple[str, Sequence[str]]:
    """What is wrong with a search response, and the names that it has."""
    wrong = _answered(reply)
    if wrong:
        return wrong, []
    found = _object(reply).get("results")
    if not isinstance(found, list):
        return "no list `results`", []
    for each in found:
        if not isinstance(each, dict) or not isinstance(each.get(key), str):
            return f"a result without `{key}`", []
        if type is not None and each.get("type") != type:
            return f"a result that is no `{type}`", []
    return _page(_object(reply)), [each[key] for each in found]


def echoed(value: str) -> Expectation:
    """That `X-Request-ID` is answered as it was sent."""

    def judge(reply: Reply) -> str:
        found = reply.headers.get("x-request-id")
        return "" if found == value else f"{'none' if found is None else f'`{found}`'}"

    return Expectation(f"the header `X-Request-ID: {value}`", judge)


def _page(body: Any) -> str:
    page = body.get("page", {})
    if not isinstance(page, dict):
        return "a `page` that is no object"
    if page and not isinstance(page.get("next_token"), str):
        return "a `page` without a string `next_token`"
    return ""


def _answered(reply: Reply) -> str:
    wrong = _status(reply, 200)
    if wrong:
        return wrong
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        return f"the media type `{media_type}`"
    try:
        found = reply.json()
    except ValueError:
        return f"no JSON: {_shown(reply)}"
    return "" if isinstance(found, dict) else f"no object: {_shown(reply)}"


def _status(reply: Reply, expected: int) -> str:
    return "" if reply.status == expected else f"status {reply.status}: {_shown(reply)}"


def _object(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = reply.json()
    return found


def _decided(found: Any, allowed: bool | None) -> str:
    if not isinstance(found, dict) or not isinstance(found.get("decision"), bool):
        return "no boolean `decision`"
    if not isinstance(found.get("context", {}), dict):
        return "a `context` that is no object"
    if allowed is not None and found["decision"] != allowed:
        return f"`decision: {_json(found['decision'])}`"
    return ""


def _json(value: bool) -> str:
    return "true" if value else "false"


def _shown(reply: Reply) -> str:
    text = reply.body[:SHOWN].decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text) or "an empty body"
