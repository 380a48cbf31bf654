"""Sockets of the servers that take them opened: HTTP's, the metrics', and gRPC's on libnghttp2.

Law: an address in use is refused in words.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence

from .addresses import UNIX, try_path
from .security import Listening


def open_sockets(
    addresses: Sequence[str], listening: Listening, shares: bool = False
) -> list[socket.socket]:
    """A bound socket an address, which workers may share. Raises OSError naming the one that cannot
    be opened."""
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            opened.append(_open(address, listening, shares))
    except BaseException:
        for each in opened:
            each.close()
        raise
    return opened


def address_of(opened: socket.socket, address: str) -> str:
    """The address with its port filled in."""
    if opened.family == socket.AF_UNIX:
        return address
    return f"{address.rpartition(':')[0]}:{opened.getsockname()[1]}"


def _open(address: str, listening: Listening, shares: bool) -> socket.socket:
    try:
        if address.startswith(UNIX):
            return _open_path(address, listening)
        return open_host(address, shares)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from None


def _open_path(address: str, listening: Listening) -> socket.socket:
    path = address.removeprefix(UNIX).removeprefix("//")
    try_path(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # left behind by a process that was killed
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listening.file(address):
        opened.bind(path)
    return opened


def open_host(address: str, shares: bool) -> socket.socket:
    """A listening socket at host:port, which several processes may share. Raises OSError."""
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    family, kind, protocol, _, place = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(place)
        opened.listen()
    except BaseException:
        opened.close()
        raise
    return opened
