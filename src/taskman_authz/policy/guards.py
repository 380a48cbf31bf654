"""What must hold for a policy besides its own condition: that a derived role is had, and that no
company has overridden it.

Laws: a guard is plain CEL. Where it cannot be evaluated an allow policy does not grant and a deny
policy denies, as with any condition.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._fast.rows import ANYONE
from ..cel.literals import literal_text
from .definitions import Scope
from .document import Policy
from .loader import LoadedDocument
from .vocabulary import Typing

HELD = "subject.?roles.orValue([])"  # as a condition reads the roles of a subject that may say none


def held_roles(policy: Policy, scope: Scope) -> list[str]:
    """The roles of which a subject must hold one: base roles stand for derived ones."""
    held: dict[str, None] = {}
    for role in policy.roles:
        made = scope.roles.get(role)
        held.update(dict.fromkeys([role] if made is None else made.role.roles))
    return list(held)


def guard_of(policy: Policy, scope: Scope, typing: Typing) -> str:
    """What must hold besides a role of `held_roles`: that the subject holds a plain one, or that
    the condition of a derived one is true whose base role it holds. "" where nothing must."""
    roles = list(dict.fromkeys(policy.roles))
    plain = [role for role in roles if role not in scope.roles]
    derived = [scope.roles[role] for role in roles if role in scope.roles]
    if ANYONE in plain or not derived:
        return ""
    terms = [holds(plain)] if plain else []
    # Who holds no plain role holds a base role, so it need be asked only which where they differ.
    alike = len({frozenset(made.role.roles) for made in derived}) == 1
    for made in derived:
        text = typing.named(made).text
        certain = alike or ANYONE in made.role.roles
        terms.append(text if certain else f"({holds(made.role.roles)}) && {text}")
    return terms[0] if len(terms) == 1 else f"({' || '.join(terms)})"


def holds(roles: Iterable[str]) -> str:
    """The condition that a subject holds one of some roles."""
    return " || ".join(f"{literal_text(role)} in {HELD}" for role in roles)


def overrides_in(documents: Iterable[LoadedDocument]) -> dict[str, list[str]]:
    """The companies in which each policy does not hold, sorted."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for id in document.overrides:
            found.setdefault(id, set()).add(document.company)
    return {id: sorted(companies) for id, companies in found.items()}


def elsewhere(companies: Iterable[str]) -> str:
    """The condition that a request is of no company of some. Without a company it is an error, and
    a deny policy, of which alone this is asked, denies."""
    return f"!(company_id in [{', '.join(map(literal_text, companies))}])"
