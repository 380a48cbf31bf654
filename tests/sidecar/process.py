"""A real sidecar process for a test: started on a free port, heard through its log, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from taskman_authz_sidecar.http2 import missing

PATIENCE = 30.0  # seconds until a test gives up waiting; nothing here takes one

# The transport on libnghttp2, where it can be had here; in CI it can.
FAST = pytest.param(
    "fast",
    marks=pytest.mark.skipif(
        bool(missing()) and not os.environ.get("CI"),
        reason=f"no transport on libnghttp2: {missing()}",
    ),
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Process:
    """A process whose standard error is its log, and what it has said so far."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._is_over = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            with self._heard:
                # Everything it logs is JSON; what ends it is said in words.
                self.said.append(json.loads(line) if line[0] == "{" else {"message": line})
                self._heard.notify_all()
        with self._heard:
            self._is_over = True
            self._heard.notify_all()

    def wait_for(self, message: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """The `count`th event with that message, and with these fields."""
        wanted = {"message": message, **fields}.items()

        def events() -> list[dict[str, Any]]:
            return [event for event in self.said if all(event.get(k) == v for k, v in wanted)]

        def over() -> bool:
            return len(events()) >= count or self._is_over

        with self._heard:
            self._heard.wait_for(over, PATIENCE)
        assert len(events()) >= count, f"no `{message}` in {self.said}"
        return events()[count - 1]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it however it is, and close its pipes."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class Sidecar(Process):
    """`python -m taskman_authz_sidecar` with the arguments."""

    def __init__(self, policies: Path | None, *arguments: str, listen: str = "127.0.0.1:0") -> None:
        folder = () if policies is None else ("--policies", str(policies))
        given = ("--listen", listen, "--log-format", "json", *arguments)
        super().__init__("taskman_authz_sidecar", *folder, *given)
        serving = self.wait_for("serving")
        self.addresses: list[str] = serving["listen"]
        self.address = self.addresses[0]
        self.http: list[str] = serving["http_listen"]
        self.metrics: str = serving.get("metrics", "")

    def wait_for_health(self, service: str, status: int) -> None:
        """Follow the health of a service until it has that status."""
        with grpc.insecure_channel(self.address) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            for answer in health_pb2_grpc.HealthStub(channel).Watch(request, timeout=PATIENCE):
                if answer.status == status:
                    return

    def health(self, service: str) -> int:
        """The status of a service now."""
        with grpc.insecure_channel(self.address) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE)
            return int(answer.status)

    def call(self, method: str, data: bytes, timeout: float = PATIENCE, token: str = "") -> bytes:
        """The reply bytes to request bytes."""
        with grpc.insecure_channel(self.address) as channel:
            path = f"/taskman_authz.v1.AuthorizationService/{method}"
            ask: Callable[..., Any] = channel.unary_unary(path, None, None)
            metadata = (("authorization", token),) if token else ()
            reply: bytes = ask(data, timeout=timeout, metadata=metadata)
            return reply
