"""`python -m benchmarks.sidecar`: measure, print the table, write it to `benchmarks/results/`.

Exit status: 0; with `--assert` 1 when a bar is missed; 2 when h2load is not here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date

from ..__main__ import RESULTS
from .bars import MANY, verdicts
from .load import LoadError, require_h2load
from .run import run
from .table import as_json, markdown

ROUNDS, SECONDS = 5, 1  # short ones, so that one of them meets a quiet moment
QUICK_MANY = 1_000  # Cerbos takes long to begin with more


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sidecar",
        description="Measure the sidecar beside a bare echo server and Cerbos, in one run.",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, and write nothing")
    parser.add_argument(
        "--assert", action="store_true", dest="assert_", help="fail when a bar is missed"
    )
    options = parser.parse_args(arguments)
    try:
        require_h2load()
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.quick:
        measured = run(QUICK_MANY, 1, 1, _tell)
    else:
        measured = run(MANY, ROUNDS, SECONDS, _tell)
    found = verdicts(measured)
    text = markdown(measured, found)
    print(text)
    if not options.quick:
        _write(text, json.dumps(as_json(measured, found), indent=1) + "\n")
    return 1 if options.assert_ and not all(verdict.met for verdict in found) else 0


def _write(text: str, data: str) -> None:
    for suffix, content in (("md", text), ("json", data)):
        path = RESULTS / f"sidecar-{date.today().isoformat()}.{suffix}"
        path.write_text(content, encoding="utf-8")
        print(f"written: {path}", file=sys.stderr)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
