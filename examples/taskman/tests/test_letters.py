"""Promises of what is sent, before it is: a template reaches nothing, a call goes to no place that
is ours, settings work."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from pydantic import ValidationError
from taskman.chassis.errors import NotFound
from taskman.notification.letters import NotSent
from taskman.notification.outgoing import Outgoing
from taskman.notification.settings import NotificationSettings
from taskman.notification.templates import Template, Variable, render

SECRET = secrets.token_hex(32)


@pytest.mark.parametrize(
    "body",
    [
        "{{ 'x' * 200000000 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ name.upper() }}",
        "{{ missing }}",
        "{% for i in range(100000000) %}x{% endfor %}",
        "{{ name | center(100000000) }}",
        "{{ 2 ** 100000000 }}",
        "{{ '%100000000d' % 1 }}",
        "{% include 'x' %}",
        "{% if %}",
    ],
)
def test_a_template_reaches_nothing_and_does_not_grow(body):
    template = Template("t", "email", "s", body, (Variable("name"),))
    with pytest.raises(NotFound, match="template `t` cannot be used"):
        render(template, {"name": "x"})


def test_what_is_secret_goes_out_and_is_not_shown():
    variables = (Variable("name"), Variable("key", secret=True))
    template = Template("t", "email", "{{ name }} {{ key }}", "{{ name }} {{ key }}", variables)
    written = render(template, {"name": "n", "key": "k"})
    assert written == ("n ***", "n k", "n ***")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "10.0.0.7", "169.254.169.254", "0.0.0.0",
        "[::ffff:10.0.0.7]", "[64:ff9b::a00:7]", "[2002:a00:7::]", "[fe80::1]", "224.0.0.1",
        "2130706433", "0x7f.1",
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_what_is_not_public_is_not_called(host):
    outgoing = Outgoing(1.0)
    try:
        with pytest.raises(NotSent, match="not a public one") as caught:
            await outgoing.post(f"https://{host}/", {}, b"")
        assert caught.value.final
    finally:
        await outgoing.close()


def test_settings_that_cannot_work_are_named():
    whole: dict[str, Any] = {
        "postgres_dsn": "x", "redis_url": "x", "amqp_url": "x", "service_secret": SECRET,
        "webhook_key": SECRET,
    }  # fmt: skip
    for wrong, told in [
        ({"smtp_url": "http://secret@host"}, "expected smtp://"),
        ({"mail_from": "nobody"}, "expected NAME <ADDRESS>"),
        ({"push_key": "secret"}, "private key of P-256"),
        ({"pool_size": 4}, "2 more than senders"),
        ({"webhook_key": "short"}, "webhook_key"),
    ]:
        with pytest.raises(ValidationError, match=told) as caught:
            NotificationSettings(**whole | wrong)
        assert "secret" not in caught.value.errors(include_input=False)[0]["msg"]
