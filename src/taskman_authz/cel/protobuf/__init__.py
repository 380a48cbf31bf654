"""Protobuf messages in the language: as inputs, as literals, as results. An extra: `[protobuf]`.

Begin with `schema` (which messages, enums and extensions an environment knows), then `shapes` (a
message's fields: reading, presence, writing) and `values` (a message as a value). `well_known`
turns the messages of `google.protobuf` into what they are in the language, `literals` makes
messages, `equality` compares them, `enums` has enums as types of their own, `provider` tells the
checker and the planner about all of it. Expressions themselves as messages are `trees`.

    from taskman_authz import cel

    env = cel.Env({"order": "shop.Order"}, messages=[shop_pb2])
    env.compile("order.total > 100 && has(order.customer)").evaluate({"order": order})

Laws: a message that a caller passed is never changed; what a caller is given is the caller's own
message or a new one; which types an `Any` may hold is said by the environment, never by what else
the process has imported.
"""

from __future__ import annotations

try:
    import google.protobuf  # noqa: F401
except ImportError as error:
    raise ImportError(
        "protobuf messages need the package `protobuf`: pip install 'taskman-authz[protobuf]'"
    ) from error

from .enums import EnumValue
from .program import MessageProgram
from .provider import MessageTypes
from .schema import Schema
from .trees import from_checked, from_parsed, to_checked, to_parsed
from .values import MessageValue

__all__ = [
    "EnumValue",
    "MessageProgram",
    "MessageTypes",
    "MessageValue",
    "Schema",
    "from_checked",
    "from_parsed",
    "to_checked",
    "to_parsed",
]
