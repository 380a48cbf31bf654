"""`taskman-authz check`: decide one request."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from ..decision import Decision
from .frame import GREEN, RED, command_parser, errors_in, painted
from .progress import Progress
from .reading import read_entity, read_object, read_time

if TYPE_CHECKING:
    from ..pdp import PDP

POLICIES = "TASKMAN_AUTHZ_POLICIES"
VERIFY_KEY = "TASKMAN_AUTHZ_VERIFY_KEY"

DESCRIPTION = """\
Decide one request: may SUBJECT do ACTION on RESOURCE? Subject and resource are names
(`user:123`, `tasks/456`), JSON objects with `type`, `id` and any attributes, `@file` with such
JSON, or `-` for standard input. Each can be given by its place or by its option."""

NOTES = """\
examples:
  taskman-authz check user:123 tasks:view tasks/456
  taskman-authz check --policies policies/taskman --company acme \\
      '{"type": "user", "id": "123", "roles": ["developer"], "department": "engineering"}' \\
      tasks:edit '{"type": "tasks", "id": "456", "owner": "123"}'
  taskman-authz check @subject.json tasks:edit @task.json --context '{"ip": "10.0.0.7"}'
  taskman-authz check -q user:123 tasks:view tasks/456 && echo yes

errors: text on standard error; with --format json one object there, {"errors": [{"file", "line",
"column", "code", "message", "hint"}]}, and nothing on standard output

exit status: 0 allowed, 1 denied, 2 an error (bad request, policies that do not load)"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where allowed, 1 where denied."""
    parser = _parser()
    options = parser.parse_args(arguments)
    texts = question_texts(parser, options)
    with errors_in(options.format):
        return _decided(texts, options)


def _decided(texts: list[str], options: argparse.Namespace) -> int:
    """Decide and print the decision. Returns the exit status."""
    request = question(texts, options)
    decision = decision_point(options).check(**request)
    if not options.quiet:
        print(_json(decision) if options.format == "json" else decision_text(decision))
    return 0 if decision.allowed else 1


def _parser() -> argparse.ArgumentParser:
    program = "taskman-authz check"
    usage = f"{program} [OPTION ...] SUBJECT ACTION RESOURCE"
    parser = command_parser(program, DESCRIPTION, NOTES, usage)
    question_options(parser)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output, the status only")
    return parser


# -- a question, for this command and for others that are asked one -------------------------------


def question_options(parser: argparse.ArgumentParser) -> None:
    """The arguments and options that ask a question of policies."""
    parser.add_argument("question", nargs="*", metavar="SUBJECT ACTION RESOURCE")
    parser.add_argument("--subject", metavar="SUBJECT", help="who asks")
    parser.add_argument("--action", metavar="ACTION", help="what they would do, as `kind:verb`")
    parser.add_argument("--resource", metavar="RESOURCE", help="what they would do it to")
    parser.add_argument(
        "--context", metavar="JSON", help="what is known of the moment: JSON, @file, -"
    )
    parser.add_argument("--company", metavar="ID", help="the tenant")
    parser.add_argument("--now", metavar="TIME", help="decide as of this time (RFC 3339)")
    parser.add_argument(
        "--policies",
        metavar="PATH",
        help="a policy file, a folder of them, or a bundle "
        f"(default: ${POLICIES}, else ./policies)",
    )
    parser.add_argument(
        "--verify-key",
        metavar="FILE",
        help="decide only by a bundle that the owner of this Ed25519 public key (PEM) signed "
        f"(default: ${VERIFY_KEY})",
    )


def question_texts(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """Subject, action and resource, each from its option or, those left, from their places."""
    named = {"subject": options.subject, "action": options.action, "resource": options.resource}
    places = iter(options.question)
    found = {
        field: next(places, None) if value is None else value for field, value in named.items()
    }
    missing = [field for field, value in found.items() if value is None]
    if missing:
        parser.error(f"no {missing[0]} was given")
    if (surplus := next(places, None)) is not None:
        parser.error(f"`{surplus}` is one too many: subject, action and resource are given already")
    texts = [str(value) for value in found.values()]
    if [*texts, options.context].count("-") > 1:
        parser.error("only one of subject, action, resource and context can be read from `-`")
    return texts


def question(texts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `PDP.check`. Bad JSON is told before policies are read: it is the cheaper of
    two mistakes."""
    subject, action, resource = texts
    return {
        "subject": read_entity("subject", subject),
        "action": read_entity("action", action),
        "resource": read_entity("resource", resource),
        "context": None if options.context is None else read_object("context", options.context),
        "company_id": options.company,
        "now": None if options.now is None else read_time("now", options.now),
    }


def decision_point(options: argparse.Namespace) -> PDP:
    """A decision point by the policies that are asked. Raises StoreError, CompileError."""
    from ..pdp import PDP
    from ..policy import load_policies

    path = options.policies or os.environ.get(POLICIES) or "policies"
    verify_key = options.verify_key or os.environ.get(VERIFY_KEY) or None
    with Progress() as progress:
        return PDP(load_policies(path, verify_key=verify_key, progress=progress))


def decision_text(decision: Decision) -> str:
    """A decision in lines: yes or no, why, by which revision."""
    word, colour = ("allowed", GREEN) if decision.allowed else ("denied", RED)
    lines = [painted(word, colour, sys.stdout)]
    lines += [f"  {reason.message} [{reason.code}]" for reason in decision.reasons]
    return "\n".join([*lines, f"  revision {decision.revision}"])


def _json(decision: Decision) -> str:
    return json.dumps(decision_json(decision), ensure_ascii=False)


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision for programs."""
    reasons = [
        {"code": reason.code, "policy": reason.policy, "message": reason.message}
        for reason in decision.reasons
    ]
    return {
        "allowed": decision.allowed,
        "effect": decision.effect,
        "reasons": reasons,
        "revision": decision.revision,
    }
