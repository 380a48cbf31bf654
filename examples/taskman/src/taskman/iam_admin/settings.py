"""What IAM administration is told beyond what every service is. Times are seconds."""

from __future__ import annotations

from pydantic import Field, SecretStr

from ..chassis.settings import Settings


class IamSettings(Settings):
    """How it proves to the decision point that it may speak for others."""

    authz_token: SecretStr = Field(min_length=16)  # of --tokens and --administration-callers
    default_role: str = "viewer"  # of who is new in a company
    expiry_interval: float = Field(1.0, gt=0, le=60)  # between looks at what has ended
