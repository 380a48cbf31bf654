"""Any text is a Program or an error of ours, within limits, and nothing else; and so at each of our
other doors (`targets` says what each promises).

What is thrown at them is a corpus with changes. `FUZZ_EXAMPLES=100000 pytest tests/fuzz` throws so
much at each; the seed is new at every run outside of CI, and `FUZZ_SEED` sets it.
"""

from __future__ import annotations

import os
import time
from random import Random

import pytest

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
SEED = os.environ.get("FUZZ_SEED") or ("0" if os.environ.get("CI") else str(time.time_ns()))


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_thrown_at_a_door_is_taken_or_refused_in_our_words(name):
    target = TARGETS[name]
    random = Random(SEED)
    for data in target.corpus:
        target.run(data)
    for _ in range(EXAMPLES):
        data = mutated(random, target.corpus, target.pieces)
        try:
            target.run(data)
        except Exception as error:
            raise AssertionError(f"{name}, seed {SEED}: {data!r}") from error
