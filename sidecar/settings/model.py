"""The class of all settings."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from taskman_authz.limits import Limits

from .context import ContextSettings
from .control import ControlSettings
from .ext_authz import ExtAuthzSettings
from .http import HTTPSettings
from .observing import ObservingSettings
from .policies import PolicySettings
from .running import RunningSettings
from .security import SecuritySettings
from .serving import ServingSettings
from .tokens import TokenSettings
from .transport import TransportSettings

PREFIX = "TASKMAN_AUTHZ_"


class Settings(
    ControlSettings,
    ContextSettings,
    ExtAuthzSettings,
    ObservingSettings,
    RunningSettings,
    TransportSettings,
    HTTPSettings,
    TokenSettings,
    SecuritySettings,
    ServingSettings,
    PolicySettings,
    BaseSettings,
):
    """What a sidecar is told. The description of a field is its flag's help.

    A `SecretStr` is never printed.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    @property
    def limits(self) -> Limits:
        """The limits of the house with what was set here."""
        return Limits(
            message_bytes=self.max_message_bytes,
            batch_size=self.max_batch_size,
            answer_memory=self.answer_memory,
            database_seconds=self.database_timeout,
        )
