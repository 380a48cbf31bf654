"""The YAML document of a table of routes, as pydantic models: what people write, before it is read.

Laws: unknown keys are refused, nothing is coerced, a key with nothing behind it is refused. An
expression is CEL; what it gives for what is not there is `optional.none()` (`claims.?team`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taskman_authz.limits import DEFAULT

Text = Annotated[str, StringConstraints(min_length=1)]
Expressions = dict[Text, Text]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SubjectEntry(_Strict):
    """Who asks, if `id` is there."""

    type: Text = Field(description="The type of the subject: `user`.")
    id: Text = Field(description="CEL: `claims.?sub`, `source.?principal`, `trusted.?x_user_id`.")
    attributes: Expressions = Field(
        default_factory=dict, description="CEL by name; `roles` are the roles it holds."
    )


class RouteEntry(_Strict):
    """A route: what a request to it asks, or that it asks nothing."""

    path: Text = Field(description="`/projects/{project}/tasks/{id}`, `/files/{name:path}`.")
    methods: list[Text] = Field(min_length=1, description="`GET`, `PUT`: all that are meant.")
    public: bool = Field(False, description="Whether nothing is checked.")
    action: Text = Field("", description="`tasks:edit`.")
    resource: Text = Field("", description="`tasks/{id}`, of the path's parameters.")
    attributes: Expressions = Field(
        default_factory=dict, description="Attributes of the resource: CEL by name."
    )
    context: Expressions = Field(
        default_factory=dict, description="More of the context than all routes have: CEL by name."
    )


class RoutesDocument(_Strict):
    """A table: who asks, and what a request asks by its method and path."""

    claims: Text = Field(
        "jwt_payload",
        description="The key under which `jwt_authn` keeps a token's payload.",
    )
    subjects: list[SubjectEntry] = Field(
        min_length=1, description="Who may ask: the first whose `id` is there is the subject."
    )
    company: Text = Field("", description="CEL: `claims.?company_id`.")
    context: Expressions = Field(
        default_factory=dict, description="The context of all routes: CEL by name."
    )
    headers: Expressions = Field(
        default_factory=lambda: {
            "x-taskman-subject": "subject.type + ':' + subject.id",
            "x-taskman-revision": "decision.revision",
        },
        description="What the upstream is told, in headers that no client can set: CEL by name.",
    )
    remove_headers: list[Text] = Field(
        default_factory=list, description="What the upstream is not told."
    )
    routes: list[RouteEntry] = Field(min_length=1, max_length=DEFAULT.routes)
