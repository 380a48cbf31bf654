"""A run as one page that needs nothing beside it: no script, no font, no picture from elsewhere.

Law: everything that is not this file's own text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from .coverage import ClauseCoverage, Coverage, RuleCoverage, Share
from .mutation import Mutant, Mutants
from .reports import by_file, failure_text, summary
from .runner import Result
from .session import Report

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --paper: #ffffff; --card: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --fair: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --paper: #0d1117; --card: #151b23; --good: #3fb950; --bad: #f85149; --fair: #d29922; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.5rem 4rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; font-weight: 600; overflow-wrap: anywhere; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0;
  padding: .75rem 1rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.35rem; }
.tile span { color: var(--soft); font-size: .85rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .fair { color: var(--fair); }
.soft { color: var(--soft); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .9rem; overflow-wrap: anywhere; }
details > div { padding: 0 .9rem .75rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; }
td.count, th.count { text-align: right; white-space: nowrap; width: 6rem; }
td code { overflow-wrap: anywhere; }
.mutants { table-layout: fixed; }
.mutants th:nth-child(1) { width: 4rem; } .mutants th:nth-child(3) { width: 9rem; }
.mutants td { overflow-wrap: anywhere; }
.tag { border: 1px solid currentColor; border-radius: 999px; font-size: .75rem; margin-left: .5rem;
  padding: 0 .5rem; white-space: nowrap; }
"""


def html_report(report: Report, when: str) -> str:
    """The page; `when` is when the run began, in words."""
    body = "\n".join(_body(report, when))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>policy tests: {escape(summary(report.results))}</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(report: Report, when: str) -> Iterator[str]:
    yield f'<h1>Policy tests <span class="soft">{escape(when)}</span></h1>'
    yield '<div class="tiles">'
    yield from _tiles(report)
    yield "</div>"
    failed = [result for result in report.results if not result.passed]
    if failed:
        yield "<h2>Failed cases</h2>"
        yield from (f"<pre>{escape(failure_text(result))}</pre>" for result in failed)
    if report.mutants is not None:
        yield from _mutants(report.mutants)
    if report.coverage is not None:
        yield from _coverage(report.coverage)
    yield "<h2>Cases</h2>"
    for source, results in by_file(report.results):
        yield from _cases(source, results)


def _tiles(report: Report) -> Iterator[str]:
    passed = sum(result.passed for result in report.results)
    tone = "good" if report.passed else "bad"
    yield _tile("cases passed", f"{passed} of {len(report.results)}", tone)
    if report.coverage is not None:
        for name, share in report.coverage.shares.items():
            yield _tile(f"{name} seen, {share.seen} of {share.all}", _percent(share), _tone(share))
    if report.mutants is not None:
        share = report.mutants.score
        label = f"mutants noticed, {share.seen} of {share.all}"
        yield _tile(label, _percent(share), _tone(share))


def _tile(label: str, value: str, tone: str) -> str:
    return f'<div class="tile"><b class="{tone}">{value}</b><span>{escape(label)}</span></div>'


def _percent(share: Share) -> str:
    return f"{share.percent:.1f} %"


def _tone(share: Share) -> str:
    return "good" if share.seen == share.all else "fair" if share.percent >= 80 else "bad"


# -- mutants --------------------------------------------------------------------------------------


def _mutants(mutants: Mutants) -> Iterator[str]:
    yield "<h2>Mistakes that no case would notice</h2>"
    if not mutants.survivors:
        yield '<p class="good">None: every mutant was noticed.</p>'
        return
    for source, group in groupby(mutants.survivors, key=lambda each: each.place.source):
        yield f"<h3>{escape(source)}</h3>"
        yield '<table class="mutants"><tr><th>line</th><th>policy</th>'
        yield "<th>mutant</th><th>what changed</th></tr>"
        yield from map(_mutant, group)
        yield "</table>"


def _mutant(mutant: Mutant) -> str:
    return (
        f"<tr><td>{mutant.place.line}</td><td><code>{escape(mutant.policy)}</code></td>"
        f"<td>{escape(mutant.kind)}</td><td><code>{escape(mutant.what)}</code></td></tr>"
    )


# -- coverage -------------------------------------------------------------------------------------


def _coverage(coverage: Coverage) -> Iterator[str]:
    yield "<h2>Policies</h2>"
    for source, rules in groupby(coverage.rules, key=lambda rule: rule.place.source):
        yield f"<h3>{escape(source)}</h3>"
        for rule in rules:
            yield from _rule(rule)


def _rule(rule: RuleCoverage) -> Iterator[str]:
    seen, all = rule.outcomes
    sides = sum(clause.sides for clause in rule.clauses)
    lacking = (all - seen) + 2 * len(rule.clauses) - sides
    word = f"{lacking} not seen" if lacking else "all seen"
    tone = "bad" if not rule.reached else "fair" if lacking else "good"
    company = f' <span class="soft">of {escape(rule.company)}</span>' if rule.company else ""
    yield f"<details{' open' if lacking else ''}><summary>"
    yield f"<code>{escape(rule.policy)}</code>{company}"
    yield f'<span class="tag soft">{rule.effect}</span><span class="tag {tone}">{word}</span>'
    yield f"</summary><div><p>line {rule.place.line}: {_counts(rule)}</p>"
    if rule.condition:
        yield f"<pre>{escape(rule.condition)}</pre>"
        yield '<table><tr><th>clause</th><th class="count">true</th>'
        yield '<th class="count">false</th></tr>'
        yield from map(_clause, rule.clauses)
        yield "</table>"
    yield "</div></details>"


def _counts(rule: RuleCoverage) -> str:
    if not rule.reached:
        return '<span class="bad">no decision came to it</span>'
    counts = [("met", rule.met), ("not met", rule.not_met), ("failed", rule.failed)]
    return ", ".join(f"{name} {count} ×" for name, count in counts if count)


def _clause(clause: ClauseCoverage) -> str:
    cells = "".join(
        f'<td class="count {"" if count else "bad"}">{count or "never"}</td>'
        for count in (clause.true, clause.false)
    )
    return f"<tr><td><code>{escape(clause.text)}</code></td>{cells}</tr>"


# -- cases ----------------------------------------------------------------------------------------


def _cases(source: str, results: Iterable[Result]) -> Iterator[str]:
    results = list(results)
    tone = "good" if all(result.passed for result in results) else "bad"
    yield f'<details><summary>{escape(source)} <span class="tag {tone}">'
    yield f"{escape(summary(results))}</span></summary><div>"
    yield "<table><tr><th>line</th><th>case</th><th>decision</th><th>by</th></tr>"
    yield from map(_case, results)
    yield "</table></div></details>"


def _case(result: Result) -> str:
    deciders = ", ".join(result.deciders) or "no policy"
    tone = "soft" if result.passed else "bad"
    return (
        f"<tr><td>{result.case.place.line}</td>"
        f'<td class="{"" if result.passed else "bad"}">{escape(result.case.name)}</td>'
        f'<td class="{tone}">{result.decision.effect}</td>'
        f'<td class="soft">{escape(deciders)}</td></tr>'
    )
