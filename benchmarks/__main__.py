"""`python -m benchmarks`: measure, print the tables, write them to `benchmarks/results/`.

Exit status: 0; with `--assert` 1 when a bar is missed; 2 when no case or peer has such a name.
A partial run (`--only`, `--peers`, `--quick`) is printed and not written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from .bars import verdicts
from .cases import CASES, Case, Decision, Loading
from .compare import OURS, run
from .peers import NAMES
from .table import as_json, markdown

RESULTS = Path(__file__).parent / "results"
ROUNDS, QUICK_ROUNDS = 12, 3
QUICK_POLICIES = 1_000  # with more, most peers take long to begin


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; the exit status."""
    options = _options(arguments)
    cases = [case for case in CASES if _named(case.name, options.only)]
    peers = [name for name in NAMES if name == OURS or _named(name, options.peers)]
    if not cases or (options.peers and peers == [OURS]):
        print("error: no case or no peer has such a name", file=sys.stderr)
        return 2
    if options.full:
        os.environ["BENCHMARKS_FULL"] = "1"
    measured = run(
        cases,
        peers,
        options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS),
        frozenset(case.name for case in cases if options.quick and _long(case)),
        _progress(),
    )
    found = verdicts(measured)
    text = markdown(measured, found)
    print(text)
    if not (options.only or options.peers or options.quick):
        _write(text, json.dumps(as_json(measured, found), indent=1) + "\n")
    return 1 if options.assert_ and not all(verdict.met for verdict in found) else 0


def _named(name: str, wanted: str | None) -> bool:
    return wanted is None or any(part in name for part in wanted.split(","))


def _long(case: Case) -> bool:
    return isinstance(case, (Decision, Loading)) and case.count > QUICK_POLICIES


def _write(text: str, data: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    for suffix, content in (("md", text), ("json", data)):
        path = RESULTS / f"{date.today().isoformat()}.{suffix}"
        path.write_text(content, encoding="utf-8")
        print(f"written: {path}", file=sys.stderr)


def _progress() -> Callable[[str], None]:
    last = ""

    def show(text: str) -> None:
        nonlocal last
        if sys.stderr.isatty():
            print(f"\r{text[:78]:<78}", end="", file=sys.stderr, flush=True)
        elif (begins := text.partition("  ")[0]) != last:
            last = begins
            print(begins, file=sys.stderr, flush=True)

    return show


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure taskman-authz beside its peers, in one run.",
    )
    parser.add_argument("--only", metavar="NAME,…", help="cases whose names contain one of these")
    parser.add_argument("--peers", metavar="NAME,…", help="only these peers (and ourselves)")
    parser.add_argument("--quick", action="store_true", help="few rounds, small policy sets")
    parser.add_argument("--full", action="store_true", help="what takes minutes too")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"default {ROUNDS}")
    parser.add_argument(
        "--assert", action="store_true", dest="assert_", help="fail when a bar is missed"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
