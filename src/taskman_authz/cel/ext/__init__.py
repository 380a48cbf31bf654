"""The extension libraries: what an environment may opt into, one file a library.

    from taskman_authz import cel
    from taskman_authz.cel import ext

    cel.Env({"name": "string"}, libraries=[ext.STRINGS, ext.math.library(version=1)])

A constant is the newest version of a library; `LIBRARIES` has them by name, for each version:
`ext.LIBRARIES["strings"](version=1)`.
Names, overloads and versions are those of the reference implementation. Begin reading with
`strings`; `overloads` is what the files are made with.
"""

from __future__ import annotations

from collections.abc import Callable

from ..library import Library
from . import (
    bindings,
    block,
    comprehensions,
    encoders,
    lists,
    math,
    network,
    optionals,
    protos,
    regex,
    sets,
    strings,
)

BINDINGS = bindings.library()
BLOCK = block.library()
COMPREHENSIONS = comprehensions.library()
OPTIONALS = optionals.library()
STRINGS = strings.library()
MATH = math.library()
LISTS = lists.library()
SETS = sets.library()
ENCODERS = encoders.library()
REGEX = regex.library()
NETWORK = network.library()
PROTOS = protos.library()

# By name: what makes the library as of a version, the newest if none is given.
LIBRARIES: dict[str, Callable[..., Library]] = {
    "bindings": bindings.library,
    "block": block.library,
    "comprehensions": comprehensions.library,
    "encoders": encoders.library,
    "lists": lists.library,
    "math": math.library,
    "network": network.library,
    "optionals": optionals.library,
    "protos": protos.library,
    "regex": regex.library,
    "sets": sets.library,
    "strings": strings.library,
}

__all__ = [
    "BINDINGS",
    "BLOCK",
    "COMPREHENSIONS",
    "ENCODERS",
    "LIBRARIES",
    "LISTS",
    "MATH",
    "NETWORK",
    "OPTIONALS",
    "PROTOS",
    "REGEX",
    "SETS",
    "STRINGS",
    "bindings",
    "block",
    "comprehensions",
    "encoders",
    "lists",
    "math",
    "network",
    "optionals",
    "protos",
    "regex",
    "sets",
    "strings",
]
