"""The YAML document of policy tests, as pydantic models: what people write, before it is a case.

Laws: as for policy documents: unknown keys are refused, nothing is coerced, a key with nothing
behind it is refused (but `company: null`, which says that there is none). What may be a text or a
map is `Any` here and checked where its meaning is known, so that the author is told one thing about
it and not one for each possibility.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

DEFAULT_NOW = "2026-01-01T00:00:00Z"

Text = Annotated[str, StringConstraints(min_length=1)]
Attributes = dict[str, Any]
# The codes of reasons that a decision on a good request may have (`taskman_authz.decision`).
ReasonCode = Literal[
    "allowed_by_policy",
    "denied_by_policy",
    "denied_by_error",
    "condition_not_met",
    "condition_failed",
    "no_policy_applies",
]
# The name of a fixture, the name of a thing (`user:7`, `tasks/7`), or its attributes.
Entity = Annotated[Any, WithJsonSchema({"type": ["string", "object"]})]
Cell = Annotated[
    Any,
    WithJsonSchema({"oneOf": [{"const": "*"}, {"type": "array", "items": {"type": "string"}}]}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Fixtures(_Strict):
    """Subjects, resources and contexts that have a name."""

    subjects: dict[Text, Entity] = Field(default_factory=dict)
    resources: dict[Text, Entity] = Field(default_factory=dict)
    contexts: dict[Text, Attributes] = Field(default_factory=dict)


class CaseEntry(_Strict):
    """One question and the answer to expect."""

    name: Text = Field(description="What the case shows, in a few words.")
    subject: Entity = Field(
        description="A fixture's name, `type:id`, or a map with `type`, `id` and attributes."
    )
    action: Entity = Field(description="`kind:verb`, or a map with `name` and attributes.")
    resource: Entity = Field(
        description="A fixture's name, `kind/id`, or a map with `type`, `id` and attributes."
    )
    context: Entity = Field("", description="A fixture's name, or a map; absent: nothing is known.")
    company: Text | None = Field(
        None, description="Instead of the file's; `null` asks without a company."
    )
    now: Text = Field("", description="Instead of the file's.")
    expect: Literal["allow", "deny"]
    policy: Text = Field("", description="The id of the policy that must have decided.")
    reason: ReasonCode | None = Field(
        None,
        description="The code of a reason that the decision must have; with `policy`, of that one.",
    )


class MatrixEntry(_Strict):
    """Every subject × action × resource; what `allow` does not list must be denied."""

    name: Text = Field(description="What the matrix shows, in a few words.")
    subjects: list[Text] = Field(min_length=1, description="Names of fixtures, or `type:id`.")
    actions: list[Text] = Field(min_length=1)
    resources: list[Text] = Field(min_length=1, description="Names of fixtures, or `kind/id`.")
    context: Entity = Field("", description="A fixture's name, or a map; absent: nothing is known.")
    company: Text | None = Field(
        None, description="Instead of the file's; `null` asks without a company."
    )
    now: Text = Field("", description="Instead of the file's.")
    reason: ReasonCode | None = Field(
        None, description="The code of a reason that each denial must have."
    )
    allow: dict[Text, dict[Text, Cell]] = Field(
        description='Subject → resource → actions that must be allowed; `"*"` is all of them.'
    )


class FixturesDocument(_Strict):
    """A file of fixtures that several test files import."""

    fixtures: Fixtures


class SuiteDocument(_Strict):
    """Tests of some policies."""

    policies: list[Text] = Field(
        default_factory=list,
        min_length=1,
        description="Files or folders, relative to this one; absent: this file's folder.",
    )
    imports: list[Text] = Field(
        default_factory=list,
        min_length=1,
        description="Files of fixtures (`*_fixtures.yaml`), relative to this one.",
    )
    now: Text = Field(
        DEFAULT_NOW, description="The time at which every case is decided (RFC 3339)."
    )
    company: Text = Field("", description="The company of every case; absent: none.")
    fixtures: Fixtures = Field(default_factory=Fixtures)
    cases: list[CaseEntry] = Field(default_factory=list)
    matrix: list[MatrixEntry] = Field(default_factory=list)
