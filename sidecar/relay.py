"""`taskman-authz relay`: a process that tells the events of a database, and does nothing else.

It has the settings of the sidecar that it needs, by flag, environment and file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskman_authz.cli.frame import command_parser
from taskman_authz.errors import AuthzError

from .log import make_log, take_over
from .log_writer import LogWriter
from .notify import notify
from .orders import Orders
from .settings import Settings, add_flags, read_settings
from .telemetry import Facts, Telemetry

if TYPE_CHECKING:
    from .database.relaying import Relaying

PROGRAM = "taskman-authz relay"
DESCRIPTION = """\
Tell the events of policies in PostgreSQL to RabbitMQ, from the outbox that they are written to.
Several may run at a time, and sidecars may do it too (serve --relay true)."""
NOTES = """examples:
  taskman-authz relay --database postgresql://app@localhost/authz_db --amqp amqp://localhost/
  TASKMAN_AUTHZ_AMQP=file:/run/secrets/amqp taskman-authz relay --metrics-listen 127.0.0.1:9465

Every option is also an environment variable (TASKMAN_AUTHZ_DATABASE) and a line of a --config
file. SIGTERM and SIGINT stop it: what is not told yet waits.

exit status: 0 stopped when asked to, 2 an error, which standard error tells"""
SETTINGS = (
    *("database", "database_timeout", "amqp", "dead_letters"),
    *("service_name", "log_level", "log_format", "metrics_listen", "secrets_interval"),
)


def main(arguments: Sequence[str]) -> int:
    """Relay until stopped. Returns the exit status. Raises AuthzError."""
    parser = command_parser(PROGRAM, DESCRIPTION, NOTES)
    add_flags(parser, SETTINGS)
    settings = read_settings(parser, vars(parser.parse_args(arguments)))
    if settings.database is None or settings.amqp is None:
        raise AuthzError("it needs --database and --amqp")
    asyncio.run(_relay(settings))
    return 0


async def _relay(settings: Settings) -> None:
    from .database.control import make_relaying

    writer = LogWriter()
    log = make_log(settings, writer)
    take_over(log)
    orders = Orders(_nothing)
    orders.take_signals()
    telemetry = Telemetry(settings, log, writer, Facts(None))
    relaying = make_relaying(settings, log, telemetry.tell_relay)
    metrics = telemetry.start()
    log.info("relaying", **({} if metrics is None else {"metrics": metrics}))
    notify("READY=1")
    await _until(orders, relaying)
    notify("STOPPING=1")
    await telemetry.stop()
    log.info("stopped")
    writer.flush()


async def _until(orders: Orders, relaying: Relaying) -> None:
    tasks = [asyncio.create_task(task) for task in relaying.tasks()]
    await orders.stopping.wait()
    for task in tasks:
        task.cancel()
    relaying.close()


async def _nothing() -> None:
    """Nothing is read again: what may have changed is read when it is needed."""
