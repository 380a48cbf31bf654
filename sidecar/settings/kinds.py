"""Kinds of values that settings have: addresses, lists, secrets."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode


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


# Where a secret may rest, in place of the secret itself.
REFERENCES = ("file:", "vault:")


def _checked_secret(secret: SecretStr) -> SecretStr:
    told = secret.get_secret_value()
    if not told or told in REFERENCES:
        raise ValueError("expected a secret, `file:PATH` or `vault:mount/path#key`")
    return secret


Address = Annotated[str, AfterValidator(_checked_address)]
Listed = NoDecode, BeforeValidator(_listed)
Secret = Annotated[SecretStr, AfterValidator(_checked_secret)]
