"""How fast we are, beside the others: every case on every peer, in one run, as ratios.

`cases` says what is asked (data), `peers/` how each peer is asked (one file a peer), `worker` is
the process that a peer runs in, `compare` the interleaved rounds, `bars` what a release must show,
`table` what is printed. `python -m benchmarks` runs it; `test_own` is pytest-benchmark's view of
our own engine.

Laws: every answer is checked before it is timed; a peer that cannot do a case is in the table with
the reason; absolute figures drift with the machine, so only ratios of one run are compared.
"""

from __future__ import annotations
