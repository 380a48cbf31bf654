"""What others know: attributes and roles, who is asked for them, and what of it is remembered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, Field

from taskman_authz.attributes import Kind

from .kinds import Address, Listed, Secret, checked_address

DAY = 86_400.0
_ENTITIES = re.compile(r"(subject|resource):([^=\s]+)")


class SourceRule(NamedTuple):
    """Who is asked for the attributes of entities of one kind and type."""

    kind: Kind
    type: str
    address: str


class LifeRule(NamedTuple):
    """How many seconds attributes are remembered; of all types where `type` is empty."""

    kind: Kind
    type: str
    seconds: float


class EventRule(NamedTuple):
    """Events of an exchange whose names begin with `family` and a dot change entities of one kind
    and type."""

    exchange: str
    family: str
    kind: Kind
    type: str


def read_source(text: str) -> SourceRule:
    """`subject:user=host:port`. Raises ValueError."""
    entities, _, address = text.partition("=")
    kind, type = _read_entities(entities, "subject:user=host:port")
    return SourceRule(kind, type, checked_address(address))


def read_life(text: str) -> LifeRule:
    """`subject=1800`, `resource:tasks=600`. Raises ValueError."""
    entities, _, seconds = text.partition("=")
    kind, type = entities, ""
    if entities not in ("subject", "resource"):
        kind, type = _read_entities(entities, "subject=1800` or `resource:tasks=600")
    try:
        found = float(seconds)
    except ValueError:
        raise ValueError("expected seconds after `=`") from None
    if not 0 <= found <= DAY:
        raise ValueError(f"expected 0 to {DAY:.0f} seconds")
    return LifeRule(kind, type, found)  # type: ignore[arg-type]  # it is one of both


def read_event(text: str) -> EventRule:
    """`user.events/user=subject:user`. Raises ValueError."""
    form = "user.events/user=subject:user"
    told, _, entities = text.partition("=")
    exchange, _, family = told.rpartition("/")
    if not exchange or not re.fullmatch(r"\w+", family):
        raise ValueError(f"expected `{form}`")
    return EventRule(exchange, family, *_read_entities(entities, form))


def _read_entities(text: str, form: str) -> tuple[Kind, str]:
    found = _ENTITIES.fullmatch(text)
    if found is None:
        raise ValueError(f"expected `{form}`")
    return found[1], found[2]  # type: ignore[return-value]  # what the pattern lets through


def _checked_sources(rules: tuple[str, ...]) -> tuple[str, ...]:
    seen = set()
    for rule in map(read_source, rules):
        if (rule.kind, rule.type) in seen:
            raise ValueError(f"`{rule.kind}:{rule.type}` has two sources")
        seen.add((rule.kind, rule.type))
    return rules


def _checked_lives(rules: tuple[str, ...]) -> tuple[str, ...]:
    for rule in rules:
        read_life(rule)
    return rules


def _checked_events(rules: tuple[str, ...]) -> tuple[str, ...]:
    for rule in rules:
        read_event(rule)
    return rules


class ContextSettings(BaseModel):
    """Sources, caches, events."""

    attribute_sources: Annotated[tuple[str, ...], *Listed, AfterValidator(_checked_sources)] = (
        Field(
            default=(),
            description="who is asked for attributes that a decision needs and a request lacks: "
            "subject:user=host:port or resource:tasks=host:port; may be given several times",
        )
    )
    attribute_deadline: float = Field(
        default=0.5, gt=0, le=60, description="seconds that a source has for its answer"
    )
    roles_source: Address | None = Field(
        default=None,
        description="who is asked who holds which role, for requests that give no roles: host:port",
    )
    roles_interval: float = Field(
        default=60.0, ge=0.1, le=DAY, description="seconds between snapshots of all roles"
    )
    source_ca: Path | None = Field(
        default=None, description="authorities (PEM) of the sources' certificates: asks over TLS"
    )
    source_cert: Path | None = Field(
        default=None, description="our certificate (PEM), for sources that want to know who asks"
    )
    source_key: Path | None = Field(default=None, description="private key (PEM) of --source-cert")
    source_server_name: str | None = Field(
        default=None, description="name in the sources' certificates, where it is not the address"
    )
    source_token: Secret | None = Field(
        default=None,
        description="token that sources are shown, where they want to know who asks: itself, "
        "file:PATH or vault:mount/path#key",
    )
    source_breaker: float = Field(
        default=30.0,
        ge=0,
        le=DAY,
        description="seconds that a source is left alone after more than 5 failures in a row; "
        "0: never",
    )
    amqp: Secret | None = Field(
        default=None,
        description="URL of RabbitMQ, whose events tell what changes: "
        "amqp://user:password@host:port/vhost, or file:PATH or vault:mount/path#key where it rests",
    )
    entity_events: Annotated[tuple[str, ...], *Listed, AfterValidator(_checked_events)] = Field(
        default=(
            "user.events/user=subject:user",
            "user.events/user=resource:users",
            "task.events/task=resource:tasks",
            "task.events/project=resource:projects",
        ),
        description="whose attributes are others after an event: EXCHANGE/FAMILY=KIND:TYPE, for "
        "events named FAMILY.something; may be given several times",
    )
    cache_trust: float = Field(
        default=5.0,
        ge=2,
        le=3_600,
        description="seconds that what is remembered is used without hearing events",
    )
    attribute_cache: Literal["off", "memory", "redis"] = Field(
        default="memory", description="where attributes are remembered: off, memory or redis"
    )
    attribute_ttl: Annotated[tuple[str, ...], *Listed, AfterValidator(_checked_lives)] = Field(
        default=("subject=1800", "resource=600"),
        description="seconds that attributes are remembered: KIND=SECONDS or KIND:TYPE=SECONDS; "
        "may be given several times",
    )
    decision_cache: Literal["off", "memory", "redis"] = Field(
        default="off",
        description="where decisions that needed attributes of others are remembered: off, memory "
        "or redis",
    )
    decision_ttl: float = Field(
        default=300.0, gt=0, le=DAY, description="seconds that decisions are remembered"
    )
    redis: Secret | None = Field(
        default=None,
        description="URL of Redis, for caches: redis://host:port/1, or file:PATH or "
        "vault:mount/path#key where it rests",
    )
