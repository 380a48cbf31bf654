"""Events over RabbitMQ: what was written is told, at least once, and has its effect once.

Begin with `events` (what an event is) and `topology` (exchanges and queues, as data). `relay` tells
what an outbox holds; `consumer` has events handled, by one of several processes; `listener` has
each process hear them; `dead_letters` is what becomes of those that cannot be handled; `link` keeps
a connection; `postgres` is outbox and inbox in a service's own database. Needs `[rabbitmq]`.

Laws: an event is written in the transaction that it tells of, and is told until the broker has
confirmed it and routed it to a queue. It may arrive more than once and in another order: who
handles it marks its id in the transaction of the effect, or handles it so that twice is once. One
that cannot be handled is tried a bounded number of times and put aside with the reason; the queue
goes on.
"""

from __future__ import annotations

from .consumer import Consumer, Handler, Retries
from .dead_letters import DeadLetter, DeadLetters
from .events import Event
from .link import Link
from .listener import Listener
from .relay import Batch, Outbox, Outgoing, Relay
from .topology import DEAD_LETTERS, Queue, Topology

__all__ = [
    "DEAD_LETTERS",
    "Batch",
    "Consumer",
    "DeadLetter",
    "DeadLetters",
    "Event",
    "Handler",
    "Link",
    "Listener",
    "Outbox",
    "Outgoing",
    "Queue",
    "Relay",
    "Retries",
    "Topology",
]
