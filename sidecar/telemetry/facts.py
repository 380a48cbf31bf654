"""What metrics ask others for, when somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from taskman_authz.policy import PolicySet


class Facts(NamedTuple):
    """The policies in force (None: there are none); when they were last found to be those in the
    store (of `time.monotonic`; None: nobody looks); when the server's certificate expires."""

    policies: Callable[[], PolicySet] | None
    confirmed: Callable[[], float] | None = None
    expires: Callable[[], datetime | None] = lambda: None
