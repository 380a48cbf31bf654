"""`taskman-authz explain`: why one request is decided as it is, and what would flip the answer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from .check import (
    decision_json,
    decision_point,
    decision_text,
    question,
    question_options,
    question_texts,
)
from .explaining import YELLOW, explanation_json, explanation_lines
from .frame import DIM, GREEN, RED, command_parser, counted, errors_in, painted
from .printing import cel_text, json_value

if TYPE_CHECKING:
    from ..pdp.changes import AttributeChange, Search
    from ..pdp.explain import DecisionExplanation, Mismatch, RuleExplanation

DESCRIPTION = """\
Explain one decision: every policy that applies, the clause that decided and the values seen, and
the smallest change of attributes that would flip the answer (which was tried before it is told).
The arguments are those of `taskman-authz check`. The output contains attribute values: it is for
those who administer policies, not for those who were denied."""

NOTES = """\
examples:
  taskman-authz explain --policies policies/taskman --company acme \\
      '{"type": "user", "id": "123", "roles": ["developer"], "department": "engineering"}' \\
      tasks:edit '{"type": "tasks", "id": "456", "owner": "999"}'
  taskman-authz explain user:123 tasks:edit tasks/456 --all
  taskman-authz explain @subject.json tasks:edit @task.json --tree --format json

exit status: 0 allowed, 1 denied, 2 an error (bad request, policies that do not load)"""

OUTCOMES = {"met": "its condition is met", "not_met": "not met", "failed": "failed"}
SHOWN = 5  # patterns or roles of a policy that does not apply


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where allowed, 1 where denied."""
    parser = _parser()
    options = parser.parse_args(arguments)
    texts = question_texts(parser, options)
    with errors_in(options.format):
        request = question(texts, options)
        found = decision_point(options).explain(**request, others=options.all)
    if options.format == "json":
        print(json.dumps(_json(found), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_Lines(sys.stdout, options.tree).explanation(found)))
    return 0 if found.decision.allowed else 1


def _parser() -> argparse.ArgumentParser:
    program = "taskman-authz explain"
    usage = f"{program} [OPTION ...] SUBJECT ACTION RESOURCE"
    parser = command_parser(program, DESCRIPTION, NOTES, usage)
    question_options(parser)
    parser.add_argument(
        "--all", action="store_true", help="also why each other policy does not apply"
    )
    parser.add_argument(
        "--tree", action="store_true", help="every part of every condition, not the deciding ones"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    return parser


# -- text -----------------------------------------------------------------------------------------


class _Lines:
    def __init__(self, stream: TextIO, tree: bool) -> None:
        self.stream = stream
        self.tree = tree

    def explanation(self, found: DecisionExplanation) -> Iterator[str]:
        yield decision_text(found.decision)
        yield ""
        if found.rules:
            yield "policies that apply, in the order in which they decide:"
            for rule in found.rules:
                yield from self.rule(rule)
        else:
            yield "no policy applies"
        if found.others:
            yield ""
            yield "policies that do not apply:"
            for rule in found.others:
                yield self.head(rule)
                for mismatch in rule.mismatches:
                    yield f"    {_mismatch_text(mismatch)}"
        yield ""
        yield from self.search(found.search, "deny" if found.decision.allowed else "allow")

    def rule(self, rule: RuleExplanation) -> Iterator[str]:
        outcome = "has no condition" if rule.condition is None else OUTCOMES[str(rule.outcome)]
        colour = {"met": RED if rule.effect == "deny" else GREEN, "failed": RED}
        told = painted(outcome, colour.get(str(rule.outcome), YELLOW), self.stream)
        yield f"{self.head(rule)}: {told}{', and decides' if rule.decided else ''}"
        if self.tree and rule.condition is not None:
            yield from explanation_lines(rule.condition, self.stream, "    ")
        elif rule.outcome != "not_met" or rule.effect == "allow":
            for clause in rule.deciding:
                yield from explanation_lines(clause, self.stream, "    ")

    def head(self, rule: RuleExplanation) -> str:
        company = f" of company {rule.company}" if rule.company else ""
        place = ""
        if rule.place is not None:
            place = painted(f"  ({rule.place.source}:{rule.place.line})", DIM, self.stream)
        return f"  {rule.effect} {rule.policy}{company}{place}"

    def search(self, search: Search, effect: str) -> Iterator[str]:
        change = search.change
        if change is None:
            tried = counted(search.tried, "change", "changes")
            why = f"{tried} of attributes and roles were tried"
            more = "" if search.complete else ", which is the limit: there may be one"
            yield f"no change was found that would {effect} it: {why}{more}"
            return
        many = counted(len(change.attributes), "attribute", "attributes")
        yield f"what would {effect} it, with {many}:"
        for each in change.attributes:
            yield f"  {each.path}  {_change_text(each)}"
        for reason in change.decision.reasons:
            yield f"  then: {reason.message} [{reason.code}]"


def _change_text(change: AttributeChange) -> str:
    before = "(absent)" if change.added else cel_text(change.before)
    after = "(absent)" if change.absent else cel_text(change.after)
    return f"{before} -> {after}"


def _mismatch_text(mismatch: Mismatch) -> str:
    asked = ", ".join(mismatch.asked[:SHOWN]) or "no role: it is nobody's"
    more = len(mismatch.asked) - SHOWN
    found = ", ".join(mismatch.found) or "none"
    return f"{mismatch.field}: {asked}{f' and {more} more' if more > 0 else ''}; found {found}"


# -- JSON -----------------------------------------------------------------------------------------


def _json(found: DecisionExplanation) -> dict[str, Any]:
    return {
        **decision_json(found.decision),
        "rules": [_rule_json(rule) for rule in (*found.rules, *found.others)],
        "change": _search_json(found.search),
    }


def _rule_json(rule: RuleExplanation) -> dict[str, Any]:
    place = rule.place
    made: dict[str, Any] = {
        "policy": rule.policy,
        "company": rule.company,
        "effect": rule.effect,
        "file": place and place.source,
        "line": place and place.line,
        "applies": rule.applies,
    }
    if not rule.applies:
        fields = ("field", "asked", "found")
        made["mismatches"] = [
            {field: getattr(each, field) for field in fields} for each in rule.mismatches
        ]
        return made
    made |= {"outcome": rule.outcome, "decided": rule.decided}
    if rule.condition is not None:
        made["condition"] = explanation_json(rule.condition)
        made["deciding"] = [explanation_json(clause) for clause in rule.deciding]
    return made


def _search_json(search: Search) -> dict[str, Any]:
    about = {"tried": search.tried, "complete": search.complete}
    change = search.change
    if change is None:
        return {"found": False, **about}
    attributes = []
    for each in change.attributes:
        told: dict[str, Any] = {"path": each.path}
        if not each.added:
            told["before"] = json_value(each.before)
        if not each.absent:
            told["after"] = json_value(each.after)
        attributes.append(told)
    then = decision_json(change.decision)
    return {"found": True, **about, "attributes": attributes, "decision": then}
