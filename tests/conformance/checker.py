"""The suite `checker`: the reference implementation's cases of types.

A case passes when the expression has the expected type, or is refused where none is expected; and
where the suite carries the checked tree, when others read that very tree from ours, serialised,
with the type of every part and what every name and call stands for.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from taskman_authz import cel
from taskman_authz.cel import ext, protobuf, stdlib
from taskman_authz.cel.decls import Declarations, functions_of
from taskman_authz.cel.notation import parse_signature
from taskman_authz.cel.types import Type
from taskman_authz.errors import CompileError

from . import engine, fetch, messages, wire
from .cases import Case, Json, numbered, read
from .runner import Outcome
from .types import type_text

NAME = "checker"
SUITE = "checking"
REFUSED = "refused"
EXPECTED = numbered(Path(__file__).with_suffix(".yaml"))

# Without the order of numbers of different types.
PLAIN = Declarations(stdlib.STANDARD_TYPES, stdlib.STANDARD_FUNCTIONS)
# What the reference implementation's tests declare besides.
VARIABLES = {
    "is": "string",
    "ii": "int",
    "iu": "uint",
    "iz": "bool",
    "ib": "bytes",
    "id": "double",
    "ix": "null_type",
}
FUNCTIONS = functions_of("""
fg_s    fg_s_0    () -> string
fi_s_s  fi_s_s_0  string.() -> string
""")


def cases() -> list[Case]:
    """All cases, named by their number."""
    return [
        dataclasses.replace(case, name=f"{NAME}/{number:03}")
        for number, case in enumerate(read(fetch.suite(SUITE)))
    ]


def run(case: Case) -> Outcome:
    """What became of a case."""
    said = EXPECTED.get(int(case.name.rpartition("/")[2]), {})
    wanted = said.get("gives") or case.deduced or REFUSED
    try:
        data = protobuf.to_checked(environment(case, said).compile(case.expression))
        checked = wire.message("CheckedExpr", data)
        found = wire.type_text(checked.type_map[checked.expr.id])
        if "gives" not in said and wire.checked(data) != case.checked_ast:
            found = "another tree"
    except CompileError:
        found = REFUSED
    except Exception as error:  # whatever it is, the suite goes on and the case fails
        found = f"crash: {type(error).__name__}: {error}"
    return Outcome(case, "passed" if found == wanted else "failed", (NAME,), "", wanted, found)


def environment(case: Case, said: dict[str, Any]) -> cel.Env:
    """What a case is checked in."""
    base = stdlib.STANDARD if said.get("mixed_numbers", True) else PLAIN
    return cel.Env(
        VARIABLES | {name: _type(type) for name, type in engine.variables(case)},
        container=case.container,
        messages=[messages.checker_files()],
        libraries=[ext.OPTIONALS],
        declarations=base.extended(functions=[*FUNCTIONS, *engine.functions(case)]),
    )


def _type(type: Json) -> Type:
    return parse_signature(f"() -> {type_text(type)}").result  # in which `T` is a parameter
