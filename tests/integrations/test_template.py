"""Resources of routes: `tasks/{id}`. No caller moves what stands behind a parameter."""

from __future__ import annotations

from datetime import date
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import ArgumentError, Entity, RequestError
from taskman_authz.integrations.enforcement import Check, Template

VALUES = st.text(min_size=1, max_size=8)


@given(VALUES, VALUES)
def test_a_parameter_fills_its_own_segment_and_no_other(project, task):
    template = Template("projects/{project}/tasks/{task}")
    values = {"project": project, "task": task}
    if "/" in project:
        with pytest.raises(RequestError, match="`project`: expected a name without `/`"):
            template.fill(values.__getitem__)
    else:
        filled = template.fill(values.__getitem__)
        assert filled == Entity("projects", f"{project}/tasks/{task}")
        assert filled.id.split("/")[:2] == [project, "tasks"]


class Colour(str, Enum):  # noqa: UP042  # whose text is `Colour.RED`
    RED = "red"


@pytest.mark.parametrize(
    ("value", "name"),
    [(7, "7"), ("7", "7"), (UUID(int=7), str(UUID(int=7))), (Colour.RED, "red")]
    + [(date(2026, 1, 15), "2026-01-15")],
)
def test_converted_parameters_are_names(value, name):
    assert Template("tasks/{id}").fill({"id": value}.__getitem__).id == name


@pytest.mark.parametrize("value", ["", None, True, 1.5, ["7"], b"7"])
def test_what_is_no_name_is_refused_by_its_type(value):
    with pytest.raises(RequestError, match="resource: `id`: expected"):
        Template("tasks/{id}").fill({"id": value}.__getitem__)


def test_a_parameter_that_is_not_there_is_named():
    with pytest.raises(RequestError, match="resource: there is no parameter `id`"):
        Template("tasks/{id}").fill({}.__getitem__)


def test_braces_can_be_written():
    assert Template("tasks/{{x}}-{id}").fill({"id": 1}.__getitem__).id == "{x}-1"


@pytest.mark.parametrize(
    "text",
    ["tasks", "/tasks", "tasks/", "{kind}/{id}", "t/{id.owner}", "t/{id!r}", "t/{id:>9}", "t/{}"]
    + ["t/{0}", "t/{id", "t/id}", "t/{id[0]}"],
)
def test_what_is_no_template_is_refused_where_it_is_written(text):
    with pytest.raises(ArgumentError, match="resource: expected"):
        Template(text)


@pytest.mark.parametrize("resource", [None, 7, {"type": "tasks"}])
def test_a_resource_is_a_template_or_a_function(resource):
    with pytest.raises(ArgumentError, match="resource: expected `kind/id` or what makes"):
        Check.of("tasks:view", resource)


@pytest.mark.parametrize("action", [None, "", 7])
def test_an_action_is_a_name(action):
    with pytest.raises(ArgumentError, match="action: expected a name"):
        Check.of(action, "tasks/1")
