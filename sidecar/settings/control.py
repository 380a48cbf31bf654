"""Policies in PostgreSQL: where they are read, told and administered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from .kinds import Listed, Secret


class ControlSettings(BaseModel):
    """Policies in a database."""

    database: Secret | None = Field(
        default=None,
        description="PostgreSQL whose policies are decided by, in place of --policies: "
        "postgresql://user:password@host:port/database, or file:PATH or vault:mount/path#key where "
        "it rests",
    )
    database_timeout: int = Field(
        default=5, ge=1, le=300, description="seconds that the database has for an answer"
    )
    policy_cache: Path | None = Field(
        default=None,
        description="file that the policies of the database are written to as a bundle, to begin "
        "with where it is not there at the start",
    )
    relay: bool = Field(
        default=False,
        description="tell the events of the database over --amqp (several processes may)",
    )
    dead_letters: Annotated[tuple[str, ...], *Listed] = Field(
        default=(),
        description="name of a queue of which who relays counts the messages that could not be "
        "handled; may be given several times",
    )
    administration: bool = Field(
        default=False,
        description="answer PolicyAdministration, by which policies in the database are changed",
    )
    administration_callers: Annotated[tuple[str, ...], *Listed] = Field(
        default=(),
        description="name of a caller (as in --allowed-callers, `*` for every one) that may say on "
        "whose behalf it administers policies; may be given several times",
    )
