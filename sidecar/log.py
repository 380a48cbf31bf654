"""How the sidecar speaks: one event a line on standard error, JSON, or text on a terminal.

Fields: `timestamp`, `level`, `service`, `message`, and what the event is about (`revision`,
`method`, `request_id`, `duration_ms`, ...). No event carries an attribute's value.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor

    from .settings import Settings

SERVICE = "authorization-service"


def make_log(settings: Settings) -> FilteringBoundLogger:
    """The log that the settings ask for."""
    as_text = settings.log_format == "text" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    processors: list[Processor] = [
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
        structlog.WriteLogger(sys.stderr),  # a line in one piece: workers share the stream
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
    )
    return log if as_text else log.bind(service=SERVICE)


_FIRST = ("timestamp", "level", "service", "message")


def _in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A reader of raw lines looks for these fields first."""
    return {name: event.pop(name) for name in _FIRST if name in event} | dict(event)
