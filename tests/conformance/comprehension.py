"""The suite `comprehension`: the reference implementation's cases of loops with two variables.

A case passes when its tree is the expected one, where the suite carries it (as it is parsed without
any library), and it gives what `comprehension.yaml` says, checked and, if that is a value,
unchecked; and when it is read back as the same tree from its own text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taskman_authz import cel
from taskman_authz.cel import ext
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from taskman_authz.errors import CompileError, EvaluationError

from . import fetch
from .cases import Case, numbered, read
from .debug import debug
from .runner import Outcome
from .values import actual_form, show

NAME = "comprehension"
LIBRARIES = (ext.COMPREHENSIONS, ext.BINDINGS, ext.LISTS, ext.STRINGS, ext.OPTIONALS)
EXPECTED = numbered(Path(__file__).with_suffix(".yaml"))
REFUSED, ERROR = "refused", "error"


def cases() -> list[Case]:
    """All cases, named by their number."""
    return [
        dataclasses.replace(case, name=f"{NAME}/{number:02}")
        for number, case in enumerate(read(fetch.suite(NAME)))
    ]


def run(case: Case) -> Outcome:
    """What became of a case."""
    expected = EXPECTED[int(case.name.rpartition("/")[2])]
    wanted = expected["gives"]
    if wanted not in (REFUSED, ERROR):
        wanted = show(actual_form(cel.evaluate(wanted)))
    found = "; ".join(_differences(case, expected.get("variables", {}), wanted))
    return Outcome(case, "failed" if found else "passed", (NAME,), "", wanted, found)


def _differences(case: Case, variables: dict[str, list[str]], wanted: str) -> Iterator[str]:
    types = {name: type for name, (type, _) in variables.items()}
    given = {name: cel.evaluate(value) for name, (_, value) in variables.items()}
    env = cel.Env(types, libraries=LIBRARIES)
    if case.ast and debug(cel.Env(types).parse(case.expression).expr) != case.ast:
        yield "another tree"
    for check in (True, False) if wanted != REFUSED else (True,):
        found = _given(env, case.expression, given, check)
        if found != wanted:
            yield f"{found}{'' if check else ' unchecked'}"
    if wanted != REFUSED and not _reads_back(env, case.expression):
        yield "another tree when it is read back"


def _given(env: cel.Env, text: str, variables: dict[str, Any], check: bool) -> str:
    try:
        return show(actual_form(env.compile(text, check=check).evaluate(variables)))
    except CompileError:
        return REFUSED
    except EvaluationError:
        return ERROR
    except Exception as error:  # whatever it is, the suite goes on and the case fails
        return f"crash: {type(error).__name__}: {error}"


def _reads_back(env: cel.Env, text: str) -> bool:
    parsed = env.parse(text)
    return debug(env.parse(Source(unparse(parsed))).expr) == debug(parsed.expr)
