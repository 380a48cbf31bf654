"""Promises of notification: who should be told is told, once; nobody else is."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import http_ece
import jwt
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from taskman.authentication.app import SERVICE_DEFINITION as AUTHENTICATION
from taskman.authentication.v1 import authentication_pb2
from taskman.authentication.v1.authentication_pb2_grpc import AuthenticationServiceStub
from taskman.chassis.errors import Denied, InvalidInput, NotFound, Refused, Unauthenticated
from taskman.chassis.service import Service
from taskman.notification.app import SERVICE_DEFINITION
from taskman.notification.letters import NotSent
from taskman.notification.outgoing import Outgoing
from taskman.notification.v1 import notification_pb2 as wire
from taskman.notification.v1.notification_pb2_grpc import NotificationServiceStub
from taskman.task.app import SERVICE_DEFINITION as TASK
from taskman.task.v1 import task_pb2
from taskman.task.v1.task_pb2_grpc import TaskServiceStub
from taskman.user.app import SERVICE_DEFINITION as USER
from taskman.user.v1 import user_pb2
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import (
    SECRET,
    Heard,
    Who,
    World,
    call,
    known,
    service_metadata,
    until,
)
from examples.taskman.tests.receivers import Refusing, Web, web
from taskman_authz.messaging import Event
from tests.sidecar.authority import Authority
from tools.servers.processes import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
PUSH_KEY = base64.urlsafe_b64encode(bytes(range(1, 33))).decode()
FAST = {"send_pause": 0.01, "send_interval": 0.02}


class Desk(NamedTuple):
    service: Service
    users: Service
    stub: Any
    user_stub: Any
    tasks: Any
    authentication: Any
    heard: Heard
    mail: Refusing
    web: Web
    world: World

    async def history(self, who: Who, **fields: Any) -> list[wire.Notification]:
        request = wire.GetNotificationHistoryRequest(**fields)
        return [*(await call(self.stub.GetNotificationHistory, request, who)).notifications]

    async def email(self, who: Any, to: Who, **fields: Any) -> wire.Notification:
        given = {"text": wire.Text(subject="Hello", body="How are you?")} | fields
        request = wire.SendEmailRequest(user_id=to.id, **given)
        return (await call(self.stub.SendEmail, request, who)).notification

    async def webhook(self, who: Any, path: str, **fields: Any) -> wire.SendWebhookResponse:
        given = {"url": f"{self.web.url}/{path}", "event_type": "task.completed"} | fields
        request = wire.SendWebhookRequest(**given)
        request.data.update({"task_id": "7"})
        return await call(self.stub.SendWebhook, request, who)

    async def prefer(self, who: Who, **preferences: Any) -> None:
        change = user_pb2.User()
        change.preferences.preferences.update(preferences)
        request = user_pb2.UpdateUserRequest(user_id=who.id, user=change)
        request.update_mask.paths.append("preferences")
        await call(self.user_stub.UpdateUser, request, who)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(blank: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority = Authority()
    authority.issue().write(folder)
    (folder / "ca.pem").write_bytes(authority.pem)
    with Refusing() as box:
        async with web(folder / "key.pem", folder / "cert.pem", free_port) as calls:
            try:
                yield await _desk(blank, box, calls, folder / "ca.pem")
            finally:
                await blank.close()


async def _desk(blank: World, box: Refusing, calls: Web, authority: Path) -> Desk:
    heard = await blank.hear("notification.events", "user.events", "task.events")
    users = await blank.start(USER)
    tasks = await blank.start(TASK, peers={"user-service": users.address})
    authentication = await blank.start(
        AUTHENTICATION, peers={"user-service": users.address}, key_secret=SECRET, bcrypt_cost=4
    )
    service = await blank.start(
        SERVICE_DEFINITION,
        peers={"user-service": users.address, "task-service": tasks.address},
        smtp_url=box.url, public_url="https://tasks.example", mail_from="TaskMan <us@example.com>",
        webhook_key=SECRET, push_key=PUSH_KEY, push_contact="mailto:us@example.com",
        private_networks=["127.0.0.0/8", "::1/128"], webhook_authority=authority,
        send_attempts=3, **FAST,
    )  # fmt: skip
    return Desk(
        service,
        users,
        NotificationServiceStub(await blank.channel(service.address)),
        UserServiceStub(await blank.channel(users.address)),
        TaskServiceStub(await blank.channel(tasks.address)),
        AuthenticationServiceStub(await blank.channel(authentication.address)),
        heard,
        box,
        calls,
        blank,
    )


class Team(NamedTuple):
    admin: Who
    manager: Who
    developer: Who
    project: str

    @staticmethod
    def mail(who: Who) -> str:
        return f"{who.id}@example.com"


async def team(desk: Desk) -> Team:
    """A company with a project of its manager's, in which its developer works."""
    admin = await known(desk.users, "admin")
    manager = await known(desk.users, "project-manager", company_id=admin.company_id)
    developer = await known(desk.users, "developer", company_id=admin.company_id)
    asked = task_pb2.CreateProjectRequest(name="Apollo", members=[developer.id])
    project = (await call(desk.tasks.CreateProject, asked, manager)).project
    return Team(admin, manager, developer, project.id)


