"""A mail server that delivers to itself: what is sent can be looked at."""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tools.servers.processes import free_port

PATIENCE = 30.0  # seconds until a mail must be there


class Mailbox:
    """`with Mailbox() as box`: serves at `url`, a free port of the loopback, in a thread."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []  # recipients, and what they got
        self._came = threading.Condition()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """A mail comes."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        with self._came:
            self.mails.append((list(envelope.rcpt_tos), message))
            self._came.notify_all()
        return "250 OK"

    def to(self, address: str, subject: str = "") -> list[EmailMessage]:
        """What came for an address alone, with such a subject."""
        return [
            message
            for recipients, message in self.mails
            if recipients == [address] and subject in str(message["Subject"])
        ]

    async def one(self, address: str, subject: str = "") -> EmailMessage:
        """The last of these, once there is one. Raises TimeoutError."""

        def wait() -> list[EmailMessage]:
            with self._came:
                self._came.wait_for(lambda: self.to(address, subject), PATIENCE)
                return self.to(address, subject)

        if not (found := await asyncio.to_thread(wait)):
            raise TimeoutError(f"no mail for {address}")
        return found[-1]
