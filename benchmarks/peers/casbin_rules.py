"""casbin (pycasbin): conditions in the policies, with and without its key index."""

from __future__ import annotations

import logging
import os
import tempfile
from importlib.metadata import version as distribution_version
from typing import Any

import casbin

from ..cases import Case, Decision
from . import Cannot, Timed, Variant

TITLE = "casbin"
VARIANTS = {
    "": Variant("", (Decision,)),
    "fast": Variant(" FastEnforcer, exact keys", (Decision,)),
}

MODEL = """\
[request_definition]
r = subject, action, kind, resource, context
[policy_definition]
p = role, action, kind, condition, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = p.role in r.subject.roles && r.action == p.action && r.kind == p.kind && eval(p.condition)
"""
MOST_WITHOUT_INDEX = 10_000


def version() -> str:
    """The distribution's; its log lines would be most of what is measured."""
    logging.disable(logging.CRITICAL)
    return distribution_version("casbin")


def prepare(case: Case, variant: str) -> Timed:
    """An enforcer with all rules of the case."""
    if not isinstance(case, Decision):
        raise Cannot("decides, evaluates no expression by itself")
    if variant == "" and case.count > MOST_WITHOUT_INDEX and not os.environ.get("BENCHMARKS_FULL"):
        raise Cannot("looks at every policy: some 10 s a decision, measured with `--full`")
    enforcer = _enforcer(variant)
    enforcer.add_policies(
        [[rule.role, rule.action, rule.resource, rule.casbin, rule.effect] for rule in case.rules]
    )
    names = {
        "enforce": enforcer.enforce,
        "subject": case.subject,
        "action": case.action,
        "kind": case.resource["type"],
        "resource": case.resource,
        "context": case.context,
    }
    return Timed("enforce(subject, action, kind, resource, context)", names)


def _enforcer(variant: str) -> Any:
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as model:
        model.write(MODEL)
        model.flush()
        if variant == "fast":
            return casbin.FastEnforcer(model.name, cache_key_order=[1, 2])
        return casbin.Enforcer(model.name)
