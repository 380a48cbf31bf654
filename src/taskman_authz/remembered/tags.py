"""Tags of what others may change."""

from __future__ import annotations


def subject_tag(company: str | None, type: str, id: str) -> str:
    """The tag of a subject's attributes and roles."""
    return f"{company or ''}|{type}:{id}"


def resource_tag(company: str | None, type: str, id: str) -> str:
    """The tag of a resource's attributes."""
    return f"{company or ''}|{type}/{id}"
