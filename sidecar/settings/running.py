"""In how many processes the sidecar runs, and how it stops."""

from __future__ import annotations

from pydantic import BaseModel, Field


class RunningSettings(BaseModel):
    """Processes."""

    workers: int = Field(
        default=1, ge=1, le=256, description="processes that answer at the addresses together"
    )
    grace: float = Field(
        default=10.0, ge=0, le=3_600, description="seconds that calls have to end when stopping"
    )
