"""How the sidecar is seen from outside."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from .kinds import TcpAddress


class ObservingSettings(BaseModel):
    """Logs and metrics."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is worth saying: debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text, or auto: text on a terminal, else json"
    )
    service_name: str = Field(
        default="authorization-service",
        min_length=1,
        description="what the sidecar calls itself in logs and metrics",
    )
    metrics_listen: TcpAddress | None = Field(
        default=None,
        description="address to answer /metrics at: host:port, such as 127.0.0.1:9464",
    )
    metrics_companies: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="companies that metrics tell apart; those after are one, `other`",
    )
