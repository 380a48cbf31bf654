"""The decision log as the health sees it."""

from __future__ import annotations

import asyncio

from taskman_authz.decision_log import DecisionLog

from .health import Health

# What is decided is written down. Not holding: it waits, until that can be written or is dropped.
DECISION_LOG = "taskman_authz.decision_log"
INTERVAL = 0.5  # seconds between looks: the log itself tries again each second


async def follow_log(log: DecisionLog, health: Health) -> None:
    """Tell whether decisions are written, until cancelled."""
    while True:
        if health.serves(DECISION_LOG) is not (not log.failing):
            health.tell(DECISION_LOG, not log.failing)
        await asyncio.sleep(INTERVAL)