async def task_of(desk: Desk, who: Who, project: str) -> task_pb2.Task:
    asked = task_pb2.CreateTaskRequest(title="Land on the moon", project_id=project)
    return (await call(desk.tasks.CreateTask, asked, who)).task


async def ended(desk: Desk, notification: wire.Notification) -> Event:
    """What is told when a notification has come to its end."""
    kinds = (f"{notification.type}.sent", f"{notification.type}.failed")

    def is_it(event: Event) -> bool:
        return event.data.get("notification_id") == notification.id

    ends = [asyncio.create_task(desk.heard.one(kind, is_it)) for kind in kinds]
    done, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    return done.pop().result()


# -- the four reactions ----------------------------------------------------------------------------


async def test_who_is_new_is_welcomed_and_sets_a_password_by_the_link_that_is_sent(desk):
    company = await team(desk)
    address = f"new-{uuid.uuid4()}@example.com"
    asked = user_pb2.CreateUserRequest(email=address, username=address.partition("@")[0])
    user = (await call(desk.user_stub.CreateUser, asked, company.admin)).user
    welcome = await desk.mail.one(address, "Welcome")
    assert user.username in welcome.get_content()
    assert (welcome["From"], welcome["Auto-Submitted"]) == (
        "TaskMan <us@example.com>", "auto-generated",
    )  # fmt: skip

    reset = authentication_pb2.ResetPasswordRequest(email=address)
    await call(desk.authentication.ResetPassword, reset)
    mail = await desk.mail.one(address, "Set your password")
    found = re.search(r"https://tasks\.example/auth/password\?token=(\S+)", mail.get_content())
    assert found
    step = authentication_pb2.ResetPasswordRequest()
    step.set.token, step.set.password = found[1], "correct horse battery staple"
    await call(desk.authentication.ResetPassword, step)
    login = authentication_pb2.LoginRequest(email=address, password=step.set.password)
    assert (await call(desk.authentication.Login, login)).tokens.access_token

    [shown] = [
        each
        for each in await desk.history(company.admin, user_id=user.id)
        if each.subject == "Set your password"
    ]
    assert "***" in shown.body
    assert found[1] not in shown.body  # who reads histories does not get into accounts
    async with desk.service.database.platform() as transaction:
        kept = await transaction.fetchval(
            "SELECT content FROM notification_logs WHERE id = $1", shown.id
        )
    assert kept is None


async def test_who_gets_a_task_and_whose_task_is_done_is_told_but_not_by_themselves(desk):
    company = await team(desk)
    task = await task_of(desk, company.manager, company.project)
    assign = task_pb2.AssignTaskRequest(task_id=task.id, assignee_id=company.developer.id)
    await call(desk.tasks.AssignTask, assign, company.manager)
    given = await desk.mail.one(company.mail(company.developer))
    assert given["Subject"] == "Yours now: Land on the moon"
    assert f"https://tasks.example/tasks/{task.id}" in given.get_content()

    for status in ("doing", "done"):
        change = task_pb2.UpdateTaskRequest(task_id=task.id, task=task_pb2.Task(status=status))
        change.update_mask.paths.append("status")
        await call(desk.tasks.UpdateTask, change, company.developer)
    done = await desk.mail.one(company.mail(company.manager))
    assert done["Subject"] == "Done: Land on the moon"

    own = await task_of(desk, company.developer, company.project)
    assign = task_pb2.AssignTaskRequest(task_id=own.id, assignee_id=company.developer.id)
    await call(desk.tasks.AssignTask, assign, company.developer)
    await desk.heard.one("task.assigned", lambda event: event.data["task_id"] == own.id)
    last = await desk.email(company.admin, company.developer)
    await ended(desk, last)
    subjects = [
        each.subject for each in await desk.history(company.developer, user_id=company.developer.id)
    ]
    assert subjects == ["Hello", "Yours now: Land on the moon"]


