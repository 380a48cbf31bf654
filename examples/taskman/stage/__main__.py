"""`python -m examples.taskman.stage`: start all of TaskMan, and serve until Ctrl-C. With `--demo`
play the story and end. Exit status 0; 1 where something did not start or went otherwise."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import httpx

from .company import EXCHANGES, Company, Heard, Person
from .services import Failed, Running, running
from .story import Story

PORT = 8080
ADMIN = "admin@example.com"


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.taskman.stage",
        description="Start PostgreSQL, Redis, RabbitMQ, the decision point, TaskMan's services and "
        "the gateway, on free ports of the loopback.",
    )
    parser.add_argument(
        "--demo", action="store_true", help="play a story through the gateway, and end"
    )
    parser.add_argument(
        "--port", type=int, default=None, help=f"the gateway's ({PORT}; with --demo a free one)"
    )
    options = parser.parse_args()
    port = options.port if options.port is not None else (0 if options.demo else PORT)
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {what}", file=sys.stderr, flush=True)

    for number in (signal.SIGTERM, signal.SIGINT):  # also where a shell has it ignored
        signal.signal(number, _interrupt)
    try:
        with running(port, tell) as stage:
            tell("making a company")
            asyncio.run(_go_on(stage, options.demo, tell))
    except Failed as error:
        print(f"taskman: {error}", file=sys.stderr)
        return 1
    except AssertionError as error:
        print(f"taskman: the story went otherwise: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        tell("stopped")
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@asynccontextmanager
async def company_on(stage: Running) -> AsyncIterator[tuple[httpx.AsyncClient, Company]]:
    """A company, and what is told from now on."""
    heard = Heard()
    async with (
        httpx.AsyncClient(base_url=stage.url, timeout=30) as web,
        await aio_pika.connect(stage.amqp_url) as connection,
    ):
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for name in EXCHANGES:
            await queue.bind(await channel.declare_exchange(name, "topic", durable=True), "#")
        await queue.consume(heard.take)
        yield web, Company(stage, web, channel, heard)


async def _go_on(stage: Running, demo: bool, tell: object) -> None:
    async with company_on(stage) as (web, company):
        admin = await company.first_admin(ADMIN)
        if demo:
            await Story(web, company, print).play(admin)
            return
        _show(stage, admin)
    await asyncio.Event().wait()


def _show(stage: Running, admin: Person) -> None:
    print(
        f"""
TaskMan serves at {stage.url} (described at {stage.url}/openapi.json; logs in {stage.logs})

  # sign in as the admin of a company of your own, and keep the token
  TOKEN=$(curl -s {stage.url}/auth/login -H 'content-type: application/json' \\
    -d '{{"email": "{admin.email}", "password": "{admin.password}"}}' \\
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["tokens"]["access_token"])')

  # add a task, and look at all
  curl -s {stage.url}/tasks -H "authorization: Bearer $TOKEN" \\
    -H 'content-type: application/json' -d '{{"title": "Try TaskMan"}}'
  curl -s {stage.url}/tasks -H "authorization: Bearer $TOKEN"

Ctrl-C ends all of it.
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
