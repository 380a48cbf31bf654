"""What audit is told beyond what every service is."""

from __future__ import annotations

from pydantic import Field

from ..chassis.settings import Settings


class AuditSettings(Settings):
    """How long what happened is kept."""

    retention_days: int = Field(90, ge=1)  # whole months: what began in it is kept
