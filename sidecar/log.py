"""How the sidecar speaks: one event a line on standard error, JSON, or text on a terminal.

Fields: `timestamp`, `level`, `service`; while a call is answered its `trace_id`, `span_id` and
`request_id`; `message`, and what the event is about (`revision`, `method`, `duration_ms`, ...). No
event carries an attribute's value.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from .door import answered
from .log_writer import LogWriter

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor

    from .settings import Settings


def make_log(
    settings: Settings, writer: LogWriter | structlog.WriteLogger | None = None
) -> FilteringBoundLogger:
    """The log that the settings ask for, written by `writer`, or one of its own."""
    as_text = settings.log_format == "text" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    processors: list[Processor] = [
        _of_call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if as_text:
        # Never rich's traceback, which prints the values of local variables.
        processors.append(
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        )
    else:
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            _in_order,
            structlog.processors.JSONRenderer(),
        ]
    log: FilteringBoundLogger = structlog.wrap_logger(
        writer or LogWriter(),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
    )
    return log if as_text else log.bind(service=settings.service_name)


def take_over(log: FilteringBoundLogger) -> None:
    """Let what libraries say go the way of the sidecar's own events, from warnings on."""
    logging.basicConfig(handlers=[_ToLog(log)], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


class _ToLog(logging.Handler):
    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            self._log.log(record.levelno, message, logger=record.name, exc_info=record.exc_info)
        except Exception:  # a library that formats badly
            self._log.warning("a library's event cannot be shown", logger=record.name)


def _of_call(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """What an event is about besides what it says: the call that is being answered."""
    call = answered()
    return event if call is None else call.ids() | dict(event)


_FIRST = (
    *("timestamp", "level", "service", "trace_id", "span_id", "request_id"),
    *("user_id", "company_id", "message"),
)


def _in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A reader of raw lines looks for these fields first."""
    return {name: event.pop(name) for name in _FIRST if name in event} | dict(event)
