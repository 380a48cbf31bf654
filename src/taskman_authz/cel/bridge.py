"""Messages that come into an environment which names none: read as messages all the same.

Law: protobuf is not imported here. Where a message comes in, the process has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .._fast.access import add_finder


def is_message_class(kind: object) -> bool:
    """Whether a class is one of messages."""
    module = sys.modules.get("google.protobuf.message")
    return module is not None and isinstance(kind, type) and issubclass(kind, module.Message)


def message_converter(kind: type) -> Callable[[Any], Any] | None:
    """What makes core values of the objects of a message class; None for any other class."""
    if not is_message_class(kind):
        return None
    from .protobuf.schema import converter

    return converter(kind)


def install() -> None:
    """Let the core read messages."""
    add_finder(message_converter)
