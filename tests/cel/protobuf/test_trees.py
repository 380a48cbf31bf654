"""Trees from outside, and what cannot be made of them."""

from __future__ import annotations

import pytest

from taskman_authz import CompileError, cel
from taskman_authz.cel import protobuf
from taskman_authz.cel.v1 import expr_pb2 as wire


def test_a_loop_that_no_macro_writes_is_neither_explained_nor_left_over():
    env = cel.Env({"xs": "list(int)", "y": "int"})
    tree = wire.ParsedExpr.FromString(protobuf.to_parsed(env.compile("xs.all(x, x > y)")))
    tree.source_info.macro_calls.clear()
    program = protobuf.from_parsed(tree, env)
    assert program.evaluate({"xs": [2, 3], "y": 1}) is True
    for ask in (program.explain, lambda known: program.residual(known, ["y"])):
        with pytest.raises(CompileError) as caught:
            ask({"xs": [2, 3], "y": 1})
        assert [issue.code for issue in caught.value.issues] == ["unwritable"]
