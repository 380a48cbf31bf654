"""Tags of what others may change.

Law: two of whom something is remembered have two tags, whatever their names contain: the company's
and the type's lengths are told first.
"""

from __future__ import annotations


def subject_tag(company: str | None, type: str, id: str) -> str:
    """The tag of a subject's attributes and roles."""
    return _tag("s", company or "", type, id)


def resource_tag(company: str | None, type: str, id: str) -> str:
    """The tag of a resource's attributes."""
    return _tag("r", company or "", type, id)


def _tag(kind: str, company: str, type: str, id: str) -> str:
    return f"{kind}{len(company)},{len(type)}:{company}|{type}|{id}"
