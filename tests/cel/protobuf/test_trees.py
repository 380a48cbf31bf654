"""Trees from outside, and what cannot be made of them."""

from __future__ import annotations

import pytest

from taskman_authz import CompileError, cel
from taskman_authz.cel import protobuf
from taskman_authz.cel.v1 import expr_pb2 as wire


def test_a_loop_that_no_macro_writes_is_explained_and_never_left_over():
    env = cel.Env({"xs": "list(int)", "y": "int"})
    tree = wire.ParsedExpr.FromString(protobuf.to_parsed(env.compile("xs.all(x, x > y)")))
    tree.source_info.macro_calls.clear()
    program = protobuf.from_parsed(tree, env)
    assert program.evaluate({"xs": [2, 3], "y": 1}) is True
    assert program.explain({"xs": [2, 3], "y": 1}).value is True
    with pytest.raises(CompileError) as caught:
        program.residual({"xs": [2, 3], "y": 1}, ["y"])
    assert [issue.code for issue in caught.value.issues] == ["unwritable"]
