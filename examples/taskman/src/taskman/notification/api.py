"""The RPCs of notification, each in five beats: who, find, require, decide, save and say."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict

from ..chassis.caller import Caller, caller
from ..chassis.errors import InvalidInput, Refused
from ..chassis.fields import page_token, read_choice, read_id, read_page, read_text, stamp
from ..chassis.pep import Pep
from . import access, letters
from .letters import Letter, Recipient
from .people import People
from .store import Notifications, Wanted
from .templates import Written, read_plain, render
from .v1 import notification_pb2 as wire
from .v1 import notification_pb2_grpc as rpc
from .webhooks import Webhooks

SERVICE = "taskman.notification.v1.NotificationService"


class NotificationService(rpc.NotificationServiceServicer):
    """Answers for notifications. `pushes`: whether web push is set up."""

    def __init__(
        self,
        notifications: Notifications,
        people: People,
        webhooks: Webhooks,
        pep: Pep,
        pushes: bool,
    ) -> None:
        self._notifications = notifications
        self._people = people
        self._webhooks = webhooks
        self._pep = pep
        self._pushes = pushes

    async def SendEmail(self, request: wire.SendEmailRequest, _: Any) -> wire.SendEmailResponse:
        """Write to a user of the company."""
        who = caller()
        to = await self._recipient(who, request)
        await self._pep.require(who, access.EMAIL, access.to_user(to, "email", request.project_id))
        written = await self._written(who, "email", request)
        [letter] = await self._notifications.add([letters.email(to, written)])
        return wire.SendEmailResponse(notification=message(letter))

    async def SendWebhook(
        self, request: wire.SendWebhookRequest, _: Any
    ) -> wire.SendWebhookResponse:
        """Call another system."""
        who = caller()
        url = letters.read_url("url", request.url)
        event = read_text("event_type", request.event_type, 100)
        asked = letters.webhook(who.company, url, event, MessageToDict(request.data))
        await self._pep.require(who, access.WEBHOOK, access.to_system(who.company, url))
        [letter] = await self._notifications.add([asked])
        secret = self._webhooks.secret(who.company)
        return wire.SendWebhookResponse(notification=message(letter), secret=secret)

    async def SendPushNotification(
        self, request: wire.SendPushNotificationRequest, _: Any
    ) -> wire.SendPushNotificationResponse:
        """Tell the browsers of a user."""
        who = caller()
        to = await self._recipient(who, request)
        await self._pep.require(who, access.PUSH, access.to_user(to, "push", request.project_id))
        if not self._pushes:
            raise Refused("web push is not set up here")
        found = letters.pushes(to, await self._written(who, "push", request))
        if not found:
            raise Refused("the user subscribed with no browser")
        added = await self._notifications.add(found)
        return wire.SendPushNotificationResponse(notifications=map(message, added))

    async def GetNotificationHistory(
        self, request: wire.GetNotificationHistoryRequest, _: Any
    ) -> wire.GetNotificationHistoryResponse:
        """A page of what was sent."""
        who = caller()
        user_id = read_id("user_id", request.user_id) if request.user_id else ""
        type = _choice("type", request.type, letters.TYPES)
        status = _choice("status", request.status, letters.STATUSES)
        page = read_page(request.page_size, request.page_token)
        await self._pep.require(who, access.HISTORY, access.history(who.company, user_id))
        wanted = Wanted(user_id or None, type, status)
        found = await self._notifications.page(who.company, wanted, page)
        shown, more = found[: page.size], len(found) > page.size
        last = shown[-1].created_at if more else None
        return wire.GetNotificationHistoryResponse(
            notifications=map(message, shown),
            next_page_token=page_token(last, shown[-1].id) if last else "",
        )

    async def _recipient(self, who: Caller, request: Any) -> Recipient:
        """Whom a request is for."""
        user_id = read_id("user_id", request.user_id)
        to = await self._people.find(who.company, user_id)
        if request.project_id:
            project_id = read_id("project_id", request.project_id)
            await self._people.require_member(who.company, project_id, user_id)
        return to

    async def _written(self, who: Caller, type: str, request: Any) -> Written:
        """What it says."""
        kind = request.WhichOneof("content")
        if kind == "text":
            return read_plain("text", request.text.subject, request.text.body)
        if kind != "template":
            raise InvalidInput("content", "expected a text or a template")
        name = read_text("template.name", request.template.name, 255)
        template = await self._notifications.template(who.company, type, name)
        return render(template, dict(request.template.variables))


def _choice(field: str, text: str, choices: tuple[str, ...]) -> str:
    return read_choice(field, text, choices) if text else ""


def message(letter: Letter) -> wire.Notification:
    """A letter on the wire."""
    same = ("id", "type", "recipient", "subject", "body", "status", "error", "attempts")
    return wire.Notification(
        **{name: getattr(letter, name) for name in same},
        user_id=letter.user_id or "",
        sent_at=stamp(letter.sent_at),
        created_at=stamp(letter.created_at),
    )
