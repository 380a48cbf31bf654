"""What the gateway is told beyond what every service is. Times are seconds."""

from __future__ import annotations

from pydantic import Field, SecretStr

from ..chassis.settings import Settings


class GatewaySettings(Settings):
    """It has no database and tells no events."""

    postgres_dsn: SecretStr = SecretStr("")
    amqp_url: SecretStr = SecretStr("")

    # Requests in `rate_window` of one address, of one user, and of one of either to one route.
    rate_window: float = Field(60.0, ge=1, le=3600)
    rate_of_address: int = Field(600, gt=0)
    rate_of_user: int = Field(300, gt=0)
    rate_of_route: int = Field(120, gt=0)
    # How many proxies stand before it: so many addresses at the end of X-Forwarded-For are theirs.
    proxies: int = Field(0, ge=0, le=10)
    cors_origins: list[str] = []  # of pages that may call it; none: only its own
