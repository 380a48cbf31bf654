"""Where the sidecar answers, and what it accepts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from taskman_authz.limits import DEFAULT

from .kinds import Address, Listed


class ServingSettings(BaseModel):
    """Addresses and bounds."""

    listen: Annotated[tuple[Address, ...], *Listed] = Field(
        default=("127.0.0.1:50051",),
        description="address to answer at: host:port (port 0: any free one) or unix:///path; "
        "may be given several times",
    )
    max_message_bytes: int = Field(
        default=DEFAULT.message_bytes, gt=0, lt=2**31, description="longest request message"
    )
    max_batch_size: int = Field(
        default=DEFAULT.batch_size, gt=0, description="most items of a BatchCheck"
    )
    answer_memory: int = Field(
        default=DEFAULT.answer_memory,
        ge=0,
        description="answers that are remembered, by what they depend on of a question; 0: none",
    )