async def test_an_event_that_comes_again_is_told_once(desk):
    company = await team(desk)
    data = {"task_id": str(uuid.uuid4()), "title": "Twice", "assignee_id": company.developer.id}
    event = Event(type="task.assigned", company_id=company.admin.company_id, data=data)
    await desk.world.tell("task.events", event, times=3)
    await desk.mail.one(company.mail(company.developer), "Twice")
    after = msgspec.structs.replace(event, id=str(uuid.uuid4()), data={**data, "title": "After"})
    await desk.world.tell("task.events", after)
    await desk.mail.one(company.mail(company.developer), "After")
    shown = await desk.history(company.developer, user_id=company.developer.id)
    assert [each.subject for each in shown] == ["Yours now: After", "Yours now: Twice"]


async def test_who_opted_out_is_left_alone_but_for_what_keeps_their_account_safe(desk):
    company = await team(desk)
    await desk.prefer(company.developer, email_notifications=False)
    task = await task_of(desk, company.manager, company.project)
    assign = task_pb2.AssignTaskRequest(task_id=task.id, assignee_id=company.developer.id)
    await call(desk.tasks.AssignTask, assign, company.manager)
    reset = authentication_pb2.ResetPasswordRequest(email=company.mail(company.developer))
    await call(desk.authentication.ResetPassword, reset)
    await desk.mail.one(company.mail(company.developer), "Set your password")
    with pytest.raises(Denied):
        await desk.email(company.admin, company.developer)
    assert len(desk.mail.to(company.mail(company.developer))) == 1


async def test_a_user_who_is_gone_is_told_nothing_and_the_queue_goes_on(desk):
    company = await team(desk)
    data = {"task_id": "7", "title": "Gone", "assignee_id": str(uuid.uuid4())}
    given: dict[str, Any] = {"type": "task.assigned", "company_id": company.admin.company_id}
    await desk.world.tell("task.events", Event(**given, data=data))
    data |= {"title": "Here", "assignee_id": company.developer.id}
    await desk.world.tell("task.events", Event(**given, data=data))
    await desk.mail.one(company.mail(company.developer), "Here")
    assert [each.subject for each in await desk.history(company.admin)] == ["Yours now: Here"]


# -- e-mail ----------------------------------------------------------------------------------------


async def test_an_email_goes_to_a_user_of_the_company_and_is_told(desk):
    company = await team(desk)
    written = await desk.email(company.admin, company.developer)
    assert (written.status, written.user_id) == ("pending", company.developer.id)
    mail = await desk.mail.one(company.mail(company.developer))
    assert mail.get_content().strip() == "How are you?"
    assert written.id in mail["Message-ID"]
    event = await ended(desk, written)
    assert (event.type, event.company_id) == ("email.sent", company.admin.company_id)
    assert "body" not in event.data
    [shown] = await desk.history(company.developer, user_id=company.developer.id)
    assert (shown.status, shown.attempts, shown.body) == ("sent", 1, "How are you?")
    assert shown.HasField("sent_at")
    assert b'taskman_notifications_total{status="sent",type="email"}' in (
        desk.service.metrics.exposed()
    )


