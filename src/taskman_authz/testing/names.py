"""Names in a test that its policies do not know: a case about a misspelt role or policy would pass,
or fail, for another reason than the one that it was written for.

Laws: roles are known where the policies declare some, in whichever company; that a subject holds
one of another company, or one that nobody ever heard of, is what a test may be about. So a role is
only told that looks like a declared one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..issues import Issue
from ..policy import PolicySet
from ..policy.document_errors import quoted
from ..policy.loader import Text
from ..policy.suggestions import did_you_mean
from ..policy.yaml_reader import Path
from .document import Fixtures, SuiteDocument


class Names(NamedTuple):
    """The ids of the policies of a set, and the roles that are declared beside them."""

    policies: frozenset[str]
    roles: frozenset[str]

    @classmethod
    def of(cls, policies: PolicySet) -> Names:
        """The names in a policy set."""
        ids = frozenset(rule.id for rule in policies.rules)
        return cls(ids, frozenset().union(*policies.declared.roles.values()))


def unknown_names(document: SuiteDocument, text: Text, known: Names) -> Iterator[Issue]:
    """An issue for every policy in a test document that is not known, and for every role that
    looks like a known one."""
    for number, case in enumerate(document.cases):
        if case.policy and case.policy not in known.policies:
            place = text.place((0, "cases", number, "policy"))
            message = f"there is no policy {quoted(case.policy)}"
            hint = did_you_mean(case.policy, known.policies)
            yield Issue(place, "unknown_policy", message, hint)
    subjects = (
        (("cases", number, "subject"), case.subject) for number, case in enumerate(document.cases)
    )
    yield from _unknown_roles(subjects, text, known)
    yield from unknown_roles(document.fixtures, text, known)


def unknown_roles(fixtures: Fixtures, text: Text, known: Names) -> Iterator[Issue]:
    """An issue for every role of a fixture that looks like a known one."""
    subjects = (
        (("fixtures", "subjects", name), subject) for name, subject in fixtures.subjects.items()
    )
    yield from _unknown_roles(subjects, text, known)


def _unknown_roles(
    subjects: Iterable[tuple[Path, Any]], text: Text, known: Names
) -> Iterator[Issue]:
    for path, role in _roles(subjects) if known.roles else ():
        hint = "" if role in known.roles else did_you_mean(role, known.roles)
        if hint:
            message = f"no document declares the role {quoted(role)}"
            yield Issue(text.place((0, *path)), "unknown_role", message, hint)


def _roles(subjects: Iterable[tuple[Path, Any]]) -> Iterator[tuple[Path, str]]:
    """The roles of subjects, and where they are written."""
    for path, subject in subjects:
        roles = subject.get("roles") if isinstance(subject, Mapping) else None
        for number, role in enumerate(roles if isinstance(roles, list) else ()):
            if isinstance(role, str):
                yield (*path, "roles", number), role
