"""Promises of PolicyAdministration: writes through a compile, by who may, in one company."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from taskman_authz.policy import Role
from taskman_authz.store.postgres import Create, Put
from taskman_authz.v1 import administration_pb2 as pb
from tests.control_plane.asking import SOON, allowed, until
from tests.policy.helpers import policy
from tests.sidecar.process import PATIENCE, Sidecar
from tests.store.postgres.states import query

GATEWAY, OTHER = "gateway-token-of-the-test", "other-token-of-the-test"
SETTINGS = (
    *("--administration", "true", "--administration-callers", "token:gateway"),
    *("--tokens", f"gateway {GATEWAY}\nother {OTHER}", "--reload-interval", "0.2"),
)
EDIT = pb.Policy(
    id="edit", effect="allow", actions=["tasks:edit"], resources=["tasks/*"], roles=["dev"]
)
WRONG = pb.Policy(
    id="wrong", effect="allow", actions=["tasks:edit"], resources=["tasks/*"], roles=["nobody"]
)


class Admin:
    """Somebody who administers over a sidecar."""

    def __init__(self, sidecar: Sidecar, company: str, role: str = "admin") -> None:
        self.sidecar = sidecar
        self.company = company
        self.actor = pb.Actor(subject="user:ann", company_id=company)
        self.actor.properties["roles"] = [role]

    def ask(self, method: str, token: str = GATEWAY, **fields: Any) -> Any:
        """The answer of a method. Raises grpc.RpcError."""
        given = {"actor": self.actor, "company_id": self.company, **fields}
        request = getattr(pb, f"{method}Request")(**given)
        with grpc.insecure_channel(self.sidecar.address) as channel:
            call = channel.unary_unary(
                f"/taskman_authz.v1.PolicyAdministration/{method}",
                lambda message: message.SerializeToString(),
                getattr(pb, f"{method}Response").FromString,
            )
            metadata = (("authorization", f"Bearer {token}"),)
            return call(request, metadata=metadata, timeout=PATIENCE)

    def refused(self, method: str, **fields: Any) -> grpc.RpcError:
        """Why there is no answer."""
        with pytest.raises(grpc.RpcError) as caught:
            self.ask(method, **fields)
        return caught.value


@pytest.fixture
async def sidecar(platform, start) -> Sidecar:
    """A sidecar where admins administer, each in their company."""
    everything = ["policies:*", "roles:*"]
    rooms = ["policies/*", "roles/*"]
    await platform.write(
        [
            Put(Role(name="dev")),
            Create(Role(name="admin")),
            Create(policy("admins", roles=["admin"], actions=everything, resources=rooms)),
        ]
    )
    return start(*SETTINGS)


def code(error: grpc.RpcError) -> str:
    return error.code().name


def violations(error: grpc.RpcError) -> list[tuple[str, str]]:
    """The fields at fault, of the details of a refusal."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    wrong = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(wrong)
    return [(each.field, each.description) for each in wrong.field_violations]


async def test_a_policy_is_written_read_changed_and_taken_away(sidecar):
    acme = Admin(sidecar, "acme")
    written = acme.ask("CreatePolicy", policy=EDIT).written
    assert [(i.change, i.kind, i.company_id, i.name) for i in written.items] == [
        ("created", "policy", "acme", "edit")
    ]
    assert acme.ask("GetPolicy", id="edit").entry.policy == EDIT
    ids = [each.policy.id for each in acme.ask("ListPolicies").entries]
    assert ids == ["admins", "edit", "view"]
    page = acme.ask("ListPolicies", page_size=2)
    rest = acme.ask("ListPolicies", page_size=2, page_token=page.next_page_token)
    assert [each.policy.id for each in rest.entries] == ["view"] and not rest.next_page_token
    acme.ask("DetachPolicy", policy="edit", role="dev", expected_revision=written.revision)
    assert list(acme.ask("GetPolicy", id="edit").entry.policy.roles) == []
    acme.ask("AttachPolicy", policy="edit", role="dev")
    acme.ask("DeletePolicy", id="edit")
    assert code(acme.refused("GetPolicy", id="edit")) == "NOT_FOUND"
    assert acme.ask("ListRevisions").revisions[0].actor == "user:ann"


async def test_what_was_written_is_decided_by_in_its_company_only(sidecar):
    Admin(sidecar, "acme").ask("CreatePolicy", policy=EDIT)
    token = f"Bearer {GATEWAY}"
    await until(lambda: allowed_by(sidecar, token, "acme"), SOON)
    assert not allowed_by(sidecar, token, "globex")


def allowed_by(sidecar: Sidecar, token: str, company: str) -> bool:
    return allowed(sidecar, "tasks:edit", company=company, token=token)


async def test_what_does_not_compile_is_refused_with_its_place_and_not_written(sidecar):
    acme = Admin(sidecar, "acme")
    error = acme.refused("CreatePolicy", policy=WRONG)
    assert code(error) == "INVALID_ARGUMENT"
    ((place, said),) = violations(error)
    assert place.startswith("company:acme/policy:wrong") and "unknown role `nobody`" in said
    issues = acme.ask("Validate", edits=[pb.Edit(create_policy=WRONG)]).issues
    assert [each.code for each in issues] == ["unknown_role"]
    assert code(acme.refused("GetPolicy", id="wrong")) == "NOT_FOUND"


