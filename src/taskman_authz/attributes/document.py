"""What a YAML or JSON file of entities may say, as pydantic models; the schema that editors read is
made of them.

Laws: as for policy documents, unknown keys are refused and nothing is coerced. Properties are
anything that JSON can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..limits import DEFAULT
from ..policy.document_errors import Finding
from .entities import Kind, StoredEntity

Name = Annotated[str, StringConstraints(min_length=1, max_length=DEFAULT.name_length)]
SEPARATORS: Mapping[Kind, str] = {"subject": ":", "resource": "/"}
# What an entity says of itself beside its properties, where conditions read it too.
OWN: Mapping[Kind, tuple[str, ...]] = {
    "subject": ("type", "id", "roles"),
    "resource": ("type", "id"),
}


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ResourceEntry(_Strict):
    """A resource, and what is known of it."""

    type: Name = Field(description="Its kind.", examples=["tasks"])
    id: Name = Field(description="Its id among those of its type, a text.", examples=["456"])
    company_id: Name | None = Field(
        None, description="The company that it belongs to; absent: every company sees it."
    )
    properties: dict[str, Any] = Field(
        default_factory=dict, description="Its attributes, as conditions read them."
    )


class SubjectEntry(ResourceEntry):
    """A subject, and what is known of it."""

    type: Name = Field(description="Its type.", examples=["user"])
    roles: list[Name] = Field(
        default_factory=list,
        max_length=DEFAULT.subject_roles,
        description="The roles that it holds.",
        examples=[["developer"]],
    )


class EntitiesDocument(_Strict):
    """Subjects and resources with their attributes."""

    subjects: list[SubjectEntry] = Field(default_factory=list)
    resources: list[ResourceEntry] = Field(default_factory=list)


MODELS: Mapping[str, type[BaseModel]] = {
    "": EntitiesDocument,
    "subjects": SubjectEntry,
    "resources": ResourceEntry,
}


def stored(entry: ResourceEntry) -> StoredEntity:
    """The entity that an entry describes."""
    attributes = entry.properties
    if isinstance(entry, SubjectEntry) and entry.roles:
        attributes = {**attributes, "roles": entry.roles}
    return StoredEntity(entry.type, entry.id, attributes, entry.company_id)


def misnamed(kind: Kind, type: str, properties: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the names of an entity."""
    separator = SEPARATORS[kind]
    if separator in type:
        yield Finding(("type",), "bad_value", f"expected a type without `{separator}`")
    for name in OWN[kind]:
        if name in properties:
            message = f"`{name}` is no property"
            hint = f"write `{name}:` beside `properties:`"
            yield Finding(("properties", name), "bad_property", message, hint, at_key=True)


def misnamed_in(data: Any) -> Iterator[tuple[tuple[str, int], Finding]]:
    """The same of all entities of a document, whatever else is wrong with it, and where."""
    for kind in SEPARATORS:
        entries = data.get(f"{kind}s") if isinstance(data, dict) else None
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            known = entry if isinstance(entry, dict) else {}
            type, properties = known.get("type"), known.get("properties")
            named = properties if isinstance(properties, dict) else {}
            for finding in misnamed(kind, type if isinstance(type, str) else "", named):
                yield (f"{kind}s", number), finding
