"""A run as text for people, as JUnit XML and TAP for build servers, as JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from .coverage import Coverage, RuleCoverage, Share
from .mutation import Mutant, Mutants
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
    if case.reason:
        expected += f" [{case.reason}]"
    deciders = ", ".join(result.deciders) or "no policy: nothing that applies allowed it"
    return "\n".join(
        [
            f"FAILED {case.place.source}:{case.place.line}: {case.name}",
            f"  request    {asked}",
            f"  expected   {expected}",
            f"  actual     {result.decision.effect}",
            f"  decided by {deciders}",
            *(f"    {line}" for line in _reason_lines(result)),
            *(f"    {line}" for line in _fault_lines(result)),
        ]
    )


def _reason_lines(result: Result) -> list[str]:
    return [f"{reason.message} [{reason.code}]" for reason in result.decision.reasons]


def _fault_lines(result: Result) -> Iterator[str]:
    for fault in result.faults:
        at = "" if fault.place is None else f"{fault.place.source}:{fault.place.line}: "
        yield f"{at}`{fault.policy}`: {fault.part}: {fault.message}"


def by_file(results: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Results of each file together, in the order in which they ran."""
    grouped = groupby(results, key=lambda result: result.case.place.source)
    return [(source, list(group)) for source, group in grouped]


# -- JSON ----------------------------------------------------------------------------------------


def json_report(
    results: Sequence[Result],
    coverage: Coverage | None = None,
    mutants: Mutants | None = None,
) -> str:
    """The whole run as one JSON object, with what was measured beside."""
    failed = sum(not result.passed for result in results)
    report: dict[str, Any] = {
        "passed": len(results) - failed,
        "failed": failed,
        "cases": [_json_case(result) for result in results],
    }
    if coverage is not None:
        report["coverage"] = {
            **{name: _json_share(share) for name, share in coverage.shares.items()},
            "policies": [_json_rule(rule) for rule in coverage.rules],
        }
    if mutants is not None:
        report["mutation"] = {
            "score": _json_share(mutants.score),
            "mutants": [_json_mutant(mutant) for mutant in mutants.mutants],
        }
    return json.dumps(report, ensure_ascii=False, indent=2)


def _json_share(share: Share) -> dict[str, Any]:
    return {"seen": share.seen, "all": share.all, "percent": round(share.percent, 2)}


def _json_rule(rule: RuleCoverage) -> dict[str, Any]:
    return {
        "policy": rule.policy,
        "company": rule.company,
        "file": rule.place.source,
        "line": rule.place.line,
        "met": rule.met,
        "not_met": rule.not_met,
        "failed": rule.failed,
        "clauses": [
            {"text": each.text, "true": each.true, "false": each.false} for each in rule.clauses
        ],
    }


def _json_mutant(mutant: Mutant) -> dict[str, Any]:
    return {
        "policy": mutant.policy,
        "company": mutant.company,
        "file": mutant.place.source,
        "line": mutant.place.line,
        "kind": mutant.kind,
        "what": mutant.what,
        "killed_by": mutant.killer or None,
        "equivalent": mutant.equivalent,
    }


def _json_case(result: Result) -> dict[str, Any]:
    case, decision = result.case, result.decision
    return {
        "file": case.place.source,
        "line": case.place.line,
        "name": case.name,
        "passed": result.passed,
        "expected": case.expected,
        "expected_policy": case.policy,
        "expected_reason": case.reason,
        "actual": decision.effect,
        "deciding_policies": list(result.deciders),
        "reasons": [
            {"code": reason.code, "policy": reason.policy, "message": reason.message}
            for reason in decision.reasons
        ],
        "faults": [
            {"policy": fault.policy, "part": fault.part, "message": fault.message}
            for fault in result.faults
        ],
        "revision": decision.revision,
    }


# -- what was measured ---------------------------------------------------------------------------


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """The shares, and what no case has seen."""
    yield "coverage"
    for name, share in coverage.shares.items():
        yield f"  {name:<9} {share}"
    for rule in coverage.rules:
        for what in missing(rule):
            yield f"  {rule.place.source}:{rule.place.line}: {rule.policy}: {what}"


def missing(rule: RuleCoverage) -> Iterator[str]:
    """What no case has seen of a rule."""
    if not rule.reached:
        yield "no decision came to it"
        return
    if not rule.met:
        yield "its condition was never met"
    if rule.condition and not rule.not_met + rule.failed:
        yield "its condition was never not met"
    for clause in rule.clauses:
        for side, count in (("true", clause.true), ("false", clause.false)):
            if not count:
                yield f"`{clause.text}` was never {side}"


def mutant_lines(mutants: Mutants) -> Iterator[str]:
    """The score, and the mutants that no case noticed."""
    equivalent = sum(each.equivalent and not each.killer for each in mutants.mutants)
    beside = f", and {equivalent} that decide no request otherwise" if equivalent else ""
    yield "mutants"
    yield f"  noticed   {mutants.score}{beside}"
    for each in mutants.survivors:
        place = f"{each.place.source}:{each.place.line}"
        yield f"  {place}: {each.policy}: no case notices: {each.kind}: {each.what}"


# -- TAP -----------------------------------------------------------------------------------------


def tap_report(results: Sequence[Result]) -> str:
    """The whole run in the Test Anything Protocol, version 14."""
    lines = ["TAP version 14", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        name = _tap(f"{result.case.place.source}: {result.case.name}")
        lines.append(f"{'ok' if result.passed else 'not ok'} {number} - {name}")
        if not result.passed:
            lines.append("  ---")
            about = {
                "message": result.complaint,
                "at": {"file": result.case.place.source, "line": result.case.place.line},
                "data": {"reasons": [*_reason_lines(result), *_fault_lines(result)]},
            }
            lines += (f"  {key}: {json.dumps(value)}" for key, value in about.items())
            lines.append("  ...")
    return "\n".join(lines) + "\n"


def _tap(text: str) -> str:
    """A description without what means something in it: line ends, `#`, a backslash."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("#", "\\#")


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
