"""The YAML document of policies, as pydantic models; the schema that editors read is made of them.

A document maps one to one to the tables `policies`, `roles` and `role_policies`: `company` is the
`company_id` of all its rows, a policy's `roles` are its rows of `role_policies`. What else
it holds are names that conditions use.

Laws: unknown keys are refused, nothing is coerced. A key with nothing behind it is refused: an
empty `condition:` must not become a policy without one. An absent text is "". Here is what a field
may hold on its own; what needs more than one field or document (roles, patterns, ids given twice)
is the linker's.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..limits import DEFAULT

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"

# One word: it stands in reasons, logs and file names.
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=DEFAULT.identifier_length, pattern=r"^\S+$")
]
# Some words on one line, without spaces at its ends.
Name = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=DEFAULT.identifier_length,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$",
    ),
]
NamePattern = Annotated[str, StringConstraints(min_length=1, max_length=DEFAULT.name_length)]
Patterns = Annotated[list[NamePattern], Field(min_length=1, max_length=DEFAULT.policy_patterns)]


Codes = Annotated[
    list[Identifier],
    Field(
        default_factory=list,
        max_length=DEFAULT.policy_patterns,
        description="Codes of findings of `taskman-authz lint` that are meant to be so here.",
        examples=[["redundant"]],
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Role(_Strict):
    """A role that subjects hold and policies are attached to."""

    name: Name = Field(description="The role's name, as subjects carry it.", examples=["developer"])
    description: str = Field("", description="What the role is for.")
    lint_ignore: Codes


class DerivedRole(_Strict):
    """A role that nobody is given: who holds one of `roles` has it where the condition is true."""

    name: Name = Field(description="What policies call it.", examples=["owner"])
    description: str = Field("", description="Who that is.")
    roles: list[Name] = Field(
        min_length=1,
        max_length=DEFAULT.policy_patterns,
        description='The roles of which one is needed; `["*"]` is every subject.',
        examples=[["developer"]],
    )
    condition: str = Field(
        min_length=1,
        description="A CEL expression, as of a policy.",
        examples=["resource.owner == subject.id"],
    )
    lint_ignore: Codes


class Policy(_Strict):
    """Who may (or may not) do what, on what, and when."""

    id: Identifier = Field(
        description="Stands in every reason. Unique within the company, global policies included.",
        examples=["developers-edit-their-own"],
    )
    name: Name = Field("", description="A name for people; the id where absent.")
    description: str = Field(
        "",
        description="One sentence: what the policy is for.",
        examples=["Developers edit tasks that they own."],
    )
    effect: Literal["allow", "deny"] = Field(
        description="`deny` overrides `allow`. A deny condition that fails denies."
    )
    roles: list[Name] = Field(
        default_factory=list,
        max_length=DEFAULT.policy_patterns,
        description='The roles that it is attached to; `["*"]` is every subject, none is nobody.',
        examples=[["developer"], ["*"]],
    )
    actions: Patterns = Field(
        description="Actions as `kind:verb`. `*` alone is every action, a trailing `*` any rest, "
        "`*` elsewhere one segment between colons.",
        examples=[["tasks:edit", "tasks:view"], ["tasks:*"], ["*:view"]],
    )
    resources: Patterns = Field(
        description="Resources as `kind/id`. `*` alone is every resource, a trailing `*` any rest, "
        "`*` elsewhere one segment between slashes.",
        examples=[["tasks/*"], ["projects/7/*"], ["*"]],
    )
    condition: str = Field(
        "",
        min_length=1,
        description="A CEL expression that must be `true` for the policy to have its effect; over "
        "`subject`, `resource`, `action`, `context`, `company_id` and `now`. Absent: always.",
        examples=["subject.department == 'engineering' && resource.owner == subject.id"],
    )
    overridable: bool = Field(
        False,
        description="Whether a company's document may say (`overrides`) that this deny policy of "
        "every company does not hold there.",
    )
    lint_ignore: Codes


class PolicyDocument(_Strict):
    """Roles and policies of one company, or of every company where none is named."""

    company: Identifier = Field(
        "",
        description="The company (tenant) whose roles and policies these are; absent: every one.",
        examples=["acme"],
    )
    roles: list[Role] = Field(
        default_factory=list,
        description="Roles. Once any document declares roles, every role that a policy names must "
        "be declared, in its company or globally.",
    )
    imports: list[str] = Field(
        default_factory=list,
        max_length=DEFAULT.policy_patterns,
        description="Other files of the set, from this file's folder, whose constants, variables "
        "and derived roles are used here.",
        examples=[["common.yaml"]],
    )
    constants: dict[str, Any] = Field(
        default_factory=dict,
        description="Names for values, for the conditions of this file and of those that import "
        "it.",
        examples=[{"office_networks": ["10.0.0.0/8"]}],
    )
    variables: dict[str, str] = Field(
        default_factory=dict,
        description="Names for CEL expressions, which may use constants and other variables.",
        examples=[{"is_owner": "resource.owner == subject.id"}],
    )
    derived_roles: list[DerivedRole] = Field(
        default_factory=list,
        description="Roles that a condition gives, for the policies of this file and of those that "
        "import it.",
    )
    policies: list[Policy] = Field(default_factory=list, description="Policies, in any order.")
    overrides: list[Identifier] = Field(
        default_factory=list,
        max_length=DEFAULT.policy_patterns,
        description="The ids of `overridable` deny policies of every company that do not hold in "
        "this one.",
        examples=[["no-exports"]],
    )
    lint_ignore: Codes


def json_schema(
    model: type[BaseModel] = PolicyDocument, title: str = "taskman-authz policy document"
) -> dict[str, Any]:
    """The JSON Schema of a document (draft 2020-12)."""
    described: dict[str, Any] = _plain(model.model_json_schema())
    return {"$schema": SCHEMA_ID, "title": title, **described}


def schema_text() -> str:
    """What `policy/schema.json` holds."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(schema: Any) -> Any:
    """The schema without what says nothing to an author: titles made of the names of fields, and
    the empty text that stands for an absent one."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain(item)
        for key, item in schema.items()
        if not (key == "title" and isinstance(item, str)) and (key, item) != ("default", "")
    }
