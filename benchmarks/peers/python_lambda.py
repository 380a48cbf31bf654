"""Plain Python on the same dicts: what a caller would write without any policy engine."""

from __future__ import annotations

import platform

from ..cases import Case, Conditions, Data, Evaluation
from . import Cannot, Timed, Variant

TITLE = "Python lambda"
VARIANTS = {
    "": Variant("", (Evaluation, Conditions)),
}


def version() -> str:
    """Python's own."""
    return platform.python_version()


def prepare(case: Case, variant: str) -> Timed:
    """The case's own function, or for conditions one function a condition."""
    if isinstance(case, Evaluation):
        return Timed("call(data)", {"call": case.python, "data": case.data})
    if not isinstance(case, Conditions):
        raise Cannot("is not an engine")
    calls = [_condition(n) for n in range(len(case.expressions))]
    return Timed(
        "any([call(data) for call in calls])",
        {"calls": calls, "data": case.data},
        per=len(calls),
    )


def _condition(number: int) -> object:
    department, owner, role = f"department-{number}", f"user-{number}", f"role-{number}"

    def holds(data: Data) -> bool:
        subject = data["subject"]
        return bool(
            subject["department"] == department
            and data["resource"]["owner"] == owner
            or role in subject["roles"]
        )

    return holds