async def test_whom_one_may_write_to_is_the_policies_to_say(desk):
    company, others = await team(desk), await team(desk)
    await desk.email(company.manager, company.developer, project_id=company.project)
    with pytest.raises(Denied):
        await desk.email(company.manager, company.developer)  # about no project
    with pytest.raises(Denied):
        await desk.email(company.developer, company.manager, project_id=company.project)
    with pytest.raises(InvalidInput, match="works in the project"):
        await desk.email(company.manager, company.admin, project_id=company.project)
    for wrong in (
        desk.email(company.admin, others.developer),
        desk.email(company.manager, company.developer, project_id=others.project),
    ):
        with pytest.raises(NotFound):
            await wrong
    with pytest.raises(Unauthenticated):
        await desk.email((), company.developer)
    told_by_a_service = service_metadata("task-service", company.admin.company_id)
    await desk.email(told_by_a_service, company.developer)
    with pytest.raises(Denied):
        await desk.email(
            service_metadata("audit-service", company.admin.company_id), company.developer
        )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"user_id": "7"}, "user_id"),
        ({"text": wire.Text(subject="", body="b")}, "text.subject"),
        ({"text": wire.Text(subject="s", body="b" * 10_001)}, "text.body"),
        ({"text": None}, "content"),
        ({"project_id": "7"}, "project_id"),
        ({"template": wire.Template(name="welcome", variables={"username": "x"})},
         "template.variables"),
        ({"template": wire.Template(name="welcome", variables=dict.fromkeys(
            ("username", "link", "more"), "x"))}, "template.variables"),
        ({"template": wire.Template(name="welcome", variables={
            "username": "x" * 2_001, "link": "y"})}, "template.variables.username"),
    ],
)  # fmt: skip
async def test_what_is_wrong_in_a_request_is_named(desk, fields, place):
    company = await team(desk)
    given = {"user_id": company.developer.id, "text": wire.Text(subject="s", body="b")}
    if "template" in fields:
        del given["text"]
    request = wire.SendEmailRequest(**{**given, **fields})
    with pytest.raises(InvalidInput) as caught:
        await call(desk.stub.SendEmail, request, company.admin)
    assert caught.value.field == place
    assert await desk.history(company.admin) == []


async def test_a_subject_is_one_line_whatever_it_holds(desk):
    company = await team(desk)
    text = wire.Text(subject="Hi\r\nBcc: everybody@example.com", body="b")
    await desk.email(company.admin, company.developer, text=text)
    mail = await desk.mail.one(company.mail(company.developer))
    assert (mail["Subject"], mail["Bcc"]) == ("Hi Bcc: everybody@example.com", None)


async def test_a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(desk):
    company = await team(desk)
    desk.mail.refusals += ["451 later", "451 later"]
    written = await desk.email(company.admin, company.developer)
    assert (await ended(desk, written)).data["attempts"] == 3
    desk.mail.refusals += ["554 never"]
    written = await desk.email(company.admin, company.developer)
    event = await ended(desk, written)
    assert (event.type, event.data["attempts"]) == ("email.failed", 1)
    assert event.data["error"] == "the mail server answered 554"
    desk.mail.refusals += ["451 later"] * 3
    written = await desk.email(company.admin, company.developer)
    event = await ended(desk, written)
    assert (event.type, event.data["attempts"]) == ("email.failed", 3)
    failed = await desk.history(company.admin, status="failed")
    [given_up] = [each for each in failed if each.id == written.id]
    assert given_up.error == "the mail server answered 451"


async def test_an_address_that_is_none_is_given_up_and_reaches_nobody(desk):
    company = await team(desk)
    async with desk.users.database.company(company.admin.company_id) as transaction:
        await transaction.execute(
            "UPDATE users SET email = 'a,everybody@example.com' WHERE id = $1",
            company.developer.id,
        )
    before = len(desk.mail.mails)
    event = await ended(desk, await desk.email(company.admin, company.developer))
    assert (event.type, event.data["error"]) == (
        "email.failed", "the recipient's address is none",
    )  # fmt: skip
    assert len(desk.mail.mails) == before


# -- templates -------------------------------------------------------------------------------------


