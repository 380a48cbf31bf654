"""How an address is opened: in TLS where there are certificates, a unix socket for whom its file
lets in.

Law: beyond this machine nothing is answered in the clear unless an operator said so.
"""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from taskman_authz.errors import AuthzError

if TYPE_CHECKING:
    from .certificates import Certificates

UNIX = "unix:"


class Listening:
    """Opens addresses. `mode` and `group` are those of the files of unix sockets."""

    def __init__(
        self,
        certificates: Certificates | None = None,
        mode: int = 0o600,
        group: int | None = None,
    ) -> None:
        self.certificates = certificates
        self._mode = mode
        self._group = group

    def open(self, server: grpc.aio.Server, address: str) -> int:
        """Opens an address of a grpcio server, and gives its port. Raises what grpcio does, and
        OSError where the file of a unix socket cannot be given away."""
        if address.startswith(UNIX):
            with self.file(address):
                return server.add_insecure_port(address)
        if self.certificates is None:
            return server.add_insecure_port(address)
        from .tls import server_credentials

        return server.add_secure_port(address, server_credentials(self.certificates))

    @contextmanager
    def file(self, address: str) -> Iterator[None]:
        """Within, the socket of a unix address is bound; nobody but us can open it before it has
        its group and mode."""
        before = os.umask(0o177)
        try:
            yield
        finally:
            os.umask(before)
        path = address.removeprefix(UNIX).removeprefix("//")
        if self._group is not None:
            os.chown(path, -1, self._group)
        os.chmod(path, self._mode)


def find_group(name: str | None) -> int | None:
    """The number of a group. Raises AuthzError."""
    if name is None or name.isdecimal():
        return None if name is None else int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise AuthzError(f"--unix-socket-group: there is no group `{name}`") from None


def refuse_plain(
    place: str, addresses: Sequence[str], give: str = "--tls-cert and --tls-key"
) -> None:
    """Raises AuthzError naming an address, of those set at `place`, that is not on this machine;
    `give` are the settings that make the way to it safe."""
    for address in addresses:
        if not (address.startswith(UNIX) or _is_loopback(address.rpartition(":")[0])):
            raise AuthzError(
                f"{place} {address}: it can be reached from other machines; give {give}, "
                "or --insecure true where something else keeps the way to it safe"
            )


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "[::1]") or (
        host.startswith("127.") and all(part.isdecimal() for part in host.split("."))
    )
