"""How the sidecar speaks gRPC: what its connections and answers may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from taskman_authz.limits import DEFAULT

from .kinds import Listed

DAY = 86_400


class TransportSettings(BaseModel):
    """Connections, answers, and who may ask for more than a decision."""

    explain_callers: Annotated[tuple[str, ...], *Listed] = Field(
        default=(),
        description="name of a caller who may call Explain, whose answers hold attribute values: "
        "`spiffe://shop/*`, `token:ops`, or * for everybody; may be given several times",
    )
    transport: Literal["auto", "fast", "grpcio"] = Field(
        default="auto",
        description="what speaks gRPC: grpcio; fast: libnghttp2, at a tenth of the CPU; auto: the "
        "latter where it can be had, and otherwise grpcio, which the log says",
    )
    reflection: bool = Field(
        default=False, description="describe the services to everybody who asks: true, false"
    )
    max_reply_bytes: int = Field(
        default=4 * DEFAULT.message_bytes, gt=0, lt=2**31, description="longest answer"
    )
    compression: Literal["none", "gzip"] = Field(
        default="none",
        description="how answers are compressed for callers who can read that: none, gzip "
        "(requests may be compressed in any case)",
    )
    keepalive: float = Field(
        default=60.0,
        ge=1,
        le=DAY,
        description="seconds of silence until a connection is asked whether it is alive",
    )
    min_ping_interval: float = Field(
        default=10.0,
        ge=0,
        le=DAY,
        description="seconds that a client leaves between its own such questions; a connection "
        "that asks more often is closed",
    )
    max_connection_age: float = Field(
        default=0.0,
        ge=0,
        le=DAY,
        description="seconds until a connection is closed in order, so that clients look for "
        "other addresses behind a name; 0: never",
    )
    max_connection_age_grace: float = Field(
        default=10.0, ge=0, le=DAY, description="seconds that calls then have to end"
    )
