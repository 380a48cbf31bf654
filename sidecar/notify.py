"""Tells systemd how far a service has come (sd_notify), where systemd wants to know."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send `READY=1`, `STOPPING=1` and so on. Nobody who listens is no error."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(f"\0{path[1:]}" if path[0] == "@" else path)
            out.send(state.encode())
