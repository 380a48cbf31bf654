"""Where a witness is known to disagree with us: `disagreements.yaml`, and what an entry explains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.oracle.witnesses import Form


class Disagreement(NamedTuple):
    """`example` is `ours` for us and `theirs` for the witness."""

    example: str
    ours: str
    theirs: str
    decides: str
    why: str
    where: str = ""
    apart_from: str = ""
    without: tuple[str, ...] = ()

    def explains(self, text: str, ours: Form, theirs: Form) -> bool:
        """Whether an expression that cannot be reduced any more meets this disagreement."""
        said = outcome(ours), outcome(theirs)
        if [each.split(" ")[0] for each in said] != [
            each.split(" ")[0] for each in (self.ours, self.theirs)
        ]:
            return False
        if self.apart_from and len({re.sub(self.apart_from, "", each) for each in said}) > 1:
            return False
        return bool(self.where) and re.search(self.where, text) is not None


def outcome(form: Form) -> str:
    """A form as the entries have it."""
    return " ".join((form[0], *map(repr, form[1:])))


def read() -> dict[str, tuple[Disagreement, ...]]:
    """The entries of every witness."""
    text = Path(__file__).with_name("disagreements.yaml").read_text("utf-8")
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return {
        witness: tuple(Disagreement(**each) for each in entries)
        for witness, entries in found.items()
    }


KNOWN = read()
