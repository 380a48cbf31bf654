"""The suite `parser`: the reference implementation's cases of texts and their trees.

A case passes when the text becomes the expected tree, which the suite carries or `parser.yaml`
says, or is refused where none is expected; the tree is compared as others read it when it is
serialised, and is read back as the same from its own text.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec

from taskman_authz import cel
from taskman_authz.cel import ext, protobuf
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from taskman_authz.errors import CompileError
from taskman_authz.limits import DEFAULT
from tests.cel.trees import written

from . import fetch, wire
from .cases import Case, numbered, read
from .debug import debug
from .runner import Outcome

NAME = "parser"
SUITE = "parsing"
REFUSED = "refused"
# The reference implementation's tests are parsed so; an environment says whether with optionals.
LIMITS = msgspec.structs.replace(DEFAULT, expression_depth=32)
PLAIN = cel.Env(limits=LIMITS)
WITH_OPTIONALS = cel.Env(limits=LIMITS, libraries=[ext.OPTIONALS])
EXPECTED = numbered(Path(__file__).with_suffix(".yaml"))


def cases() -> list[Case]:
    """All cases, named by their number."""
    return [
        dataclasses.replace(case, name=f"{NAME}/{number:03}")
        for number, case in enumerate(read(fetch.suite(SUITE)))
    ]


def run(case: Case) -> Outcome:
    """What became of a case."""
    said = EXPECTED.get(int(case.name.rpartition("/")[2]), {})
    env = WITH_OPTIONALS if said.get("optionals") else PLAIN
    wanted = said.get("tree") or case.ast or REFUSED
    found = _tree(env, case.expression, "tree" in said)
    return Outcome(case, "passed" if found == wanted else "failed", (NAME,), "", wanted, found)


def _tree(env: cel.Env, text: str, as_written: bool) -> str:
    """The tree of a text: as its calls are written, or in the notation of the reference."""
    try:
        parsed = env.parse(text)
        tree = debug(parsed.expr)
        if debug(env.parse(Source(unparse(parsed))).expr) != tree:
            return "another tree when it is read back"
        if as_written:
            return written(parsed.expr)
        return wire.parsed(protobuf.to_parsed(env.compile(text, check=False)))
    except CompileError:
        return REFUSED
    except Exception as error:  # whatever it is, the suite goes on and the case fails
        return f"crash: {type(error).__name__}: {error}"
