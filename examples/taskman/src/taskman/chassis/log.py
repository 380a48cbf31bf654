"""Logs: a JSON object a line. What a call is about (trace, request, user, company) is bound once,
by `server`, and is in every line written meanwhile."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog


def logger(service: str, level: str = "info", to: TextIO | None = None) -> Any:
    """The log of a service: `log.info("Task created", task_id=...)`."""
    return structlog.wrap_logger(
        structlog.PrintLogger(to or sys.stdout),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        service=service,
    )
