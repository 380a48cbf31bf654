"""Webhooks, signed in the form of Standard Webhooks (its section "Webhook signatures"): a receiver
verifies that a call is ours, whole, of now, and not one that it had."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from .letters import Letter, NotSent
from .outgoing import Outgoing

PREFIX = "whsec_"


class Webhooks:
    """Calls, each signed with its company's secret, which is made of `key`."""

    def __init__(self, outgoing: Outgoing, key: str) -> None:
        self._outgoing = outgoing
        self._key = key.encode()

    def secret(self, company_id: str) -> str:
        """What a company's receivers verify with."""
        return PREFIX + base64.b64encode(self._secret(company_id)).decode()

    async def send(self, letter: Letter) -> None:
        """Raises NotSent."""
        content = letter.content or {}
        body, now = content["payload"].encode(), str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "webhook-id": letter.id,
            "webhook-timestamp": now,
            "webhook-signature": self._signature(letter, now, body),
        }
        status = await self._outgoing.post(content["url"], headers, body)
        if not 200 <= status < 300:
            gone = status == 410  # it asks for no more
            raise NotSent(f"the receiver answered {status}", final=gone)

    def _secret(self, company_id: str) -> bytes:
        return hmac.digest(self._key, f"webhooks of {company_id}".encode(), hashlib.sha256)

    def _signature(self, letter: Letter, now: str, body: bytes) -> str:
        signed = f"{letter.id}.{now}.".encode() + body
        made = hmac.digest(self._secret(letter.company_id), signed, hashlib.sha256)
        return "v1," + base64.b64encode(made).decode()
