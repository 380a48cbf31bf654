"""What is decided by, and where decisions are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from taskman_authz.decision_log import check_mask
from taskman_authz.errors import ArgumentError

from .kinds import Listed


def _checked_mask(paths: tuple[str, ...]) -> tuple[str, ...]:
    try:
        check_mask(paths)
    except ArgumentError as error:
        raise ValueError(str(error).removeprefix("mask: ")) from None
    return paths


class PolicySettings(BaseModel):
    """Policies and decisions."""

    policies: Path = Field(
        default=Path("policies"),
        description="folder or file of the policies, or a bundle of them",
    )
    verify_key: Path | None = Field(
        default=None,
        description="Ed25519 public key (PEM): serve only a bundle that its owner signed",
    )
    entities: Path | None = Field(
        default=None,
        description="folder or file of subjects and resources with their attributes, for requests "
        "that give only ids, and for searches",
    )
    reload_interval: float = Field(
        default=1.0,
        ge=0,
        le=86_400,
        description="seconds between looks at policies and entities; 0: never",
    )
    shadow_policies: Path | None = Field(
        default=None,
        description="folder or file of candidate policies that decide beside the others: "
        "differences are counted and logged, answers stay",
    )
    decision_log: Path | None = Field(
        default=None, description="file that every decision is appended to, a JSON object a line"
    )
    decision_log_mask: Annotated[tuple[str, ...], *Listed, AfterValidator(_checked_mask)] = Field(
        default=(),
        description="path of one that the decision log must not show, such as subject.email; "
        "may be given several times",
    )
    decision_log_full: Literal["drop", "deny"] = Field(
        default="drop",
        description="what becomes of a decision that cannot be logged: drop (counted), or deny",
    )
