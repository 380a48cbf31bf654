"""common-expression-language: the Rust implementation, imported as `cel`."""

from __future__ import annotations

import itertools
from importlib.metadata import version as distribution_version

import cel

from ..cases import Case, Compilation, Conditions, Evaluation
from . import Cannot, Timed, Variant

TITLE = "cel (Rust)"
VARIANTS = {
    "dicts": Variant(", dicts", (Evaluation, Compilation, Conditions)),
    "reused": Variant(", context reused", (Evaluation, Conditions)),
}


def version() -> str:
    """The distribution's."""
    return distribution_version("common-expression-language")


def prepare(case: Case, variant: str) -> Timed:
    """Compiled once; `reused` converts the input once, `dicts` at every call."""
    if isinstance(case, Compilation):
        texts = itertools.cycle(case.texts)
        return Timed("compile(next(texts))", {"compile": cel.compile, "texts": texts})
    if isinstance(case, Evaluation):
        names = {"run": cel.compile(case.expression).execute, "data": _input(case, variant)}
        return Timed("run(data)", names)
    if isinstance(case, Conditions):
        runs = [cel.compile(text).execute for text in case.expressions]
        return Timed(
            "any([run(data) for run in runs])",
            {"runs": runs, "data": _input(case, variant)},
            per=len(runs),
        )
    raise Cannot("evaluates expressions, decides nothing")


def _input(case: Evaluation | Conditions, variant: str) -> object:
    data = dict(case.data)
    return data if variant == "dicts" else cel.Context(variables=data)
