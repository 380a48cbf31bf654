"""The Common Expression Language: text to program to value.

Begin with `env.py`, which alone walks the whole road; then `checker`, `planner`, and the core's
`nodes` that a plan is made of. `grammar.lark` is the grammar of record, `stdlib` says what the
standard library declares and `functions` what it does, `messages` holds every error message.

    from taskman_authz import cel

    cel.evaluate("x + 1 > 2", {"x": 2})                       # True
    program = cel.Env(variables={"x": "int"}).compile("x + 1 > 2")
    program.evaluate({"x": 2})                                # True
"""

from __future__ import annotations

from .._fast.values import CelType, UInt
from .attributes import ANY, AttributePattern
from .costs import UNBOUNDED, Cost
from .env import Env, evaluate, policy_env, policy_layout
from .explanation import Explanation, Turn
from .layout import Layout
from .library import Library, function
from .optional import Optional
from .partial import Unknown
from .program import Program
from .schemas import json_schema
from .source import Source
from .times import Duration, Timestamp
from .types import Type

__all__ = [
    "ANY",
    "UNBOUNDED",
    "AttributePattern",
    "CelType",
    "Cost",
    "Duration",
    "Env",
    "Explanation",
    "Layout",
    "Library",
    "Optional",
    "Program",
    "Source",
    "Timestamp",
    "Turn",
    "Type",
    "UInt",
    "Unknown",
    "evaluate",
    "function",
    "json_schema",
    "policy_env",
    "policy_layout",
]
