"""The names that `import taskman_authz` offers."""

from __future__ import annotations

import pickle

import pytest

import taskman_authz


@pytest.mark.parametrize("name", taskman_authz.__all__)
def test_every_public_name_is_there(name):
    assert getattr(taskman_authz, name) is not None
    assert name in dir(taskman_authz)


def test_a_name_is_its_modules_own():
    from taskman_authz.request import CheckRequest

    assert taskman_authz.CheckRequest is CheckRequest
    request = taskman_authz.make_request("user:1", "a:b", "c/d", now=0)
    assert pickle.loads(pickle.dumps(request)) == request


def test_any_other_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = taskman_authz.nothing
