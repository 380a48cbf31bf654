"""Addresses before they are opened: whether one is free, and why it is not.

Law: an address in use is refused in words, never shared or taken over. grpcio does not say why it
cannot open one, and replaces the file of a unix socket even while somebody answers there.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

UNIX = "unix:"


def try_address(address: str) -> None:
    """Raises OSError, which names the address, where it cannot be opened."""
    try:
        if address.startswith(UNIX):
            try_path(address.removeprefix(UNIX).removeprefix("//"))
        else:
            _try_host(address)
    except OSError as error:
        raise OSError(error.errno, error.strerror, address) from None


def try_path(path: str) -> None:
    """Raises OSError where no unix socket can be opened at a path, or somebody answers there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
            if probe.connect_ex(path) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            return  # left behind by a process that was killed; grpcio removes it
        probe.bind(path)
    os.unlink(path)


def _try_host(address: str) -> None:
    host, _, port = address.rpartition(":")
    errors = []
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    for family, kind, protocol, _, place in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                probe.listen()
        except OSError as error:
            errors.append(error)
    # A name may stand for an address that this machine has not (::1): one that opens is enough,
    # unless another one is taken.
    taken = [error for error in errors if error.errno in (errno.EADDRINUSE, errno.EACCES)]
    if taken or len(errors) == len(found):
        raise (taken or errors)[0]


def reserve(address: str) -> tuple[str, list[socket.socket]]:
    """Keep a free address for processes that open it together (SO_REUSEPORT). Gives it with its
    port filled in, and what keeps it while it is open. Raises OSError, as `try_address`."""
    try_address(address)
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    kept: list[socket.socket] = []
    number = int(port)
    for family, kind, protocol, _, place in found:
        keeper = socket.socket(family, kind, protocol)
        try:
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            keeper.bind((place[0], number, *place[2:]))
        except OSError as error:
            keeper.close()
            if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                continue
            raise OSError(error.errno, error.strerror, address) from None
        number = keeper.getsockname()[1]
        kept.append(keeper)
    return f"{host}:{number}", kept
