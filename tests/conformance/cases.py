"""What a test of the suite is: a `Case`, read from the JSON form of `cel.expr.SimpleTest`.

A case's name is `file/section/test`, unique in the suite (the few tests that share a name get
`#2`, `#3` in the order of the file).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import fetch

Json = Any


@dataclass(frozen=True)
class Case:
    """One expression and what it must give.

    `value` and `type` are the JSON forms of `cel.expr.Value` and `cel.expr.Type`. Exactly one of
    `value` and `error` says what evaluation gives, unless `check_only`.
    """

    name: str
    expression: str
    container: str = ""
    declarations: tuple[Json, ...] = ()
    bindings: Mapping[str, Json] = field(default_factory=dict)
    check: bool = True
    check_only: bool = False
    macros: bool = True
    value: Json = None
    error: bool = False
    type: Json = None
    # What the reference implementation made of it: debug forms of the parsed and the checked
    # tree, the deduced type, and the errors. For reading, and for the parser's and checker's cases.
    ast: str = ""
    checked_ast: str = ""
    deduced: str = ""
    reference_error: str = ""

    @property
    def file(self) -> str:
        """The first part of the name: the suite's file."""
        return self.name.partition("/")[0]

    @property
    def strong_enums(self) -> bool:
        """Whether it is about enums as types of their own."""
        return self.name.startswith("enums/strong_")


def conformance() -> list[Case]:
    """All cases of the conformance suite, in its order."""
    return read(fetch.suite("conformance"))


def read(suite: Json) -> list[Case]:
    """The cases of a suite as `fetch.suite` gives it."""
    seen: Counter[str] = Counter()
    cases = []
    for path, test in _walk(suite, ()):
        original = test["original"]
        name = "/".join((*path, original.get("name") or " ".join(original["expr"].split())))
        seen[name] += 1
        cases.append(_case(name if seen[name] == 1 else f"{name}#{seen[name]}", test))
    return cases


def numbered(path: Path) -> dict[int, dict[str, Any]]:
    """What a file says about cases, by their number in their suite: each of its groups has
    `cases`, the first number and the last."""
    found = {}
    for group in yaml.safe_load(path.read_text("utf-8")):
        first, last = group["cases"]
        found |= dict.fromkeys(range(first, last + 1), group)
    return found


def _walk(suite: Json, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    for test in suite.get("tests", ()):
        yield path, test
    for inner in suite.get("suites", ()):
        yield from _walk(inner, (*path, inner["name"]))


def _case(name: str, test: Json) -> Case:
    original = test["original"]
    typed = original.get("typedResult", {})
    error = "evalError" in original or "anyEvalErrors" in original
    check_only = original.get("checkOnly", False)
    value = original.get("value", typed.get("result"))
    if value is None and not error and not check_only:
        value = {"boolValue": True}  # what the suite means where it says nothing
    return Case(
        name,
        original["expr"],
        original.get("container", ""),
        tuple(original.get("typeEnv", ())),
        original.get("bindings", {}),
        not original.get("disableCheck", False),
        check_only,
        not original.get("disableMacros", False),
        value,
        error,
        typed.get("deducedType"),
        test.get("ast", ""),
        test.get("checkedAst", ""),
        test.get("type", ""),
        test.get("error", ""),
    )