async def test_a_template_of_the_company_comes_before_the_one_of_all(desk):
    company, others = await team(desk), await team(desk)
    async with desk.service.database.company(company.admin.company_id) as transaction:
        await transaction.execute(
            "INSERT INTO notification_templates (name, type, subject, body, variables, company_id)"
            " VALUES ('welcome', 'email', 'Ahoy {{ username | upper }}', '{{ link }}', $1, $2)",
            '[{"name": "username"}, {"name": "link"}]',
            company.admin.company_id,
        )
    template = wire.Template(name="welcome", variables={"username": "dan", "link": "x"})
    for who, to, subject in [
        (company.admin, company.developer, "Ahoy DAN"),
        (others.admin, others.developer, "Welcome to TaskMan, dan"),
    ]:
        assert (await desk.email(who, to, text=None, template=template)).subject == subject
    with pytest.raises(NotFound, match="no such template"):
        await desk.email(
            company.admin, company.developer, text=None, template=wire.Template(name="none")
        )


# -- webhooks --------------------------------------------------------------------------------------


async def test_a_webhook_is_signed_as_its_receiver_verifies_it(desk):
    company, path = await team(desk), f"hook-{uuid.uuid4()}"
    answer = await desk.webhook(company.admin, path)
    [called] = await desk.web.some(f"/{path}")
    assert called.headers["webhook-id"] == answer.notification.id
    stamp = called.headers["webhook-timestamp"]
    key = base64.b64decode(answer.secret.removeprefix("whsec_"))
    signed = f"{answer.notification.id}.{stamp}.".encode() + called.body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert called.headers["webhook-signature"] == f"v1,{expected}"
    said = json.loads(called.body)
    assert (said["type"], said["data"]) == ("task.completed", {"task_id": "7"})
    assert (await ended(desk, answer.notification)).type == "webhook.sent"
    others = await team(desk)
    assert (await desk.webhook(others.admin, path)).secret != answer.secret
    assert (await desk.webhook(company.admin, path)).secret == answer.secret


async def test_a_receiver_that_fails_is_called_again_under_the_same_id(desk):
    company, path = await team(desk), f"hook-{uuid.uuid4()}"
    desk.web.statuses += [503, 302]
    answer = await desk.webhook(company.admin, path)
    calls = await desk.web.some(f"/{path}", 3)
    assert len({called.headers["webhook-id"] for called in calls}) == 1
    assert (await ended(desk, answer.notification)).data["attempts"] == 3
    assert not [called for called in desk.web.calls if called.path == "/elsewhere"]
    desk.web.statuses += [410]
    answer = await desk.webhook(company.admin, path)
    event = await ended(desk, answer.notification)
    assert (event.type, event.data["attempts"]) == ("webhook.failed", 1)


async def test_who_may_call_what_is_the_policies_to_say(desk):
    company = await team(desk)
    with pytest.raises(Denied):
        await desk.webhook(company.manager, "hook")
    with pytest.raises(Denied):  # without TLS
        await desk.webhook(company.admin, "hook", url="http://example.com/hook")
    for url in ("ftp://example.com/", "https://", "https://a@example.com/", "x", "https://h/#a"):
        with pytest.raises(InvalidInput, match="expected https://HOST"):
            await desk.webhook(company.admin, "hook", url=url)


async def test_who_answers_without_a_certificate_that_is_trusted_is_told_nothing(desk):
    outgoing = Outgoing(5.0, desk.service.settings.private_networks)
    try:
        with pytest.raises(NotSent, match="no answer"):
            await outgoing.post(f"{desk.web.url}/untrusted", {}, b"secret")
    finally:
        await outgoing.close()
    assert not [called for called in desk.web.calls if called.path == "/untrusted"]


# -- web push --------------------------------------------------------------------------------------


