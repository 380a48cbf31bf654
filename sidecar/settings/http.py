"""AuthZEN over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from .kinds import Address, BaseURL, Listed


class HTTPSettings(BaseModel):
    """HTTP."""

    http_listen: Annotated[tuple[Address, ...], *Listed] = Field(
        default=(),
        description="address to answer AuthZEN at over HTTP: host:port (port 0: any free one) or "
        "unix:///path; may be given several times",
    )
    http_base_url: BaseURL | None = Field(
        default=None,
        description="URL under which callers reach the HTTP address, which the metadata tells; "
        "where it is not set, that of the first address, if that is one",
    )
    http_connections: int = Field(
        default=1_000, gt=0, description="most HTTP connections at a time; others are told 503"
    )
    http_timeout: float = Field(
        default=10.0,
        gt=0,
        le=3_600,
        description="seconds that the headers of an HTTP request may take to come, and its body, "
        "and that a connection stays open between two",
    )
    ready_max_age: float = Field(
        default=0.0,
        ge=0,
        description="seconds after which policies that are not known to be current make "
        "/health/ready say no; 0: never",
    )
