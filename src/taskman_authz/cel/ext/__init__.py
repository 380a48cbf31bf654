"""The extension libraries: what an environment may opt into, one file a library.

    from taskman_authz import cel
    from taskman_authz.cel import ext

    cel.Env({"name": "string"}, libraries=[ext.STRINGS, ext.strings.library(version=1)])

A constant is the newest version of a library; `library("strings", version=1)` finds one by name.
Names, overloads and versions are those of the reference implementation. Begin reading with
`strings`; `overloads` is what the files are made with.
"""

from __future__ import annotations

from collections.abc import Callable

from ..library import Library
from . import encoders, lists, math, network, regex, sets, strings

STRINGS = strings.library()
MATH = math.library()
LISTS = lists.library()
SETS = sets.library()
ENCODERS = encoders.library()
REGEX = regex.library()
NETWORK = network.library()

# By name: what makes the library as of a version, the newest if none is given.
LIBRARIES: dict[str, Callable[..., Library]] = {
    "encoders": encoders.library,
    "lists": lists.library,
    "math": math.library,
    "network": network.library,
    "regex": regex.library,
    "sets": sets.library,
    "strings": strings.library,
}

__all__ = [
    "ENCODERS",
    "LIBRARIES",
    "LISTS",
    "MATH",
    "NETWORK",
    "REGEX",
    "SETS",
    "STRINGS",
    "encoders",
    "lists",
    "math",
    "network",
    "regex",
    "sets",
    "strings",
]
