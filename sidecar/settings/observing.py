"""How the sidecar is seen from outside."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ObservingSettings(BaseModel):
    """Logs."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is worth saying: debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text, or auto: text on a terminal, else json"
    )
