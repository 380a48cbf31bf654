"""How services differ from ours, whichever transport they are spoken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .status import Status


class Face(NamedTuple):
    """How a service whose messages are somebody else's differs from ours: what its calls are known
    by, how it says that there is no answer (None: a status of gRPC), and whether guards are asked
    and watchers told of its calls."""

    name: str = "grpc"
    refuse: Callable[[Status], bytes] | None = None
    is_guarded: bool = True


OURS = Face()
