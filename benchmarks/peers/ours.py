"""taskman-authz itself, through its public doors: plain dicts in, Python values out."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version as distribution_version
from itertools import count
from pathlib import Path
from typing import Any

from taskman_authz import PDP, _fast, cel
from taskman_authz.policy import bundle, change, compile_documents

from ..cases import (
    APPLICABLE,
    OBJECT,
    Case,
    Compilation,
    Conditions,
    Decision,
    Evaluation,
    Loading,
    Memory,
    Rule,
)
from . import Cannot, Timed, Variant

TITLE = "taskman-authz"
VARIANTS = {
    "": Variant("", (Evaluation, Compilation, Conditions, Decision, Loading, Memory)),
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
    if isinstance(case, Memory):
        return _memory(case)
    if isinstance(case, Loading):
        return _loading(case)
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


def _loading(case: Loading) -> Timed:
    text = _yaml(case)
    if case.form == "yaml":
        return Timed("len(load([('p.yaml', text)]))", {"load": compile_documents, "text": text})
    policies = compile_documents([("p.yaml", text)])
    if case.form == "bundle":
        return Timed("len(read(data))", {"read": bundle.read, "data": bundle.write(policies)})
    documents = (_document({**case.policy(7), "condition": f"resource.n == {n}"}) for n in count())
    names = {"change": change, "policies": policies, "documents": documents}
    return Timed("len(change(policies, [('p.yaml', next(documents))]))", names)


def _yaml(case: Loading) -> str:
    """As people write it: a line a field."""
    return "policies:\n" + "".join(
        "".join(
            f"{'  - ' if field == 'id' else '    '}{field}: {json.dumps(value)}\n"
            for field, value in case.policy(number).items()
        )
        for number in range(case.count)
    )


def _document(policy: Any) -> str:
    return json.dumps({"policies": [policy]})


# What a fresh process says of itself: how many policies it loaded, and how much more memory it has.
LOADED = """
import resource, sys
from taskman_authz import PDP
def pages():
    return int(open("/proc/self/statm").read().split()[1])
PDP.from_path("policies/patterns")
before = pages()
loaded = len(PDP.from_path(sys.argv[1]).policies)
print(loaded, (pages() - before) * resource.getpagesize() / 2**20)
"""


def _memory(case: Memory) -> Timed:
    """No time: the clock goes on by a millionth for each MiB, so that the table shows MiB."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, f"policies.{case.form}")
    if case.form == "bundle":
        path.write_bytes(bundle.write(compile_documents([("p.yaml", _yaml(case))])))
    else:
        path.write_text(_yaml(case), encoding="utf-8")
    shown = [0.0]

    def load() -> int:
        run = [sys.executable, "-c", LOADED, str(path)]
        loaded, more = subprocess.check_output(run, text=True).split()
        shown[0] += float(more) / 1e6
        return int(loaded)

    return Timed("load()", {"load": load, "folder": folder}, clock=lambda: shown[0])


def policies(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Rules as the policies of a document."""
    return [
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


def _pdp(rules: Iterable[Rule]) -> PDP:
    # JSON is YAML.
    return PDP(compile_documents([("policies.yaml", json.dumps({"policies": policies(rules)}))]))
