"""What is asked: expressions to evaluate and compile, and decisions among many policies.

Everything here is data that every peer reads the same. A case's `name` is stable: results are
compared over time by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Data = Mapping[str, Any]

# As the user's document writes it; `contains` on a list is no standard CEL, so the peers that
# speak CEL get the standard word for it.
POLICY = (
    "subject.department == 'engineering' && resource.owner == subject.id"
    " || 'admin' in subject.roles"
)

OBJECT = "map(string, dyn)"
SUBJECT = {
    "type": "user",
    "id": "user123",
    "department": "sales",
    "roles": ["developer", "reviewer"],
    "email": "ann.lee@example.com",
    "company": "acme",
    "level": 3,
    "suspended": False,
}
ENGINEER = {**SUBJECT, "department": "engineering"}
RESOURCE = {
    "type": "tasks",
    "id": "456",
    "owner": "user123",
    "project": "apollo",
    "company": "acme",
    "status": "open",
    "priority": 2,
}
CONTEXT = {"ip": "10.0.0.7", "channel": "api", "mfa": True}

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
CREATED = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
TAGS = [*(f"proj-{number}" for number in range(100, 119)), "proj-19"]
PROJECTS = [f"proj-{number}" for number in range(20)]
DEPARTMENTS = [f"department-{number}" for number in range(30)]
MONTH = timedelta(hours=720)
EMAIL = re.compile(r"^[a-z.]+@example[.]com$")


@dataclass(frozen=True)
class Evaluation:
    """One compiled expression on one input; `python` does the same work on the same dicts."""

    name: str
    title: str
    expression: str
    variables: Mapping[str, str]
    data: Data
    expected: bool
    python: Callable[[Data], bool]


def _policy(data: Data) -> bool:
    subject = data["subject"]
    return bool(
        subject["department"] == "engineering"
        and data["resource"]["owner"] == subject["id"]
        or "admin" in subject["roles"]
    )


EVALUATIONS = (
    Evaluation("true", "`true`", "true", {}, {}, True, lambda data: True),
    Evaluation(
        "arithmetic",
        "`x + 1 > 2`",
        "x + 1 > 2",
        {"x": "int"},
        {"x": 10},
        True,
        lambda data: bool(data["x"] + 1 > 2),
    ),
    Evaluation(
        "policy",
        "the document's policy, all false",
        POLICY,
        {"subject": OBJECT, "resource": OBJECT},
        {"subject": SUBJECT, "resource": RESOURCE},
        False,
        _policy,
    ),
    Evaluation(
        "policy-true",
        "the same, first branch true",
        POLICY,
        {"subject": OBJECT, "resource": OBJECT},
        {"subject": ENGINEER, "resource": RESOURCE},
        True,
        _policy,
    ),
    Evaluation(
        "exists",
        "`exists` with `startsWith` and `in`, 20 × 20",
        "tags.exists(t, t.startsWith('proj-') && t in projects)",
        {"tags": "list(string)", "projects": "list(string)"},
        {"tags": TAGS, "projects": PROJECTS},
        True,
        lambda data: any(
            tag.startswith("proj-") and tag in data["projects"] for tag in data["tags"]
        ),
    ),
    Evaluation(
        "filter-map",
        "`filter`, `map` and `size` on 100",
        "numbers.filter(n, n % 2 == 0).map(n, n * 2).size() == 50",
        {"numbers": "list(int)"},
        {"numbers": list(range(100))},
        True,
        lambda data: len([n * 2 for n in [n for n in data["numbers"] if n % 2 == 0]]) == 50,
    ),
    Evaluation(
        "time-regex",
        "time arithmetic and a regex",
        "now - created < duration('720h') && email.matches('^[a-z.]+@example[.]com$')",
        {
            "now": "google.protobuf.Timestamp",
            "created": "google.protobuf.Timestamp",
            "email": "string",
        },
        {"now": NOW, "created": CREATED, "email": "ann.lee@example.com"},
        True,
        lambda data: (
            data["now"] - data["created"] < MONTH and EMAIL.search(data["email"]) is not None
        ),
    ),
    Evaluation(
        "equalities",
        "30 string equalities in `||`",
        " || ".join(f"subject.department == '{name}'" for name in DEPARTMENTS),
        {"subject": OBJECT},
        {"subject": SUBJECT},
        False,
        eval(
            "lambda data: "
            + " or ".join(f"data['subject']['department'] == '{name}'" for name in DEPARTMENTS)
        ),
    ),
)


@dataclass(frozen=True)
class Compilation:
    """Text to something that can be evaluated. A peer must not answer from a cache, so each call
    compiles another of these texts, which differ in one string."""

    name: str
    title: str
    texts: tuple[str, ...]
    variables: Mapping[str, str]


COMPILATIONS = (
    Compilation(
        "compile",
        "compile the document's policy",
        tuple(POLICY.replace("'engineering'", f"'engineering{n}'") for n in range(1_000)),
        {"subject": OBJECT, "resource": OBJECT},
    ),
)


@dataclass(frozen=True)
class Conditions:
    """Many distinct conditions over one input: none of them holds. Times are a condition's."""

    name: str
    title: str
    expressions: tuple[str, ...]
    variables: Mapping[str, str]
    data: Data


