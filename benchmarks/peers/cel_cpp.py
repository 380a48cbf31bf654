"""cel-expr-python: Google's C++ implementation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from importlib.metadata import version as distribution_version
from typing import Any

from cel_expr_python import cel

from ..cases import OBJECT, Case, Compilation, Conditions, Evaluation
from . import Cannot, Timed, Variant

TITLE = "cel-expr-python (C++)"
VARIANTS = {
    "dicts": Variant(", dicts", (Evaluation, Compilation, Conditions)),
    "reused": Variant(", activation reused", (Evaluation, Conditions)),
}

TYPES = {
    OBJECT: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "int": cel.Type.INT,
    "string": cel.Type.STRING,
    "list(int)": cel.Type.List(cel.Type.INT),
    "list(string)": cel.Type.List(cel.Type.STRING),
    "google.protobuf.Timestamp": cel.Type.TIMESTAMP,
}


def version() -> str:
    """The distribution's."""
    return distribution_version("cel-expr-python")


def prepare(case: Case, variant: str) -> Timed:
    """Compiled (and checked) once; `reused` makes the activation once."""
    if isinstance(case, Compilation):
        names = {"compile": _env(case.variables).compile, "texts": itertools.cycle(case.texts)}
        return Timed("compile(next(texts))", names)
    if not isinstance(case, (Evaluation, Conditions)):
        raise Cannot("evaluates expressions, decides nothing")
    env, data = _env(case.variables), dict(case.data)
    keyword = "data" if variant == "dicts" else "activation"
    names = {"data": data if variant == "dicts" else env.Activation(data)}
    if isinstance(case, Evaluation):
        names["run"] = env.compile(case.expression).eval
        return Timed(f"run({keyword}=data).plain_value()", names)
    runs = [env.compile(text).eval for text in case.expressions]
    names["runs"] = runs
    return Timed(f"any([run({keyword}=data).plain_value() for run in runs])", names, per=len(runs))


def _env(variables: Mapping[str, str]) -> Any:
    return cel.NewEnv(variables={name: TYPES[type] for name, type in variables.items()})
