"""Did you mean: the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Comparing is quadratic in length and linear in the number of names: a hint may be left out.
COMPARED = 1_000


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint that names the closest of `names`, or ""."""
    known = sorted(names)[:COMPARED]
    close = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""
