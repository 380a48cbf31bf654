"""What authentication is told beyond what every service is. Times are seconds."""

from __future__ import annotations

from pydantic import Field, SecretStr

from ..chassis.settings import SECRET, Settings


class AuthenticationSettings(Settings):
    """Lives of tokens and keys, and how slow a password is to guess."""

    access_life: int = Field(3600, ge=60, le=86_400)
    session_life: int = Field(7 * 86_400, ge=3600)
    reset_life: int = Field(3600, ge=60, le=86_400)
    key_life: int = Field(86_400, ge=3600)  # that a key signs, before another one does
    key_secret: SecretStr = Field(min_length=SECRET)  # signing keys rest encrypted with it
    issuer: str = Field("", pattern=r"^(https?://\S+)?$")  # where clients find /oauth/...
    bcrypt_cost: int = Field(12, ge=4, le=16)