CONDITIONS = tuple(
    Conditions(
        f"conditions-{count}",
        f"{count:,} distinct conditions, each",
        tuple(
            f"subject.department == 'department-{n}' && resource.owner == 'user-{n}'"
            f" || 'role-{n}' in subject.roles"
            for n in range(count)
        ),
        {"subject": OBJECT, "resource": OBJECT},
        {"subject": SUBJECT, "resource": RESOURCE},
    )
    for count in (100, 1_000)
)


@dataclass(frozen=True)
class Rule:
    """A policy, in words that every engine can be told: CEL for those that speak it, and the same
    condition in Cedar's and in casbin's language."""

    id: str
    effect: str
    role: str
    action: str
    resource: str  # the kind of resource
    condition: str
    cedar: str
    casbin: str


@dataclass(frozen=True)
class Decision:
    """One question among `count` policies: four apply (three denies that do not hold, then the
    allow that does, so that an engine has to look at all four), the others are about other actions
    on other kinds of resources for other roles."""

    name: str
    title: str
    count: int
    subject: Data
    action: str
    resource: Data
    context: Data
    expected: bool = True
    others: Callable[[int], Rule] | None = None  # the policies beside the applicable ones

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The policies, the applicable ones first."""
        made = self.others or _unrelated
        return APPLICABLE + tuple(made(n) for n in range(self.count - len(APPLICABLE)))


APPLICABLE = (
    Rule(
        "archived-is-closed",
        "deny",
        "developer",
        "edit",
        "tasks",
        "resource.status == 'archived'",
        'resource.status == "archived"',
        "r.resource.status == 'archived'",
    ),
    Rule(
        "suspended-do-nothing",
        "deny",
        "developer",
        "edit",
        "tasks",
        "subject.suspended == true",
        "principal.suspended == true",
        "r.subject.suspended == True",
    ),
    Rule(
        "api-needs-a-second-factor",
        "deny",
        "developer",
        "edit",
        "tasks",
        "context.channel == 'api' && context.mfa == false",
        'context.channel == "api" && context.mfa == false',
        "r.context.channel == 'api' and r.context.mfa == False",
    ),
    Rule(
        "engineers-edit-their-own",
        "allow",
        "developer",
        "edit",
        "tasks",
        POLICY,
        'principal.department == "engineering" && resource.owner == principal.id'
        ' || principal.roles.contains("admin")',
        "r.subject.department == 'engineering' and r.resource.owner == r.subject.id"
        " or 'admin' in r.subject.roles",
    ),
)


def _unrelated(number: int) -> Rule:
    place = number % 400
    return Rule(
        f"unrelated-{number}",
        "allow",
        f"role{number % 50}",
        f"verb{number % 20}",
        f"kind{number // 20}",
        f"resource.place == 'place-{place}'",
        f'resource.place == "place-{place}"',
        f"r.resource.place == 'place-{place}'",
    )


def _alike(number: int) -> Rule:
    """A policy for the same role, action and kind of resource, of another project each."""
    name = f"project-{number}"
    return Rule(
        f"members-of-{name}",
        "allow",
        "developer",
        "edit",
        "tasks",
        f"resource.project == '{name}'",
        f'resource.project == "{name}"',
        f"r.resource.project == '{name}'",
    )


DECISIONS = (
    *(
        Decision(
            f"decide-{n}",
            f"one decision among {n:,} policies",
            n,
            ENGINEER,
            "edit",
            RESOURCE,
            CONTEXT,
        )
        for n in (10, 100, 1_000, 10_000, 100_000)
    ),
    Decision(
        "decide-alike-10000",
        "one decision among 10,000 policies that differ by one equality",
        10_000,
        {**SUBJECT, "roles": ["developer"]},
        "edit",
        {**RESOURCE, "project": "project-9000"},
        CONTEXT,
        others=_alike,
    ),
)


@dataclass(frozen=True)
class Loading:
    """Making a set of `count` distinct policies, from YAML or from a bundle; with `change`, one of
    them is replaced in a set that is there."""

    name: str
    title: str
    count: int
    form: str  # "yaml", "bundle" or "change"

    def policy(self, number: int) -> Data:
        """A policy like no other."""
        return {
            "id": f"policy-{number}",
            "description": f"Members of project {number} edit its tasks.",
            "effect": "allow",
            "roles": ["developer"],
            "actions": ["tasks:edit", "tasks:view"],
            "resources": ["tasks/*"],
            "condition": f"resource.project == 'p{number}' && subject.department == 'engineering'"
            " && resource.owner == subject.id",
        }


@dataclass(frozen=True)
class Memory(Loading):
    """How much more memory a process has after it loaded them."""


LOADINGS = (
    Loading("load-yaml", "10,000 distinct policies from YAML", 10_000, "yaml"),
    Loading("load-bundle", "the same from a bundle", 10_000, "bundle"),
    Loading("replace-one", "one policy replaced among 100,000", 100_000, "change"),
)
MEMORIES = (
    Memory("memory-yaml", "10,000 distinct policies from YAML", 10_000, "yaml"),
    Memory("memory-bundle", "the same from a bundle", 10_000, "bundle"),
)

Case = Evaluation | Compilation | Conditions | Decision | Loading
CASES: tuple[Case, ...] = (
    *EVALUATIONS,
    *COMPILATIONS,
    *CONDITIONS,
    *DECISIONS,
    *LOADINGS,
    *MEMORIES,
)
BY_NAME = {case.name: case for case in CASES}
