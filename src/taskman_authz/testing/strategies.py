"""Requests for property tests, as strategies of hypothesis (which is not installed along).

    from hypothesis import given
    from taskman_authz import PDP, authorize
    from taskman_authz.testing.strategies import requests

    POLICIES = PDP.from_path("policies").policies

    @given(requests(POLICIES))
    def test_guests_change_nothing(request):
        if "guest" in request.roles and request.action.endswith(":edit"):
            assert not authorize(POLICIES, request)

Law: a request is made of what the policies themselves name: their patterns, roles, attributes, and
the values that these are compared with; so both sides of a condition are found quickly. A schema
adds attributes that no condition reads, and any value that their types have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from hypothesis import strategies as st

from .._fast.times import (
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    Duration,
    Timestamp,
    duration_text,
    timestamp_text,
)
from .._fast.values import INT_MAX, INT_MIN
from ..cel import Type
from ..cel.types import Kind
from ..errors import ArgumentError
from ..pdp.proposals import FIXED, Path
from ..policy import PolicySet, Schema
from ..request import CheckRequest, make_request
from .generation import Template, templates, with_attributes

ROLES = 4  # that one subject holds, at most
SIZE = 3  # of lists and maps, at most
ROOTS = ("subject", "resource", "context")
OWN = ("roles",)  # of a subject: given apart

Values = st.SearchStrategy[Any]


def requests(
    policies: PolicySet, now: datetime | int | None = None, schema: Schema | None = None
) -> st.SearchStrategy[CheckRequest]:
    """Requests that the rules of a policy set have something to say about, all as of one time: the
    time of this call where None. They shrink to few roles and few attributes. With a `schema` they
    have its attributes, those that are always there in all. Raises ArgumentError for a policy set
    without a rule, about which there is nothing to ask."""
    moment = make_request("user:x", "x:x", "x/x", now=time.time_ns() if now is None else now).now
    made = templates([policies], moment, policies.rules)
    if not made:
        raise ArgumentError("policies", "rules to ask about", "none")
    return st.sampled_from(made).flatmap(partial(_requests_of, schema))


def _requests_of(schema: Schema | None, template: Template) -> st.SearchStrategy[CheckRequest]:
    roles = st.lists(st.sampled_from(template.roles or ("x",)), max_size=ROLES, unique=True)
    required, optional = _attributes(schema, template)
    attributes = st.fixed_dictionaries(required, optional=optional)
    filled = st.builds(template.filled, roles, attributes)
    if not template.starts:
        return filled
    return st.one_of(
        filled, st.builds(with_attributes, st.sampled_from(template.starts), attributes)
    )


def _attributes(
    schema: Schema | None, template: Template
) -> tuple[dict[Path, Values], dict[Path, Values]]:
    """The attributes that are always there, and the others, with what each may be."""
    named = {
        path: st.sampled_from(values) for path, values in template.attributes.items() if values
    }
    if schema is None:
        return {}, named
    kind = template.request.resource_type
    kinds = (kind,) if kind in (schema.resources or {}) else ()
    required: dict[Path, Values] = {}
    optional: dict[Path, Values] = {}
    for root, type in schema.types(kinds).items():
        for name, field in (type.fields or {}).items() if root in ROOTS else ():
            path = (root, name)
            typed = values_of(field)
            if typed is None or path in FIXED or name in OWN:
                continue
            known = named.pop(path, None)
            always = schema.is_required(root, name, kinds)
            (required if always else optional)[path] = typed if known is None else known | typed
    return required, {**named, **optional}


def values_of(type: Type) -> Values | None:
    """Values of a type, as JSON has them; None for a type of which nothing is known."""
    if type.kind in _SIMPLE:
        return _SIMPLE[type.kind]
    inner = [values_of(each) for each in type.parameters]
    if type.kind is Kind.LIST and inner[0] is not None:
        return st.lists(inner[0], max_size=SIZE)
    if type.kind is Kind.MAP and type.parameters[0].kind is Kind.STRING and inner[1] is not None:
        return st.dictionaries(_SIMPLE[Kind.STRING], inner[1], max_size=SIZE)
    return _object(type.fields) if type.fields is not None else None


def _object(fields: Mapping[str, Type]) -> Values:
    known = {name: values_of(field) for name, field in fields.items()}
    return st.fixed_dictionaries(
        {}, optional={name: values for name, values in known.items() if values is not None}
    )


def _time(ns: int) -> str:
    return timestamp_text(Timestamp(ns))


def _span(ns: int) -> str:
    return duration_text(Duration(ns))


_SIMPLE: dict[Kind, Values] = {
    Kind.BOOL: st.booleans(),
    Kind.INT: st.integers(INT_MIN, INT_MAX),
    Kind.UINT: st.integers(0, INT_MAX),  # JSON's, which is read as an int
    Kind.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    Kind.STRING: st.text(max_size=20),
    Kind.TIMESTAMP: st.integers(TIMESTAMP_MIN, TIMESTAMP_MAX).map(_time),
    Kind.DURATION: st.integers(INT_MIN, INT_MAX).map(_span),
}
