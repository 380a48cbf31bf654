"""taskman-authz itself, through its public doors: plain dicts in, Python values out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from importlib.metadata import version as distribution_version
from typing import Any

from taskman_authz import PDP, _fast, cel
from taskman_authz.policy import compile_documents

from ..cases import APPLICABLE, OBJECT, Case, Compilation, Conditions, Decision, Evaluation, Rule
from . import Cannot, Timed, Variant

TITLE = "taskman-authz"
VARIANTS = {
    "": Variant("", (Evaluation, Compilation, Conditions, Decision)),
    "conditions": Variant(", the four conditions alone", (Decision,)),
}


def version() -> str:
    """The package's, and which of the two twins of the core runs."""
    return f"{distribution_version('taskman-authz')}, {_fast.twin()} twin"


def prepare(case: Case, variant: str) -> Timed:
    """Compiled once, whether it is an expression or a set of policies."""
    if variant == "conditions":
        if not isinstance(case, Decision):
            raise Cannot("conditions alone are a part of a decision")
        return _alone(case)
    if isinstance(case, Evaluation):
        program = cel.Env(variables=case.variables).compile(case.expression)
        return Timed("run(data)", {"run": program.evaluate, "data": dict(case.data)})
    if isinstance(case, Compilation):
        compile = cel.Env(variables=case.variables).compile
        return Timed(
            "compile(next(texts))", {"compile": compile, "texts": itertools.cycle(case.texts)}
        )
    if isinstance(case, Conditions):
        return _set(case)
    names = _question(case.subject, case.action, case.resource, case.context)
    return Timed(
        "check(subject, action, resource, context).allowed",
        names | {"check": _pdp(case.rules).check},
    )


def _alone(case: Decision) -> Timed:
    env = cel.Env(variables={"subject": OBJECT, "resource": OBJECT, "context": OBJECT})
    runs = [env.compile(rule.condition).evaluate for rule in APPLICABLE]
    data = {"subject": case.subject, "resource": case.resource, "context": case.context}
    # Three deny conditions that do not hold, then the one that does: all four are evaluated.
    return Timed(
        "a(data) or b(data) or c(data) or d(data)",
        dict(zip("abcd", runs, strict=True)) | {"data": data},
    )


def _set(case: Conditions) -> Timed:
    rules = [
        Rule(f"rule-{n}", "allow", "developer", "edit", "tasks", text, "", "")
        for n, text in enumerate(case.expressions)
    ]
    names = _question(case.data["subject"], "edit", case.data["resource"], {})
    return Timed(
        "check(subject, action, resource, context).allowed",
        names | {"check": _pdp(rules).check},
        per=len(rules),
    )


def _question(subject: Any, action: str, resource: Any, context: Any) -> dict[str, Any]:
    return {
        "subject": subject,
        "action": f"{resource['type']}:{action}",
        "resource": resource,
        "context": context,
    }


def _pdp(rules: Iterable[Rule]) -> PDP:
    policies = [
        {
            "id": rule.id,
            "effect": rule.effect,
            "roles": [rule.role],
            "actions": [f"{rule.resource}:{rule.action}"],
            "resources": [f"{rule.resource}/*"],
            "condition": rule.condition,
        }
        for rule in rules
    ]
    # JSON is YAML.
    return PDP(compile_documents([("policies.yaml", json.dumps({"policies": policies}))]))
