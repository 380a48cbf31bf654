"""How the notification service is wired."""

from __future__ import annotations

from typing import NoReturn

from prometheus_client import Counter

from ..chassis.attributes import SERVICE as ATTRIBUTES
from ..chassis.events import once
from ..chassis.service import Definition, House, Wiring
from .api import SERVICE, NotificationService
from .events import EXCHANGE, HEARD
from .mail import Mail
from .outgoing import Outgoing
from .people import People
from .push import Push
from .reactions import Reactions
from .sending import Send, Sending
from .settings import NotificationSettings
from .store import Notifications
from .v1.notification_pb2_grpc import add_NotificationServiceServicer_to_server
from .webhooks import Webhooks

USERS = "taskman.user.v1.UserService"


def wire(house: House) -> Wiring:
    """What is asked for and what is heard is written down, and sent from there."""
    settings: NotificationSettings = house.settings
    outgoing = Outgoing(
        settings.send_timeout, settings.private_networks, settings.webhook_authority
    )
    house.closing.push_async_callback(outgoing.close)
    mail = Mail(settings.smtp_url.get_secret_value(), settings.mail_from, settings.send_timeout)
    webhooks = Webhooks(outgoing, settings.webhook_key.get_secret_value())
    ways: dict[str, Send] = {"email": mail.send, "webhook": webhooks.send}
    if settings.push_key is not None:
        key = settings.push_key.get_secret_value()
        ways["push"] = Push(outgoing, key, settings.push_contact).send
    ended = Counter(
        "taskman_notifications_total",
        "Notifications that were sent or given up",
        ("type", "status"),
        registry=house.metrics.registry,
    )
    sending = Sending(ways, settings, ended, house.log)
    notifications = Notifications(house.database, sending.wake)
    people = People(
        house.peer("user-service", [(USERS, "GetUser"), (ATTRIBUTES, "GetAttributes")]),
        house.peer("task-service", [(ATTRIBUTES, "GetAttributes")]),
    )
    pep = house.pep(people.about)
    service = NotificationService(notifications, people, webhooks, pep, "push" in ways)
    reactions = Reactions(notifications, people, pep, settings.public_url, ways)

    async def send() -> NoReturn:
        await sending.run(notifications)

    return Wiring(
        servicers=((add_NotificationServiceServicer_to_server, service, SERVICE),),
        subscriptions=(once(house.database, HEARD, reactions.hear),),
        jobs=(send,),
    )


SERVICE_DEFINITION = Definition(
    "notification-service",
    "taskman.notification",
    (EXCHANGE, *HEARD.bindings),
    wire,
    NotificationSettings,
)
