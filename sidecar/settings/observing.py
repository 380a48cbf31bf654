"""How the sidecar is seen from outside."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from .kinds import BaseURL, TcpAddress


class ObservingSettings(BaseModel):
    """Logs, metrics and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is worth saying: debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text, or auto: text on a terminal, else json"
    )
    log_calls: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of answered calls that are logged, a line each: 0 none, 1 all",
    )
    service_name: str = Field(
        default="authorization-service",
        min_length=1,
        description="what the sidecar calls itself in logs, metrics and traces",
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
    otlp_endpoint: BaseURL | None = Field(
        default=None,
        description="collector that traces are sent to, such as http://localhost:4317",
    )
    otlp_protocol: Literal["grpc", "http"] = Field(
        default="grpc", description="how they are sent: grpc, or http (protobuf)"
    )
    trace_sample: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of calls traced that come without a trace; of one that is part of a "
        "trace its caller says whether it is recorded",
    )
