"""A batch, out and back: the items that can be asked, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..decision import INVALID, Decision, Reason
from ..errors import RequestError
from ..limits import Limits
from ..pdp import check_items, request_of
from ..request import CheckRequest, failed
from ..wire import write_batch


class Batch:
    """`data` are the bytes of the `sent` items that can be asked. Raises `RequestError` for the
    batch as a whole."""

    def __init__(self, items: Sequence[Any], limits: Limits) -> None:
        check_items(items, limits)
        requests = [_item(item, limits) for item in items]
        self.data, self._errors = write_batch(requests, limits)
        self.sent = self._errors.count(None)

    def decisions(self, answers: list[Decision]) -> list[Decision]:
        """`answers`, with a denial in the place of each item that was not sent."""
        if len(answers) != self.sent:
            raise ValueError("not as many answers as items")
        revision = answers[0].revision if answers else ""
        return list(self._merged(iter(answers), revision))

    def _merged(self, answers: Iterator[Decision], revision: str) -> Iterator[Decision]:
        for error in self._errors:
            if error is None:
                yield next(answers)
            else:
                yield Decision(False, (Reason(INVALID, "", str(error)),), revision)


def _item(item: Any, limits: Limits) -> CheckRequest | RequestError:
    try:
        if "now" in item if isinstance(item, Mapping) else isinstance(item, tuple) and item[5:]:
            return RequestError("now", "the decision point has its own clock")
        return request_of(item, 0, limits)
    except RequestError as error:
        return error
    except Exception:  # the caller's own code
        return failed("item")
