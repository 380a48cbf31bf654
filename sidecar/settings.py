"""Everything that can be set, in one class: by flag (`--reload-interval 5`) or by environment
(`TASKMAN_AUTHZ_RELOAD_INTERVAL=5`). A flag outranks the environment.

A setting is added here, and used in `wiring`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from taskman_authz.decision_log import check_mask
from taskman_authz.errors import ArgumentError
from taskman_authz.limits import DEFAULT, Limits

PREFIX = "TASKMAN_AUTHZ_"
METAVARS = {
    "listen": "ADDRESS",
    "shadow_policies": "PATH",
    "decision_log": "FILE",
    "decision_log_full": "drop|deny",
    "decision_log_mask": "ATTRIBUTE",
}


def _listed(value: Any) -> Any:
    """A list from an environment variable is separated by commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _checked_address(address: str) -> str:
    if address.startswith("unix:"):
        if not address.removeprefix("unix:").removeprefix("//"):
            raise ValueError("expected a path after `unix:`")
        return address
    host, _, port = address.rpartition(":")
    if not re.fullmatch(r"\[[0-9a-fA-F:.]+\]|[^:/\s\[\]]+", host):
        raise ValueError("expected `host:port`, `[ipv6]:port` or `unix:///path`")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise ValueError("expected a port from 0 to 65535 after the last `:`")
    return address


def _checked_mask(paths: tuple[str, ...]) -> tuple[str, ...]:
    try:
        check_mask(paths)
    except ArgumentError as error:
        raise ValueError(str(error).removeprefix("mask: ")) from None
    return paths


Address = Annotated[str, AfterValidator(_checked_address)]
Listed = NoDecode, BeforeValidator(_listed)


class Settings(BaseSettings):
    """What a sidecar is told. The description of a field is its flag's help."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    policies: Path = Field(
        default=Path("policies/taskman"),
        description="folder or file of the policies, or a bundle of them",
    )
    verify_key: Path | None = Field(
        default=None,
        description="Ed25519 public key (PEM): serve only a bundle that its owner signed",
    )
    listen: Annotated[tuple[Address, ...], *Listed] = Field(
        default=("127.0.0.1:50051",),
        description="address to answer at: host:port (port 0: any free one) or unix:///path; "
        "may be given several times",
    )
    reload_interval: float = Field(
        default=1.0, ge=0, le=86_400, description="seconds between looks at the policies; 0: never"
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
    grace: float = Field(
        default=10.0, ge=0, le=3_600, description="seconds that calls have to end when stopping"
    )
    max_message_bytes: int = Field(
        default=DEFAULT.message_bytes, gt=0, lt=2**31, description="longest request message"
    )
    max_batch_size: int = Field(
        default=DEFAULT.batch_size, gt=0, description="most items of a BatchCheck"
    )
    reflection: bool = Field(
        default=True, description="describe the service to tools that ask: true, false"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is worth saying: debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text, or auto: text on a terminal, else json"
    )

    @property
    def limits(self) -> Limits:
        """The limits of the house with what was set here."""
        return Limits(message_bytes=self.max_message_bytes, batch_size=self.max_batch_size)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for every setting. What is not given is left to the environment."""
    for name, field in Settings.model_fields.items():
        several = isinstance(field.default, tuple)
        default = (", ".join(field.default) if several else field.default) or "none"
        parser.add_argument(
            _flag(name),
            action="append" if several else "store",
            default=argparse.SUPPRESS,
            metavar=METAVARS.get(name, name.rpartition("_")[2].upper()),
            help=f"{field.description} (default: {default})",
        )


def read_settings(parser: argparse.ArgumentParser, given: dict[str, Any]) -> Settings:
    """The settings from flags and environment. What is wrong ends in `parser.error`: status 2."""
    flags = {name: value for name, value in given.items() if name in Settings.model_fields}
    try:
        return Settings(**flags)
    except ValidationError as error:
        _refuse(parser, error.errors(), flags)


def _refuse(parser: argparse.ArgumentParser, errors: Sequence[Any], flags: Any) -> NoReturn:
    sentences = []
    for error in errors:
        name = str(error["loc"][0])
        place = _flag(name) if name in flags else PREFIX + name.upper()
        message = error["msg"].removeprefix("Value error, ")
        sentences.append(f"{place}: {message[:1].lower()}{message[1:]}")
    parser.error("; ".join(sentences))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
