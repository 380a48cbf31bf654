"""Who holds which role, for decision points (`taskman_authz.v1.BindingService`): all of it at once;
changes are told as events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from taskman_authz.v1 import attributes_pb2 as wire
from taskman_authz.v1 import attributes_pb2_grpc as rpc

from ..chassis.attributes import require_service
from ..chassis.fields import stamp
from .store import Roles


class Bindings(rpc.BindingServiceServicer):
    """Tells services that work for no company what everybody holds."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    async def Snapshot(
        self, _request: wire.SnapshotRequest, _context: Any
    ) -> AsyncIterator[wire.SubjectRoles]:
        """Everybody, one after the other."""
        require_service()
        async for each in self._roles.everybody():
            yield wire.SubjectRoles(
                company_id=each.company_id,
                subject=f"user:{each.user_id}",
                version=each.version,
                roles=[
                    wire.SubjectRoles.Role(name=held.name, expires_at=stamp(held.expires_at))
                    for held in each.held
                ],
            )
