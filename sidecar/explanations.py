"""What `pdp.explain` tells, as a message.

Laws: values are texts that CEL reads back. Parts end where a message would be deeper than what
every reader of protobuf takes (100 levels), and say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskman_authz.cel import Explanation, Turn
from taskman_authz.cli.printing import cel_text
from taskman_authz.pdp.changes import AttributeChange, Search
from taskman_authz.pdp.explain import DecisionExplanation, RuleExplanation
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import decision_message

DEPTH = 32  # levels of parts; one within a loop takes two of the message's


def explanation_message(found: DecisionExplanation) -> pb.ExplainResponse:
    """The answer of `Explain`."""
    return pb.ExplainResponse(
        decision=decision_message(found.decision),
        rules=map(_rule, found.rules),
        others=map(_rule, found.others),
        search=_search(found.search),
    )


def _rule(rule: RuleExplanation) -> pb.RuleExplanation:
    place = rule.place
    return pb.RuleExplanation(
        policy=rule.policy,
        company_id=rule.company or "",
        effect=rule.effect,
        file=place.source if place else "",
        line=place.line if place else 0,
        mismatches=[
            pb.Mismatch(field=each.field, asked=each.asked, found=each.found)
            for each in rule.mismatches
        ],
        outcome=rule.outcome or "",
        decided=rule.decided,
        condition=None if rule.condition is None else _part(rule.condition, DEPTH),
        deciding=_parts(rule.deciding, DEPTH),
    )


def _parts(parts: Iterable[Explanation], depth: int) -> Iterator[pb.ConditionPart]:
    return (_part(part, depth) for part in parts)


def _part(part: Explanation, depth: int) -> pb.ConditionPart:
    message = pb.ConditionPart(
        text=part.text,
        line=part.line,
        column=part.column,
        name=part.name,
        turn_count=part.turn_count,
    )
    if part.error is not None:
        message.error.code, message.error.message = part.error.code, part.error.message
    elif part.evaluated:
        message.value = cel_text(part.value)
    if depth == 1:
        message.is_cut = bool(part.parts or part.turns)
    else:
        message.parts.extend(_parts(part.parts, depth - 1))
        message.turns.extend(_turn(turn, depth - 1) for turn in part.turns)
    return message


def _turn(turn: Turn, depth: int) -> pb.LoopTurn:
    variables = {name: cel_text(value) for name, value in turn.variables.items()}
    return pb.LoopTurn(number=turn.number, variables=variables, parts=_parts(turn.parts, depth))


def _search(search: Search) -> pb.ChangeSearch:
    message = pb.ChangeSearch(tried=search.tried, complete=search.complete)
    if search.change is not None:
        message.change.attributes.extend(map(_change, search.change.attributes))
        message.change.decision.CopyFrom(decision_message(search.change.decision))
    return message


def _change(change: AttributeChange) -> pb.AttributeChange:
    return pb.AttributeChange(
        path=change.path,
        before=None if change.added else cel_text(change.before),
        after=None if change.absent else cel_text(change.after),
    )