class Browser(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    auth: bytes
    subscription: dict[str, Any]


def browser(desk: Desk) -> Browser:
    """A browser that subscribed with a push service."""
    key, auth = ec.generate_private_key(ec.SECP256R1()), uuid.uuid4().bytes
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": _base64(point), "auth": _base64(auth)}
    endpoint = f"{desk.web.url}/push-{uuid.uuid4()}"
    return Browser(key, auth, {"endpoint": endpoint, "expirationTime": None, "keys": keys})


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_a_browser_is_told_what_it_alone_can_read(desk):
    company, chrome = await team(desk), browser(desk)
    await desk.prefer(company.developer, push_subscriptions=[chrome.subscription, "junk", {}])
    task = await task_of(desk, company.manager, company.project)
    assign = task_pb2.AssignTaskRequest(task_id=task.id, assignee_id=company.developer.id)
    await call(desk.tasks.AssignTask, assign, company.manager)
    path = chrome.subscription["endpoint"].removeprefix(desk.web.url)
    [called] = await desk.web.some(path)
    opened = http_ece.decrypt(
        called.body, private_key=chrome.key, auth_secret=chrome.auth, version="aes128gcm"
    )
    assert json.loads(opened)["title"] == "Yours now: Land on the moon"
    assert called.headers["ttl"] == "86400"
    found = re.fullmatch(r"vapid t=(\S+), k=(\S+)", called.headers["authorization"])
    assert found
    point = base64.urlsafe_b64decode(found[2] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(found[1], key, ["ES256"], audience=desk.web.url)
    assert claims["sub"] == "mailto:us@example.com"


async def test_a_push_is_sent_on_request_and_given_up_where_the_browser_is_gone(desk):
    company, chrome = await team(desk), browser(desk)
    request = wire.SendPushNotificationRequest(
        user_id=company.developer.id, text=wire.Text(subject="s", body="b" * 9_000)
    )
    with pytest.raises(Refused, match="no browser"):
        await call(desk.stub.SendPushNotification, request, company.admin)
    await desk.prefer(company.developer, push_subscriptions=[chrome.subscription])
    [sent] = (await call(desk.stub.SendPushNotification, request, company.admin)).notifications
    assert (sent.type, sent.recipient) == ("push", "localhost")
    assert (await ended(desk, sent)).type == "push.sent"
    desk.web.statuses += [410]
    [sent] = (await call(desk.stub.SendPushNotification, request, company.admin)).notifications
    event = await ended(desk, sent)
    assert (event.type, event.data["attempts"]) == ("push.failed", 1)
    with pytest.raises(Denied):
        await call(desk.stub.SendPushNotification, request, company.developer)
    await desk.prefer(company.developer, push_notifications=False)
    with pytest.raises(Denied):
        await call(desk.stub.SendPushNotification, request, company.admin)
    with pytest.raises(InvalidInput, match="expected a UUID"):
        await call(
            desk.stub.SendPushNotification, wire.SendPushNotificationRequest(), company.admin
        )


# -- history ---------------------------------------------------------------------------------------


async def test_a_history_is_its_users_and_of_who_looks_after_the_company(desk):
    company, others = await team(desk), await team(desk)
    for _ in range(3):
        await ended(desk, await desk.email(company.admin, company.developer))
    auditor = await known(desk.users, "auditor", company_id=company.admin.company_id)
    for who in (company.developer, company.admin, auditor):
        assert len(await desk.history(who, user_id=company.developer.id)) == 3
    with pytest.raises(Denied):
        await desk.history(company.manager, user_id=company.developer.id)
    with pytest.raises(Denied):
        await desk.history(company.developer)  # everybody's
    assert await desk.history(others.admin, user_id=company.developer.id) == []
    assert await desk.history(company.admin, type="webhook") == []
    first = wire.GetNotificationHistoryRequest(page_size=2)
    page = await call(desk.stub.GetNotificationHistory, first, company.admin)
    first.page_token = page.next_page_token
    rest = await call(desk.stub.GetNotificationHistory, first, company.admin)
    assert (len(page.notifications), len(rest.notifications)) == (2, 1)
    assert not rest.next_page_token
    for wrong in ({"type": "fax"}, {"status": "lost"}, {"page_size": -1}, {"user_id": "7"}):
        with pytest.raises(InvalidInput) as caught:
            await desk.history(company.admin, **wrong)
        assert caught.value.field == next(iter(wrong))


async def test_what_waits_is_sent_by_another_process_when_one_ends(desk):
    company = await team(desk)
    letter = uuid.uuid4()
    async with desk.service.database.company(company.admin.company_id) as transaction:
        await transaction.execute(
            "INSERT INTO notification_logs (id, company_id, type, recipient, content)"
            " VALUES ($1, $2, 'email', 'left@example.com', $3)",
            *(letter, company.admin.company_id, json.dumps({"subject": "Left", "body": "b"})),
        )
    assert await desk.mail.one("left@example.com", "Left")

    async def is_sent() -> bool:
        return bool(await desk.history(company.admin, status="sent"))

    await until(is_sent)
