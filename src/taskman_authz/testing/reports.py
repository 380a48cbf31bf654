"""A run as text for people, as JUnit XML for build servers, as JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from .runner import Result

# XML 1.0 (section 2.2) has no way to write these, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def summary(results: Sequence[Result], seconds: float | None = None) -> str:
    """`61 passed, 1 failed in 0.12 s`."""
    failed = sum(not result.passed for result in results)
    counted = f"{len(results) - failed} passed, {failed} failed"
    return counted if seconds is None else f"{counted} in {seconds:.2f} s"


def failure_text(result: Result) -> str:
    """A failed case: where it is written, what was asked, expected and decided, and by what."""
    case, request = result.case, result.case.request
    asked = (
        f"{request.subject_type}:{request.subject_id} {request.action} "
        f"{request.resource_type}/{request.resource_id}"
    )
    if request.company_id is not None:
        asked += f", company {request.company_id}"
    expected = f"{case.expected} by {case.policy}" if case.policy else case.expected
    deciders = ", ".join(result.deciders) or "no policy: nothing that applies allowed it"
    return "\n".join(
        [
            f"FAILED {case.place.source}:{case.place.line}: {case.name}",
            f"  request    {asked}",
            f"  expected   {expected}",
            f"  actual     {result.decision.effect}",
            f"  decided by {deciders}",
            *(f"    {line}" for line in _reason_lines(result)),
        ]
    )


def _reason_lines(result: Result) -> list[str]:
    return [f"{reason.message} [{reason.code}]" for reason in result.decision.reasons]


def by_file(results: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Results of each file together, in the order in which they ran."""
    grouped = groupby(results, key=lambda result: result.case.place.source)
    return [(source, list(group)) for source, group in grouped]


# -- JSON ----------------------------------------------------------------------------------------


def json_report(results: Sequence[Result]) -> str:
    """The whole run as one JSON object."""
    failed = sum(not result.passed for result in results)
    report = {
        "passed": len(results) - failed,
        "failed": failed,
        "cases": [_json_case(result) for result in results],
    }
    return json.dumps(report, ensure_ascii=False, indent=2)


def _json_case(result: Result) -> dict[str, Any]:
    case, decision = result.case, result.decision
    return {
        "file": case.place.source,
        "line": case.place.line,
        "name": case.name,
        "passed": result.passed,
        "expected": case.expected,
        "expected_policy": case.policy,
        "actual": decision.effect,
        "deciding_policies": list(result.deciders),
        "reasons": [
            {"code": reason.code, "policy": reason.policy, "message": reason.message}
            for reason in decision.reasons
        ],
        "revision": decision.revision,
    }


# -- JUnit ---------------------------------------------------------------------------------------


def junit_report(results: Sequence[Result], timestamp: str) -> str:
    """The whole run as JUnit XML; `timestamp` is when it began, as `2026-01-15T10:30:00`.

    Every element and attribute is one that the Apache Ant schema and Jenkins' both know, in the
    order that the former demands.
    """
    root = ElementTree.Element("testsuites")
    for number, (source, group) in enumerate(by_file(results)):
        root.append(_junit_suite(number, source, group, timestamp))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _junit_suite(
    number: int, source: str, results: list[Result], timestamp: str
) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _xml(source),
            "package": "policy-test",
            "id": str(number),
            "timestamp": timestamp,
            "hostname": "localhost",
            "tests": str(len(results)),
            "failures": str(sum(not result.passed for result in results)),
            "errors": "0",
            "time": f"{sum(result.seconds for result in results):.6f}",
        },
    )
    ElementTree.SubElement(suite, "properties")
    suite.extend(_junit_case(source, result) for result in results)
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")
    return suite


def _junit_case(source: str, result: Result) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        {
            "name": _xml(result.case.name),
            "classname": _xml(source),
            "time": f"{result.seconds:.6f}",
        },
    )
    if not result.passed:
        attributes = {"message": _xml(result.complaint), "type": "decision"}
        failure = ElementTree.SubElement(case, "failure", attributes)
        failure.text = _xml(failure_text(result))
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
