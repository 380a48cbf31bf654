"""A plugin of pytest that collects policy tests (`*_test.yaml`) as tests of their own.

It does so where somebody asks for it, by `pytest --policy-tests` or by `policy_tests = true` among
pytest's ini options: files of this name may be anybody's.

Law: pytest loads this module whenever it runs, so nothing of ours is imported until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .testing import Case, Result, Suite

SUFFIXES = ("_test.yaml", "_test.yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the ini option that ask for it."""
    group = parser.getgroup("taskman-authz")
    group.addoption(
        "--policy-tests", action="store_true", help="collect policy tests (*_test.yaml)"
    )
    parser.addini("policy_tests", "collect policy tests (*_test.yaml)", type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PolicyTestFile | None:
    """A file of policy tests, where they are asked for."""
    config = parent.config
    asked = config.getoption("--policy-tests") or config.getini("policy_tests")
    if not asked or not file_path.name.endswith(SUFFIXES):
        return None
    return PolicyTestFile.from_parent(parent, path=file_path)


class PolicyTestFile(pytest.File):
    """A file of policy tests."""

    def collect(self) -> Iterator[PolicyTestCase]:
        """A test for every case. What is wrong with the file, or with a policy that it is about, is
        an error of the collection."""
        from .errors import CompileError
        from .testing import load_suites

        try:
            suites = load_suites([str(self.path)])
        except CompileError as error:
            raise self.CollectError(str(error)) from None
        for suite in suites:
            for case in suite.cases:
                yield PolicyTestCase.from_parent(self, name=case.name, suite=suite, case=case)


class PolicyTestFailed(Exception):
    """A case whose decision is not the expected one."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.complaint)
        self.result = result


class PolicyTestCase(pytest.Item):
    """A case, or a cell of a matrix."""

    def __init__(self, *, suite: Suite, case: Case, **about: Any) -> None:
        super().__init__(**about)
        self.suite = suite
        self.case = case

    def runtest(self) -> None:
        """Decide it. Raises PolicyTestFailed."""
        from .testing import run_case

        result = run_case(self.suite, self.case)
        if not result.passed:
            raise PolicyTestFailed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What `policy-test` says of a failure: there is no code whose traceback would help."""
        if isinstance(excinfo.value, PolicyTestFailed):
            from .testing import failure_text

            return failure_text(excinfo.value.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is written (lines from 0)."""
        return self.path, self.case.place.line - 1, self.case.name
