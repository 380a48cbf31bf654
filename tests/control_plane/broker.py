"""What a broker knows, asked of its management."""

from __future__ import annotations

from urllib.parse import quote

from tools.servers import RabbitMQ


def bindings(rabbitmq: RabbitMQ, amqp_url: str, exchange: str, pattern: str) -> int:
    """How many queues get what a pattern of an exchange names."""
    vhost = quote(amqp_url.rpartition("/")[2], safe="")
    found = rabbitmq.api("GET", f"bindings/{vhost}") or []
    return sum(1 for each in found if (each["source"], each["routing_key"]) == (exchange, pattern))
