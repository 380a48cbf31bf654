"""What the notification service is told beyond what every service is."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from ..chassis.settings import SECRET, Settings
from .mail import read_sender, read_server
from .push import read_key


class NotificationSettings(Settings):
    """Where mail goes out, what webhooks and pushes are signed with, how often is tried."""

    # smtp://[USER:PASSWORD@]HOST:PORT, with TLS where the server has it, and always for a password;
    # smtps:// from the first byte.
    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:25")
    mail_from: str = "TaskMan <no-reply@localhost>"
    public_url: str = Field("http://127.0.0.1:8080", pattern=r"^https?://\S+$")  # of links

    webhook_key: SecretStr = Field(min_length=SECRET)  # a company's secret is made of it
    push_key: SecretStr | None = None  # P-256, PEM or base64url (RFC 8292); without: no web push
    push_contact: str = Field("mailto:no-reply@localhost", pattern=r"^(mailto:|https://)\S+$")
    # What is not public is not called, but for these networks; and by which authority it is who
    # answers, where that is not one that everybody trusts.
    private_networks: list[IPv4Network | IPv6Network] = []
    webhook_authority: Path | None = None

    senders: int = Field(4, ge=1, le=9)  # notifications that are sent at once
    send_timeout: float = Field(10.0, gt=0, le=60)
    send_attempts: int = Field(8, ge=1, le=20)
    send_pause: float = Field(5.0, gt=0)  # before the second attempt; doubled each time
    send_interval: float = Field(0.5, gt=0)  # seconds between looks for what another process wrote

    @model_validator(mode="after")
    def _connections(self) -> NotificationSettings:
        if self.senders > self.pool_size - 2:  # each holds a connection while it sends
            raise ValueError("pool_size: expected at least 2 more than senders")
        return self

    @field_validator("smtp_url")
    @classmethod
    def _server(cls, url: SecretStr) -> SecretStr:
        read_server(url.get_secret_value())
        return url

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, text: str) -> str:
        read_sender(text)
        return text

    @field_validator("push_key")
    @classmethod
    def _key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            read_key(key.get_secret_value())
        return key
