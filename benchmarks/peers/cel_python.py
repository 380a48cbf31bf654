"""cel-python: pure Python, with its compiled runner."""

from __future__ import annotations

import itertools
from datetime import datetime
from importlib.metadata import version as distribution_version
from typing import Any

import celpy
from celpy import celtypes
from celpy.adapter import json_to_cel

from ..cases import Case, Compilation, Conditions, Data, Evaluation
from . import Cannot, Timed, Variant

TITLE = "cel-python"
VARIANTS = {
    "dicts": Variant(", dicts", (Evaluation, Compilation, Conditions)),
    "reused": Variant(", values converted before", (Evaluation, Conditions)),
}


def version() -> str:
    """The distribution's."""
    return distribution_version("cel-python")


def prepare(case: Case, variant: str) -> Timed:
    """Compiled once; `reused` converts the input to its own types once, `dicts` at every call."""
    if isinstance(case, Compilation):
        texts = itertools.cycle(case.texts)
        return Timed("compile(next(texts))", {"compile": _compile, "texts": texts})
    if isinstance(case, Evaluation):
        names: dict[str, Any] = {"run": _compile(case.expression).evaluate}
        if variant == "dicts":
            names |= {"convert": _convert, "data": case.data}
            return Timed("bool(run(convert(data)))", names)
        return Timed("bool(run(data))", names | {"data": _convert(case.data)})
    if isinstance(case, Conditions):
        if variant == "dicts":
            raise Cannot("takes seconds a round, most of it converting the same input again")
        runs = [_compile(text).evaluate for text in case.expressions]
        names = {"runs": runs, "data": _convert(case.data)}
        return Timed("any([bool(run(data)) for run in runs])", names, per=len(runs))
    raise Cannot("evaluates expressions, decides nothing")


def _compile(text: str) -> Any:
    env = celpy.Environment(runner_class=celpy.CompiledRunner)
    return env.program(env.compile(text))


def _convert(data: Data) -> dict[str, Any]:
    return {
        name: celtypes.TimestampType(value) if isinstance(value, datetime) else json_to_cel(value)
        for name, value in data.items()
    }
