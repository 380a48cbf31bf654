"""Who may ask, and how the way to here is kept safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from .kinds import Listed

OctalMode = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")]


def _checked_rule(rule: str) -> str:
    method, _, name = rule.partition("=")
    if not method or not name or "*" in method[: len(method) - (method == "*")]:
        raise ValueError("expected `METHOD=NAME`, such as `Check=spiffe://shop/*`, or `*=NAME`")
    return rule


Rule = Annotated[str, AfterValidator(_checked_rule)]


class SecuritySettings(BaseModel):
    """Certificates, sockets, callers, rates."""

    tls_cert: Path | None = Field(
        default=None,
        description="certificate chain (PEM) to answer with; read again when it changes",
    )
    tls_key: str | None = Field(
        default=None,
        description="private key (PEM) of --tls-cert: a file, or vault:mount/path#key",
    )
    tls_client_ca: Path | None = Field(
        default=None,
        description="authorities (PEM): every caller must show a certificate that one of them made",
    )
    insecure: bool = Field(
        default=False,
        description="answer without TLS at addresses beyond this machine: true, false",
    )
    unix_socket_mode: OctalMode = Field(
        default="0600", description="who may open a unix socket to listen at, as chmod writes it"
    )
    unix_socket_group: str | None = Field(
        default=None, description="group that a unix socket to listen at belongs to"
    )
    allowed_callers: Annotated[tuple[Rule, ...], *Listed] = Field(
        default=(),
        description="METHOD=NAME: who has the name may call the method (with its face, as "
        "ext_authz/Check, or without; * for every one), and nobody else; may be given several "
        "times",
    )
    rate_limit: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="calls a second that each caller may make, whatever they hold; 0: any",
    )
    rate_burst: int = Field(
        default=100, ge=1, le=1_000_000, description="calls that a caller may make at once"
    )
    max_concurrent_calls: int = Field(
        default=10_000,
        ge=1,
        description="calls over gRPC at a time, open streams among them; more are refused",
    )
    secrets_interval: float = Field(
        default=60.0, ge=1, le=86_400, description="seconds between readings of secrets in Vault"
    )
