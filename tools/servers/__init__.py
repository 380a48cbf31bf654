"""Real servers for tests and demonstrations: PostgreSQL, Redis, RabbitMQ and Prometheus of one's
own, on free ports of the loopback, with all they write in one folder.

Begin with `stack`; `processes` is what they have in common, and one file a server says how it is
started. `missing` tells what this machine has not.

Laws: a server starts when it is first asked for, and none outlives the process that started it,
however that ends. Nothing of the system's own servers is touched.
"""

from __future__ import annotations

from .postgresql import PostgreSQL
from .processes import Server, ServerError
from .prometheus import Prometheus
from .rabbitmq import RabbitMQ
from .redis import Redis
from .stack import Stack, missing

__all__ = [
    "PostgreSQL",
    "Prometheus",
    "RabbitMQ",
    "Redis",
    "Server",
    "ServerError",
    "Stack",
    "missing",
]
