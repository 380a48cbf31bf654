"""Kinds of values that settings have: addresses, lists, secrets."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode


def _listed(value: Any) -> Any:
    """A list from an environment variable is separated by commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def checked_address(address: str) -> str:
    """The address of a server. Raises ValueError."""
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


def _checked_tcp(address: str) -> str:
    if address.startswith("unix:"):
        raise ValueError("expected `host:port` or `[ipv6]:port`")
    return checked_address(address)


TcpAddress = Annotated[str, AfterValidator(_checked_tcp)]
# Where a secret may rest, in place of the secret itself.
REFERENCES = ("file:", "vault:")


def _checked_secret(secret: SecretStr) -> SecretStr:
    told = secret.get_secret_value()
    if not told or told in REFERENCES:
        raise ValueError("expected a secret, `file:PATH` or `vault:mount/path#key`")
    return secret


def _checked_base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("expected `https://host`, with a port and a path where there are any")
    if parts.query or parts.fragment or "?" in url or "#" in url or parts.username is not None:
        raise ValueError("expected a URL without a query, a fragment or a user")
    if url.endswith("/"):
        raise ValueError("expected a URL that does not end in `/`")
    return url


BaseURL = Annotated[str, AfterValidator(_checked_base)]
Address = Annotated[str, AfterValidator(checked_address)]
Listed = NoDecode, BeforeValidator(_listed)
Secret = Annotated[SecretStr, AfterValidator(_checked_secret)]
