"""`taskman-authz dlq`: messages that could not be handled."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, AuthzError
from .frame import command_parser, counted, errors_in

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel

    from ..messaging import DeadLetter

DESCRIPTION = """\
Look at messages that could not be handled, have them handled again, or throw them away. They lie in
a queue beside the one that they come from, `<queue>.dlq`. The broker is that of --amqp, or of
$TASKMAN_AUTHZ_AMQP."""

NOTES = """\
commands:
  list QUEUE...   how many messages each has
  show QUEUE      what they are, and why they could not be handled; they stay
  replay QUEUE    put them back into the queue that they come from
  drop QUEUE      throw them away: those of --id, or with --yes all

examples:
  taskman-authz dlq list audit.iam notification.email
  taskman-authz dlq show audit.iam --format json
  taskman-authz dlq replay audit.iam --dry-run
  taskman-authz dlq drop audit.iam --id 0b6c3f0e-6f5b-4f0a-9a3e-0c1d2e3f4a5b

exit status: 0 done, 2 an error"""

AMQP = "TASKMAN_AUTHZ_AMQP"
SUMMARIES = {
    "list": "how many messages each has",
    "show": "what they are, and why they could not be handled; they stay",
    "replay": "put them back into the queue that they come from",
    "drop": "throw them away",
}


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0."""
    options = _parser().parse_args(arguments)
    url = options.amqp or os.environ.get(AMQP, "")
    with errors_in(options.format):
        if not url.startswith(("amqp://", "amqps://")):
            raise ArgumentError("amqp", f"--amqp amqp://…, or ${AMQP}", "another text, or none")
        if options.command == "drop" and not (options.id or options.yes or options.dry_run):
            raise ArgumentError("drop", "--id of messages, or --yes for all", "neither")
        asyncio.run(_run(options, url))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz dlq", DESCRIPTION, NOTES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in SUMMARIES.items():
        one = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        one.add_argument("--amqp", metavar="URL", help=f"amqp://… (default: ${AMQP})")
        one.add_argument("--format", choices=["text", "json"], default="text")
        if name == "list":
            one.add_argument("queue", nargs="+", metavar="QUEUE", help="a queue, or its .dlq")
            continue
        one.add_argument("queue", metavar="QUEUE", help="a queue, or its .dlq")
        if name != "show":
            one.add_argument("--id", action="append", metavar="ID", help="only this message")
            one.add_argument("--dry-run", action="store_true", help="tell it, and do nothing")
        if name == "drop":
            one.add_argument("--yes", action="store_true", help="all of them")
    return parser


async def _run(options: argparse.Namespace, url: str) -> None:
    try:
        from ..messaging import Link
    except ModuleNotFoundError as error:
        raise AuthzError(
            f"this needs `{error.name}`: pip install 'taskman-authz[rabbitmq]'"
        ) from None

    async def work(channel: AbstractChannel) -> None:
        await _COMMANDS[options.command](options, channel)

    await Link(url, "taskman-authz dlq").once(work)


async def _list(options: argparse.Namespace, channel: AbstractChannel) -> None:
    from ..messaging import DeadLetters

    found = {}
    for name in options.queue:
        letters = DeadLetters(channel, name)
        found[letters.queue] = await letters.count()
    _tell(options, [f"{count:>8}  {queue}" for queue, count in found.items()], found)


async def _show(options: argparse.Namespace, channel: AbstractChannel) -> None:
    from ..messaging import DeadLetters

    _tell_letters(options, await DeadLetters(channel, options.queue).show())


async def _replay(options: argparse.Namespace, channel: AbstractChannel) -> None:
    await _move(options, channel, "replay")


async def _drop(options: argparse.Namespace, channel: AbstractChannel) -> None:
    await _move(options, channel, "drop")


async def _move(options: argparse.Namespace, channel: AbstractChannel, how: str) -> None:
    from ..messaging import DeadLetters

    letters = DeadLetters(channel, options.queue)
    if options.dry_run:
        wanted = [each for each in await letters.show() if not options.id or each.id in options.id]
        _tell_letters(options, wanted)
        return
    done = await (letters.replay if how == "replay" else letters.drop)(options.id)
    verb = "replayed" if how == "replay" else "dropped"
    _tell(options, [f"{verb} {counted(done, 'message', 'messages')}"], {verb: done})


def _tell_letters(options: argparse.Namespace, letters: list[DeadLetter]) -> None:
    lines = [
        f"{each.id}  {each.routing_key}  after {counted(each.attempts, 'attempt', 'attempts')}: "
        f"{each.reason}"
        for each in letters
    ]
    told = [{**each._asdict(), "body": each.body.decode("utf-8", "replace")} for each in letters]
    _tell(options, lines or ["no messages"], told)


def _tell(options: argparse.Namespace, lines: list[str], data: Any) -> None:
    as_json = options.format == "json"
    print(json.dumps(data, ensure_ascii=False) if as_json else "\n".join(lines))


_COMMANDS = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
