"""Who owns attributes and roles: a gRPC server of the test's own, that tells what it was asked and
does what the test wants (is slow, is away, comes back)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from taskman_authz.v1 import attributes_pb2 as pb
from taskman_authz.v1 import attributes_pb2_grpc as services

Asked = tuple[str, list[tuple[str, str, tuple[str, ...]]]]  # company; type, id, names of each
KINDS = {"subject": pb.EntityRequest.KIND_SUBJECT, "resource": pb.EntityRequest.KIND_RESOURCE}


class Owner(services.AttributeServiceServicer, services.BindingServiceServicer):
    """Knows `entities`, by company, type and id, and `roles`: company, subject, version, names."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self._credentials = credentials
        self.entities: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.roles: list[tuple[str, str, int, tuple[str, ...]]] = []
        self.asked: list[Asked] = []
        self.snapshots = 0
        self.shown: list[str] = []  # tokens of who asked
        self.spoil: Callable[[pb.GetAttributesResponse], object] = lambda _answer: None
        self.goes_on = threading.Event()  # cleared: who asks waits
        self.goes_on.set()
        # How many must be asking at a time until any is answered.
        self.together = threading.Barrier(1)
        self.port = 0
        self._server: grpc.Server | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer, at the address of before."""
        self._server = grpc.server(ThreadPoolExecutor(50), options=[("grpc.so_reuseport", 0)])
        services.add_AttributeServiceServicer_to_server(self, self._server)
        services.add_BindingServiceServicer_to_server(self, self._server)
        address = f"127.0.0.1:{self.port}"
        if self._credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, self._credentials)
        self._server.start()

    def stop(self) -> None:
        """Be away."""
        self.goes_on.set()
        if self._server is not None:
            self._server.stop(None).wait()

    def GetAttributes(self, request: pb.GetAttributesRequest, context: Any) -> Any:
        company = request.company_id
        self.shown += _tokens(context)
        self.asked.append((company, [(e.type, e.id, tuple(e.names)) for e in request.entities]))
        self.goes_on.wait()
        self.together.wait()
        answer = pb.GetAttributesResponse()
        for entity in request.entities:
            told = answer.entities.add()
            known = self.entities.get((company, entity.type, entity.id))
            if known is not None:
                told.properties.update(known)
        self.spoil(answer)
        return answer

    def Snapshot(self, request: pb.SnapshotRequest, context: Any) -> Iterator[pb.SubjectRoles]:
        self.goes_on.wait()
        self.shown += _tokens(context)
        self.snapshots += 1
        for company, subject, version, names in list(self.roles):
            roles = [pb.SubjectRoles.Role(name=name) for name in names]
            yield pb.SubjectRoles(company_id=company, subject=subject, version=version, roles=roles)


def _tokens(context: Any) -> list[str]:
    return [value for key, value in context.invocation_metadata() if key == "authorization"]
