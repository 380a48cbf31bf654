"""What Envoy is answered (`ext_authz`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from .kinds import Listed


def _checked_headers(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise ValueError("expected the name of a header: small letters, digits and `-`")
    return names


def _checked_challenge(challenge: str) -> str:
    if not re.fullmatch(r"[!-~]+( [ -~]*)?", challenge):
        raise ValueError("expected a challenge such as `Bearer`")
    return challenge


class ExtAuthzSettings(BaseModel):
    """Routes of a proxy, and how a denial is told."""

    ext_authz_routes: Path | None = Field(
        default=None,
        description="YAML file that says what requests ask by method and path: with it, Envoy's "
        "external authorization is answered at the same addresses",
    )
    ext_authz_trusted_header: Annotated[
        tuple[str, ...], *Listed, AfterValidator(_checked_headers)
    ] = Field(
        default=(),
        description="header that may say who asks, because something in front of the proxy sets it "
        "and no client can; may be given several times",
    )
    ext_authz_reasons: Literal["none", "codes", "policies"] = Field(
        default="codes", description="what a denial tells: none, codes, or codes and policies"
    )
    ext_authz_challenge: Annotated[str, AfterValidator(_checked_challenge)] = Field(
        default="Bearer", description="WWW-Authenticate of a denial for want of a subject"
    )
