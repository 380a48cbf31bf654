"""Settings of a service: the environment (`TASKMAN_POSTGRES_DSN`), or files of these names.

Laws: what is secret is never printed, and may be `vault:mount/path#key`, where it rests. `authz`
alone says who decides: `embedded:FOLDER`, in this process, or `sidecar:HOST:PORT`, beside it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from taskman_authz_sidecar.secrets import VAULT, Secrets

from .log import logger

SECRET = 32  # characters of the shortest secret that signs: 256 bits would be 43 in base64


class Settings(BaseSettings):
    """What every service is told. Times are seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TASKMAN_",
        env_nested_delimiter="__",
        secrets_dir=os.environ.get("TASKMAN_SECRETS_DIR"),  # a file a setting: TASKMAN_REDIS_URL
        extra="ignore",
    )

    postgres_dsn: SecretStr
    # `mount/role` of Vault, which makes users of the database for it; who then migrates, if we do.
    postgres_role: str = Field("", pattern=r"^(.+/[^/]+)?$")
    migration_dsn: SecretStr | None = None
    redis_url: SecretStr
    amqp_url: SecretStr
    authz: str = Field("embedded:policies/taskman", pattern=r"^(embedded|sidecar):.+")

    listen: str = "127.0.0.1:0"  # gRPC
    http_listen: str = "127.0.0.1:0"  # health, metrics
    peers: dict[str, str] = {}  # addresses of other services, by name

    # Services prove who they are to each other by tokens that this secret signs.
    service_secret: SecretStr = Field(min_length=SECRET)
    jwt_algorithm: Literal["ES256", "HS256"] = "ES256"
    jwt_secret: SecretStr | None = Field(None, min_length=SECRET)  # of HS256
    jwks_url: str = ""  # of ES256: where the authentication service says its public keys

    tls_certificate: Path | None = None  # all three or none: mutual TLS between services
    tls_key: Path | None = None
    tls_authority: Path | None = None

    otlp_endpoint: str = Field("", pattern=r"^(https?://\S+)?$")  # of a collector, gRPC
    trace_share: float = Field(1.0, ge=0, le=1)  # of the traces that begin here
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    pool_size: int = Field(10, ge=2, le=100)  # connections; one of them waits for events to tell
    call_timeout: float = Field(5.0, gt=0, le=60)  # of a call that sets none, and of ours to others
    breaker_timeout: float = Field(30.0, gt=0, le=600)  # that a service that is sick is left alone
    stop_grace: float = Field(10.0, ge=0, le=60)  # for calls that are under way at a stop

    @model_validator(mode="before")
    @classmethod
    def _from_vault(cls, given: dict[str, Any]) -> dict[str, Any]:
        for name, text in given.items():
            if isinstance(text, str) and text.startswith(VAULT):
                source = Secrets(0, logger("settings")).source(f"TASKMAN_{name.upper()}", text)
                given = {**given, name: source.read().decode()}
        return given

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.jwt_algorithm == "HS256" and self.jwt_secret is None:
            raise ValueError("jwt_secret: HS256 needs one")
        given = {self.tls_certificate is None, self.tls_key is None, self.tls_authority is None}
        if len(given) > 1:
            raise ValueError("tls_certificate, tls_key, tls_authority: all of them or none")
        return self
