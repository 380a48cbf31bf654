"""Tokens that callers show, and how they are verified."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .kinds import Listed, Secret

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
DAY = 86_400


class TokenSettings(BaseModel):
    """Bearer tokens: told to us, or signed by an issuer."""

    tokens: Secret | None = Field(
        default=None,
        description="bearer tokens that are taken, a line each: `name token` or "
        "`name sha256:digest`; or file:PATH or vault:mount/path#key, where they rest and are "
        "read again",
    )
    jwks: str | None = Field(
        default=None,
        description="URL or file of the public keys (JWKS) of who issues JWTs that are taken",
    )
    jwt_issuer: str | None = Field(default=None, description="issuer that a JWT must have")
    jwt_audience: str | None = Field(
        default=None, description="audience that a JWT must be for: this sidecar's name"
    )
    jwt_algorithms: Annotated[tuple[Algorithm, ...], *Listed] = Field(
        default=("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="algorithm that a JWT may be signed with; may be given several times",
    )
    jwt_leeway: float = Field(
        default=30.0, ge=0, le=300, description="seconds that clocks may differ by"
    )
    jwks_interval: float = Field(
        default=300.0, ge=1, le=DAY, description="seconds between readings of the public keys"
    )
    jwks_max_age: float = Field(
        default=float(DAY),
        ge=1,
        le=30 * DAY,
        description="seconds that public keys are used for while they cannot be read again",
    )
