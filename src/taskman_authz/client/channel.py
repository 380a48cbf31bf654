"""How a client reaches decision points: addresses, gRPC's own balancing and retries, TLS.

Laws: where there are several addresses, gRPC asks them in turn, and none of which the standard
health service says that it does not serve. Only UNAVAILABLE is tried again, after a time that
varies at random, and only within the deadline of the call. What cannot be is refused when the
client is made, with an `ArgumentError`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

import grpc

from ..errors import ArgumentError, require
from ..limits import Limits
from ..wire import SERVICE

Target = str | Sequence[str]

_RETRY = {
    "maxAttempts": 5,  # the most that gRPC does
    "initialBackoff": "0.02s",  # each is varied by a fifth at random
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# A scheme of gRPC's that is none of HTTP's, or a port at the end.
_ADDRESS = re.compile(r"(?!https?:)(\w[\w.+-]*:/|unix(-abstract)?:|.*:\d+$)")
_SCHEMES = {  # of a list of addresses
    "ipv4": re.compile(r"\d{1,3}(\.\d{1,3}){3}:\d+"),
    "ipv6": re.compile(r"\[[0-9a-fA-F:.]+(%\w+)?\]:\d+"),
}


@dataclass(frozen=True)
class TLS:
    """PEM files, read when a client is made. `ca`: who may sign the decision point's certificate
    (None: gRPC's own roots). `certificate` and `key`, both or none: our own, where the decision
    point wants to know who asks (mTLS). `server_name`: the name that its certificate must have,
    where that is not the one in the address; needed for a list of addresses."""

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        for field in ("ca", "certificate", "key"):
            kinds = (str, os.PathLike, NoneType)
            require(f"tls.{field}", getattr(self, field), kinds, "the path of a PEM file")
        require("tls.server_name", self.server_name, (str, NoneType), "a name")
        if (self.certificate is None) != (self.key is None):
            raise ArgumentError("tls", "certificate and key, or neither", "one of them")

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC takes. Raises ArgumentError naming the file that cannot be read."""
        return grpc.ssl_channel_credentials(
            root_certificates=_pem("ca", self.ca),
            private_key=_pem("key", self.key),
            certificate_chain=_pem("certificate", self.certificate),
        )


def target_of(target: Target) -> str:
    """One target in gRPC's notation. Raises ArgumentError."""
    if isinstance(target, str):
        if not _ADDRESS.match(target):
            expected = "`host:port`, `unix:///path` or `dns:///name:port`"
            raise ArgumentError("target", expected, f"`{target:.200}`" if target else "nothing")
        return target
    addresses = list(target) if isinstance(target, Sequence) else [target]
    for scheme, form in _SCHEMES.items():
        if addresses and all(isinstance(each, str) and form.fullmatch(each) for each in addresses):
            return f"{scheme}:{','.join(addresses)}"
    expected = "`ip:port`s, all IPv4 or all IPv6 (for names: `dns:///name:port`)"
    raise ArgumentError("target", expected, f"{addresses!r:.200}")


def check_secret(target: str, tls: TLS | None, token: Any) -> None:
    """Raises ArgumentError where a token would travel in clear text."""
    if token is not None and tls is None and not target.startswith("unix:"):
        raise ArgumentError("token", "`tls` too, or a unix socket", "neither")


def options_of(target: str, tls: TLS | None, limits: Limits) -> list[tuple[str, Any]]:
    """The options of the channel. Raises ArgumentError."""
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(_service_config(target))),
        # A sidecar that restarts is back within a second: gRPC would wait one before it looks. The
        # five tries of a call take a quarter of a second at least, so one of them finds it.
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 1_000),  # in truth: how long connecting may take
        # The answers to a full batch, with all their reasons, are longer than its questions.
        ("grpc.max_receive_message_length", 4 * limits.message_bytes),
    ]
    if tls is not None and tls.server_name is not None:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    elif tls is not None and target.partition(":")[0] in _SCHEMES:
        raise ArgumentError("tls", "`server_name` for a list of addresses", "none")
    return options


def _service_config(target: str) -> dict[str, Any]:
    config: dict[str, Any] = {
        "methodConfig": [{"name": [{"service": SERVICE}], "retryPolicy": _RETRY}]
    }
    if target.partition(":")[0] in ("dns", *_SCHEMES):
        config["loadBalancingConfig"] = [{"round_robin": {}}]
        # A server without the health service counts as healthy.
        config["healthCheckConfig"] = {"serviceName": SERVICE}
    return config


def _pem(field: str, path: str | os.PathLike[str] | None) -> bytes | None:
    if path is None:
        return None
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ArgumentError(
            f"tls.{field}", f"a PEM file at `{path}`", str(error.strerror)
        ) from None
    if b"-----BEGIN " not in data:
        raise ArgumentError(f"tls.{field}", f"a PEM file at `{path}`", "something else")
    return data
