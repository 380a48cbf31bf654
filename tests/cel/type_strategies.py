"""Types for properties: any that can be written down, with or without type parameters."""

from __future__ import annotations

from hypothesis import strategies as st

from taskman_authz.cel.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    list_of,
    map_of,
    message_type,
    opaque_type,
    optional_of,
    type_of,
    type_param,
    wrapper_of,
)

WRAPPED = st.sampled_from([BOOL, BYTES, DOUBLE, INT, STRING, UINT])
ATOMS = st.one_of(
    WRAPPED,
    WRAPPED.map(wrapper_of),
    st.sampled_from([ANY, DURATION, DYN, NULL, TIMESTAMP, TYPE]),
    st.sampled_from(["acme.Task", "acme.User", "Project"]).map(message_type),
)
PARAMETERS = st.sampled_from("ABC").map(type_param)


def _composed(inner):
    return st.one_of(
        inner.map(list_of),
        inner.map(type_of),
        inner.map(optional_of),
        st.builds(map_of, inner, inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: opaque_type("tuple", *some)),
    )


GROUND_TYPES = st.recursive(ATOMS, _composed, max_leaves=8)
GENERIC_TYPES = st.recursive(st.one_of(ATOMS, PARAMETERS), _composed, max_leaves=8)
