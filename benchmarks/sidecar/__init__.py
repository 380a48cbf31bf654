"""The sidecar over gRPC, beside a bare echo server and Cerbos: load from h2load, in one run.

`questions` is what is sent, `servers` who answers, `load` and `usage` what is measured, `run` the
interleaved rounds, `bars` what a release must show, `table` what is printed.
`python -m benchmarks.sidecar` runs it.

Laws: an answer is checked before its server is measured, and its length while it is; while one
server is measured the others stand still (SIGSTOP), so that two cores are shared by it and h2load
alone; the best of several rounds counts, and only ratios of one run are compared.
"""

from __future__ import annotations
