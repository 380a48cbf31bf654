"""A whole run: files in, results and what was measured out; in one process or in several.

Laws: however many processes there are, the results are the same and in the same order. What is
wrong with files is told together, whichever process read them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import msgspec

from ..errors import CompileError
from ..issues import Issues
from ..policy.compiler import Progress, silent
from .cases import Suite
from .coverage import Coverage, coverage
from .coverage import joined as joined_coverage
from .discovery import find_test_files
from .loader import load_suites
from .mutation import Mutants, mutate
from .mutation import joined as joined_mutants
from .runner import Result, run


class Asked(msgspec.Struct, frozen=True):
    """What to run: the cases below `paths` whose name has `filter` in it, and what to measure. It
    stops at the first failure if it is `brief`."""

    paths: tuple[str, ...]
    filter: str = ""
    brief: bool = False
    coverage: bool = False
    mutate: bool = False


class Report(msgspec.Struct, frozen=True):
    """What came of a run. Mutants are None where cases failed: what fails without a mutant says
    nothing about one. `files` are all that were read."""

    results: list[Result]
    coverage: Coverage | None = None
    mutants: Mutants | None = None
    files: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all cases passed."""
        return all(result.passed for result in self.results)


def execute(asked: Asked, processes: int = 1, progress: Progress = silent) -> Report:
    """Run. `progress` is told what is done of what. Raises CompileError with all that is wrong with
    the files, OSError for a path that is not there."""
    if processes <= 1:
        return _executed(asked, load_suites(asked.paths), progress)
    files = find_test_files(asked.paths)
    parts = [files[first::processes] for first in range(min(processes, len(files)))]
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that are held
    with ProcessPoolExecutor(max(1, len(parts)), context) as pool:
        asked_parts = [msgspec.structs.replace(asked, paths=tuple(part)) for part in parts]
        found = []
        for part in pool.map(_part, asked_parts):
            found.append(part)
            progress("running parts of the tests", len(found), len(parts))
    issues = [issue for part in found if isinstance(part, Issues) for issue in part]
    if issues:
        raise CompileError(Issues.of(issues))
    return _joined(asked, [part for part in found if isinstance(part, Report)])


def _part(asked: Asked) -> Report | Issues:
    """A part of a run, in a process of its own: an exception would lose its issues on the way."""
    try:
        return _executed(asked, load_suites(asked.paths))
    except CompileError as error:
        return error.issues


def chosen(suites: Sequence[Suite], text: str) -> list[Suite]:
    """The suites with only those cases whose name holds `text`, in whatever letters."""
    sought = text.casefold()
    return [
        msgspec.structs.replace(
            suite, cases=tuple(case for case in suite.cases if sought in case.name.casefold())
        )
        for suite in suites
    ]


def _executed(asked: Asked, loaded: Sequence[Suite], progress: Progress = silent) -> Report:
    suites = chosen(loaded, asked.filter)
    results = list(run(suites, asked.brief))
    passed = all(result.passed for result in results)
    return Report(
        results,
        coverage(suites) if asked.coverage else None,
        mutate(suites, progress) if asked.mutate and passed else None,
        tuple(sorted({name for suite in loaded for name in files_of(suite)})),
    )


def files_of(suite: Suite) -> list[str]:
    """The files that a suite was read from."""
    return [suite.source, *suite.imports, *(name for name, _ in suite.documents)]


def _joined(asked: Asked, parts: list[Report]) -> Report:
    results = [result for part in parts for result in part.results]
    results.sort(key=lambda result: result.case.place.source)  # and within a file as they ran
    measured = [part.coverage for part in parts if part.coverage is not None]
    mutants = [part.mutants for part in parts if part.mutants is not None]
    complete = asked.mutate and len(mutants) == len(parts)
    return Report(
        results,
        joined_coverage(measured) if asked.coverage else None,
        joined_mutants(mutants) if complete else None,
        tuple(sorted({name for part in parts for name in part.files})),
    )
