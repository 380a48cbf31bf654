"""The RPCs of IAM: those about who holds roles in five beats (who, find, require, decide, save and
say), the others asked of the decision point."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..chassis.caller import Caller, caller
from ..chassis.errors import InvalidInput, Refused
from ..chassis.fields import LONGEST_PAGE, read_id, read_text, read_time, stamp
from ..chassis.pep import About, Pep
from . import access
from .forwarding import Forwarding
from .store import Held, Roles
from .v1 import iam_admin_pb2 as wire
from .v1 import iam_admin_pb2_grpc as rpc

SERVICE = "taskman.iam_admin.v1.IAMAdminService"


class IamAdminService(rpc.IAMAdminServiceServicer):
    """Answers for roles."""

    def __init__(self, roles: Roles, forwarding: Forwarding, pep: Pep, about: About) -> None:
        self._roles = roles
        self._forwarding = forwarding
        self._pep = pep
        self._about = about

    # -- who holds roles ---------------------------------------------------------------------------

    async def AssignRoleToUser(
        self, request: wire.AssignRoleToUserRequest, _: Any
    ) -> wire.AssignRoleToUserResponse:
        """Give somebody a role."""
        who = caller()
        user_id, role = read_id("user_id", request.user_id), _role(request.role)
        expires_at = None
        if request.HasField("expires_at"):
            expires_at = read_time("expires_at", request.expires_at)
            if expires_at <= datetime.now(UTC):
                raise InvalidInput("expires_at", "expected a time to come")
        known = await self._known(who, user_id)
        context = access.about_user(user_id, known)
        await self._pep.require(who, access.ASSIGN, access.role(role, who), context)
        if not known.get("is_active"):
            raise Refused("there is no such active user")
        await self._ask("GetRole", name=role)  # or it would be one that no policy knows
        held = await self._roles.assign(who.company, user_id, role, expires_at, who.name)
        return wire.AssignRoleToUserResponse(roles=map(message, held))

    async def RevokeRoleFromUser(
        self, request: wire.RevokeRoleFromUserRequest, _: Any
    ) -> wire.RevokeRoleFromUserResponse:
        """Take a role back."""
        who = caller()
        user_id, role = read_id("user_id", request.user_id), _role(request.role)
        others = await self._roles.other_admins(who.company, user_id)
        context = access.about_user(user_id, await self._known(who, user_id))
        context["remaining_admins"] = others
        await self._pep.require(who, access.REVOKE, access.role(role, who), context)
        held = await self._roles.revoke(who.company, user_id, role, who.name, others)
        return wire.RevokeRoleFromUserResponse(roles=map(message, held))

    async def _known(self, who: Caller, user_id: str) -> Any:
        """What is known of a user of the caller's company."""
        return await self._about(Caller("user", user_id, who.company))

    # -- roles and policies ------------------------------------------------------------------------

    async def CreateRole(self, request: wire.CreateRoleRequest, _: Any) -> wire.CreateRoleResponse:
        """Add a role."""
        answer = await self._ask("CreateRole", role=request.role)
        return wire.CreateRoleResponse(written=answer.written)

    async def UpdateRole(self, request: wire.UpdateRoleRequest, _: Any) -> wire.UpdateRoleResponse:
        """Change one."""
        answer = await self._ask("UpdateRole", role=request.role)
        return wire.UpdateRoleResponse(written=answer.written)

    async def DeleteRole(self, request: wire.DeleteRoleRequest, _: Any) -> wire.DeleteRoleResponse:
        """Remove one."""
        answer = await self._ask("DeleteRole", name=request.name)
        return wire.DeleteRoleResponse(written=answer.written)

    async def ListRoles(self, request: wire.ListRolesRequest, _: Any) -> wire.ListRolesResponse:
        """A page of them."""
        page = _page(request)
        answer = await self._ask("ListRoles", text=request.text, **page)
        return wire.ListRolesResponse(
            entries=answer.entries, next_page_token=answer.next_page_token
        )

    async def CreatePolicy(
        self, request: wire.CreatePolicyRequest, _: Any
    ) -> wire.CreatePolicyResponse:
        """Add a policy."""
        answer = await self._ask("CreatePolicy", policy=request.policy)
        return wire.CreatePolicyResponse(written=answer.written)

    async def UpdatePolicy(
        self, request: wire.UpdatePolicyRequest, _: Any
    ) -> wire.UpdatePolicyResponse:
        """Put another in the place of one."""
        answer = await self._ask("UpdatePolicy", policy=request.policy)
        return wire.UpdatePolicyResponse(written=answer.written)

    async def DeletePolicy(
        self, request: wire.DeletePolicyRequest, _: Any
    ) -> wire.DeletePolicyResponse:
        """Remove one."""
        answer = await self._ask("DeletePolicy", id=request.id)
        return wire.DeletePolicyResponse(written=answer.written)

    async def ListPolicies(
        self, request: wire.ListPoliciesRequest, _: Any
    ) -> wire.ListPoliciesResponse:
        """A page of them."""
        page = _page(request)
        filter = {"text": request.text, "role": request.role, "action": request.action}
        answer = await self._ask("ListPolicies", **page, **filter)
        return wire.ListPoliciesResponse(
            entries=answer.entries, next_page_token=answer.next_page_token
        )

    async def AttachPolicyToRole(
        self, request: wire.AttachPolicyToRoleRequest, _: Any
    ) -> wire.AttachPolicyToRoleResponse:
        """Have a policy apply to a role."""
        answer = await self._ask("AttachPolicy", policy=request.policy, role=request.role)
        return wire.AttachPolicyToRoleResponse(written=answer.written)

    async def DetachPolicyFromRole(
        self, request: wire.DetachPolicyFromRoleRequest, _: Any
    ) -> wire.DetachPolicyFromRoleResponse:
        """Have it apply no more."""
        answer = await self._ask("DetachPolicy", policy=request.policy, role=request.role)
        return wire.DetachPolicyFromRoleResponse(written=answer.written)

    async def _ask(self, method: str, **fields: Any) -> Any:
        return await self._forwarding.ask(caller(), method, fields)


def _page(request: Any) -> dict[str, Any]:
    if not 0 <= request.page_size <= LONGEST_PAGE:
        raise InvalidInput("page_size", f"expected 0 to {LONGEST_PAGE}")
    return {"page_size": request.page_size, "page_token": request.page_token}


def _role(name: str) -> str:
    return read_text("role", name, 255)


def message(held: Held) -> wire.HeldRole:
    """A role that somebody holds, on the wire."""
    return wire.HeldRole(
        name=held.name,
        expires_at=stamp(held.expires_at),
        assigned_by=held.assigned_by,
        assigned_at=stamp(held.assigned_at),
    )
