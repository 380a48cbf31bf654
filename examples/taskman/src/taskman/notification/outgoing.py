"""Calls of other systems, at addresses that users name.

Laws (what keeps a caller from reaching what only we can reach): over TLS only, to the name that was
given; every address that the name has is looked at, and one that was looked at is the one that is
connected to; what is not public is not called unless the operator names its network. Redirects are
not followed, and of an answer only the status is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import httpcore

from .letters import NotSent

Network = IPv4Network | IPv6Network
# Public by their look, but they lead to IPv4 addresses that need not be: NAT64 and 6to4.
_LEADING_ELSEWHERE = (ip_network("64:ff9b::/96"), ip_network("2002::/16"))


class Outgoing:
    """POSTs. `private` networks may be called too; `authority` vouches for servers."""

    def __init__(
        self, timeout: float, private: Sequence[Network] = (), authority: Path | None = None
    ) -> None:
        context = ssl.create_default_context(cafile=authority)
        backend = _Guarded(private)
        self._pool = httpcore.AsyncConnectionPool(context, network_backend=backend)
        times = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        self._extensions = {"timeout": times}

    async def post(self, url: str, headers: dict[str, str], content: bytes) -> int:
        """The status of the answer. Raises NotSent."""
        if not url.startswith("https://"):
            raise NotSent("the address is not https://", final=True)
        given: Any = {**headers, "User-Agent": "TaskMan"}
        try:
            async with self._pool.stream(
                "POST", url, headers=given, content=content, extensions=self._extensions
            ) as answer:
                return int(answer.status)
        except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
            raise NotSent("there is no answer") from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise NotSent("the answer is no HTTP") from error

    async def close(self) -> None:
        """Give up the connections."""
        await self._pool.aclose()


class _Guarded(httpcore.AsyncNetworkBackend):
    def __init__(self, private: Sequence[Network]) -> None:
        self._private = private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NotSent("there is no such host") from error
        addresses = [ip_address(each[4][0]) for each in found]
        if not addresses or not all(self._may_be_called(each) for each in addresses):
            raise NotSent("the host is not a public one", final=True)
        for address in addresses[:-1]:  # of several, one that answers
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
        return await self._inner.connect_tcp(
            str(addresses[-1]), port, timeout, local_address, socket_options
        )

    def _may_be_called(self, address: IPv4Address | IPv6Address) -> bool:
        real = getattr(address, "ipv4_mapped", None) or address
        if any(real in network for network in self._private):
            return True
        leads_elsewhere = any(real in network for network in _LEADING_ELSEWHERE)
        return real.is_global and not real.is_multicast and not leads_elsewhere

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
