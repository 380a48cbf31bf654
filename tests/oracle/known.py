"""Where a witness is known to disagree with us, and what an entry explains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.oracle.witnesses import REFUSED, Form


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
    refuses: str = ""
    unbound: bool = False
    syntax: bool = False
    inside: bool = False  # of something: whatever the witness gives is a value of some type

    def explains(self, text: str, ours: Form, theirs: Form, without_names: Form) -> bool:
        """Whether an expression that cannot be reduced any more meets this disagreement.
        `without_names` is what the witness says where what is bound stands for its name."""
        if self.unbound:
            return ours == without_names and re.search(self.where, text) is not None
        said = outcome(ours), outcome(theirs)
        if self.refuses:
            alike = ours == REFUSED if self.refuses == "we" else theirs == REFUSED
        elif self.inside:
            alike = ours[0] == kind(self.ours) and theirs[0] not in ("error", *REFUSED)
        else:
            alike = (ours[0], theirs[0]) == (kind(self.ours), kind(self.theirs))
        if not alike:
            return False
        if self.apart_from and len({re.sub(self.apart_from, "", each) for each in said}) > 1:
            return False
        return bool(self.where) and any(re.search(self.where, each) for each in (text, *said))


def outcome(form: Form) -> str:
    """A form as the entries have it."""
    return " ".join((form[0], *map(repr, form[1:])))


def kind(outcome: str) -> str:
    return outcome.split(" ")[0]


def read() -> dict[str, tuple[Disagreement, ...]]:
    """The entries of every witness."""
    text = Path(__file__).with_name("disagreements.yaml").read_text("utf-8")
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return {
        witness: tuple(Disagreement(**each) for each in entries)
        for witness, entries in found.items()
    }


KNOWN = read()
