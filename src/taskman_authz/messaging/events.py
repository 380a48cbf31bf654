"""What an event is, and its bytes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..errors import RequestError


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `type` is its full name and the routing key, `iam.policy.created`;
    `id` stays the same however often it is told."""

    type: str
    id: str = msgspec.field(default_factory=lambda: str(uuid.uuid4()))
    occurred_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    company_id: str | None = None  # None: of no company, or of every one
    actor: str = ""  # who did it, `user:123`; "" for the system itself
    data: dict[str, Any] = {}

    def encode(self) -> bytes:
        """The event as JSON."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Event:
        """The event of some JSON. Raises RequestError, which does not tell values."""
        try:
            return _DECODER.decode(data)
        except msgspec.ValidationError as error:
            raise RequestError("event", str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RequestError("event", "no JSON") from None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Event)
