"""pytest collects policy tests where it is asked to, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]
# In processes of their own: within one, pytester would import the compiled core a second time.
pytestmark = pytest.mark.process

POLICIES = """\
policies:
  - {id: p, effect: allow, roles: ["*"], actions: ["a:b"], resources: ["c/*"]}
"""
TESTS = """\
cases:
  - {name: allowed, subject: 'user:1', action: 'a:b', resource: c/1, expect: allow}
  - {name: not allowed, subject: 'user:1', action: 'a:b', resource: c/1, expect: deny}
"""


@pytest.fixture
def folder(pytester):
    pytester.makefile(".yaml", p=POLICIES, p_test=TESTS)
    return pytester


def test_nobody_asked(folder):
    folder.runpytest_subprocess().assert_outcomes()


def test_cases_are_tests(folder):
    found = folder.runpytest_subprocess("--policy-tests")
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(
        ["FAILED *p_test.yaml:3: not allowed", "  expected   deny", "  actual     allow"]
    )
    assert "Traceback" not in found.stdout.str()


def test_an_ini_option_asks_too(folder):
    folder.makeini("[pytest]\npolicy_tests = true\n")
    folder.runpytest_subprocess("-k", "not_such or allowed", "-q").assert_outcomes(
        passed=1, failed=1
    )


def test_what_is_wrong_is_an_error_of_the_collection(folder):
    folder.makefile(".yaml", p_test="cases: [1]\n")
    found = folder.runpytest_subprocess("--policy-tests")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*p_test.yaml:1:9: error: *"])


def test_a_run_that_asks_for_none_imports_nothing_of_ours():
    code = (
        "import sys, taskman_authz.pytest_plugin\n"
        "ours = {name for name in sys.modules if name.startswith('taskman_authz')}\n"
        "assert ours == {'taskman_authz', 'taskman_authz.pytest_plugin'}, ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
