"""Texts and bytes made from a corpus by changes: cut, doubled, put together, and pieces put in
where one of them may mean something. The same seed makes the same."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Data = TypeVar("Data", str, bytes)


def mutated(random: Random, corpus: Sequence[Data], pieces: Sequence[Data]) -> Data:
    """One of the corpus with one to six changes."""
    data = random.choice(corpus)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((0, 0, 1, 1, 2, 8, 64)))
        data = data[:start] + _inserted(random, data, corpus, pieces) + data[end:]
    return data


def _inserted(random: Random, data: Data, corpus: Sequence[Data], pieces: Sequence[Data]) -> Data:
    kind = random.randrange(6)
    if kind == 0:
        return data[:0]
    if kind == 1:
        return _part(random, data) * random.choice((1, 2, 50))
    if kind == 2:
        return _part(random, random.choice(corpus))
    if kind == 3 and isinstance(data, bytes):
        return random.randbytes(random.randint(1, 4))
    return random.choice(pieces)


def _part(random: Random, data: Data) -> Data:
    start = random.randint(0, len(data))
    return data[start : start + random.randint(1, 30)]
