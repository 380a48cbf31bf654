"""Messages that come into an environment which names none: read as messages all the same.

Law: protobuf is not imported here. Where a message comes in, the process has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .._fast.access import add_finder


def message_converter(kind: type) -> Callable[[Any], Any] | None:
    """What makes core values of the objects of a message class; None for any other class."""
    module = sys.modules.get("google.protobuf.message")
    if module is None or not issubclass(kind, module.Message):
        return None
    from .protobuf.schema import converter

    return converter(kind)


def install() -> None:
    """Let the core read messages."""
    add_finder(message_converter)