async def test_conflicts_have_codes_of_their_own(sidecar):
    acme = Admin(sidecar, "acme")
    first = acme.ask("CreatePolicy", policy=EDIT).written.revision
    assert code(acme.refused("CreatePolicy", policy=EDIT)) == "ALREADY_EXISTS"
    acme.ask("CreateRole", role=pb.Role(name="ops"))
    stale = acme.refused("DeletePolicy", id="edit", expected_revision=first)
    assert code(stale) == "ABORTED"
    assert code(acme.refused("UpdateRole", role=pb.Role(name="none"))) == "NOT_FOUND"
    assert code(acme.refused("Rollback", revision=99)) == "NOT_FOUND"


async def test_a_dry_run_tells_what_would_be_decided_otherwise(sidecar):
    acme = Admin(sidecar, "acme")
    edit = pb.Edit(create_policy=EDIT)
    request = {"subject": "user:1", "action": "tasks:edit", "resource": "tasks/1"}
    asked = {**request, "company_id": "acme", "subject_properties": {"roles": ["dev"]}}
    answer = acme.ask("DryRun", edits=[edit], requests=[asked])
    (flip,) = answer.flips
    assert (flip.index, flip.before.allowed, flip.after.allowed) == (0, False, True)
    other = {**asked, "company_id": "globex"}
    assert code(acme.refused("DryRun", edits=[edit], requests=[other])) == "INVALID_ARGUMENT"


async def test_a_rollback_brings_back_what_was(sidecar):
    acme = Admin(sidecar, "acme")
    before = acme.ask("CreatePolicy", policy=EDIT).written.revision
    acme.ask("DeletePolicy", id="edit")
    acme.ask("Rollback", revision=before)
    assert acme.ask("GetPolicy", id="edit").entry.policy == EDIT


async def test_nobody_administers_what_they_may_not(sidecar):
    denied = Admin(sidecar, "acme", role="dev").refused("CreatePolicy", policy=EDIT)
    assert code(denied) == "PERMISSION_DENIED" and "policies:create" in denied.details()
    acme = Admin(sidecar, "acme")
    for company in ("globex", ""):
        other = acme.refused("CreatePolicy", policy=EDIT, company_id=company)
        assert code(other) == "PERMISSION_DENIED"
    assert code(acme.refused("CreatePolicy", token=OTHER, policy=EDIT)) == "PERMISSION_DENIED"
    itself = acme.refused("CreatePolicy", token=OTHER, policy=EDIT, actor=None)
    assert code(itself) == "PERMISSION_DENIED"
    assert code(acme.refused("ListPolicies", token="nobody")) == "UNAUTHENTICATED"


async def test_companies_with_policies_of_one_name_do_not_see_each_others(sidecar):
    acme, globex = Admin(sidecar, "acme"), Admin(sidecar, "globex")
    other = pb.Policy()
    other.CopyFrom(EDIT)
    other.actions[:] = ["tasks:delete"]
    acme.ask("CreatePolicy", policy=EDIT)
    globex.ask("CreatePolicy", policy=other)
    assert acme.ask("GetPolicy", id="edit").entry.policy == EDIT
    assert globex.ask("GetPolicy", id="edit").entry.policy == other
    acme.ask("DeletePolicy", id="edit")
    assert globex.ask("GetPolicy", id="edit").entry.company_id == "globex"
    companies = {each.company_id for each in acme.ask("ListRevisions").revisions}
    assert "globex" not in companies


async def test_its_user_of_the_database_may_change(tmp_path, database, dsn, platform, start):
    everything = policy("all", roles=["admin"], actions=["policies:*"], resources=["policies/*"])
    await platform.write([Create(Role(name="admin")), Create(everything)])
    file = tmp_path / "dsn"
    file.write_text(f"{dsn}\n")
    sidecar = start(*SETTINGS, "--database", f"file:{file}")
    acme = Admin(sidecar, "acme")
    acme.ask("ListPolicies")
    await query(database, "CREATE ROLE rotated LOGIN NOINHERIT")
    try:
        await query(database, "GRANT authz_service, authz_platform TO rotated")
        file.write_text(dsn.replace("sidecar@", "rotated@"))
        await query(database, "ALTER ROLE sidecar NOLOGIN")
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sidecar'"
        await query(database, ended)

        def listed() -> bool:
            try:
                return bool(acme.ask("ListPolicies").entries)
            except grpc.RpcError as error:
                assert code(error) == "UNAVAILABLE"
                return False

        await until(listed)
    finally:
        sidecar.kill()
        await query(database, "ALTER ROLE sidecar LOGIN")
        await query(database, "DROP ROLE rotated")


async def test_while_the_database_is_away_it_says_unavailable_and_then_goes_on(sidecar, postgresql):
    acme = Admin(sidecar, "acme")
    postgresql.stop()
    assert code(acme.refused("CreatePolicy", policy=EDIT)) == "UNAVAILABLE"
    postgresql.revive()

    def written() -> bool:
        try:
            acme.ask("CreatePolicy", policy=EDIT)
        except grpc.RpcError as error:
            assert code(error) in ("UNAVAILABLE", "ALREADY_EXISTS")
            return code(error) == "ALREADY_EXISTS"
        return True

    await until(written)
