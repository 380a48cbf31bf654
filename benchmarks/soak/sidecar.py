"""The sidecar that is soaked, and what is done to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from tests.sidecar.authority import Authority

WORKERS = 2
PATIENCE = 60.0  # seconds until it must serve, or have ended
KIBIBYTE = 1_024


class Sidecar:
    """`taskman-authz serve` on a free port, with policies and, if it `logs`, decision logs in
    `folder`. In TLS, `root` is the certificate of its authority, in PEM."""

    def __init__(self, folder: Path, document: str, logs: bool = True, tls: bool = False) -> None:
        self._policies = folder / "policies"
        self._policies.mkdir()
        self.write(document)
        self.said: Counter[str] = Counter()
        self.killed: list[float] = []  # when
        command = [sys.executable, "-m", "taskman_authz_sidecar", "--log-format", "json"]
        command += ["--policies", str(self._policies), "--listen", "127.0.0.1:0"]
        command += ["--workers", str(WORKERS), "--reload-interval", "0"]
        if logs:
            command += ["--decision-log", str(folder / "decisions.jsonl")]
        self.root: bytes | None = None
        if tls:
            authority = Authority()
            command += authority.issue().write(folder)
            self.root = authority.pem
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._serving = threading.Event()
        self.address = self.transport = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if not self._serving.wait(PATIENCE) or not self.address:
            sys.exit("soak: the sidecar does not start")

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            event = json.loads(line) if line.startswith("{") else {"message": line}
            self.said[event["message"]] += 1
            self.transport = event.get("transport", self.transport)
            if event["message"] == "serving":
                self.address = event["listen"][0]
                self._serving.set()
        self._serving.set()

    def write(self, document: str) -> None:
        """Put a document in the place of the one that is there, in one step."""
        aside = self._policies.with_name("aside")
        aside.write_text(document, encoding="utf-8")
        aside.replace(self._policies / "policies.yaml")

    def reload(self, document: str) -> None:
        """Write a document, and have it read."""
        self.write(document)
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> list[int]:
        """The ids of its workers, the oldest first."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sorted(map(int, children), key=_began)

    def kill_worker(self) -> None:
        """End the youngest worker as it stands: the oldest shows what grows."""
        workers = self.workers()
        if len(workers) == WORKERS:
            self.killed.append(time.monotonic())
            os.kill(workers[-1], signal.SIGKILL)

    def memory(self) -> dict[int, int]:
        """Bytes that each of its processes has in memory. (Those that it shares with others count
        in full: a fair part of them grows when another process ends.)"""
        return {pid: _memory(pid) for pid in (self.process.pid, *self.workers())}

    def stop(self) -> int:
        """End it in order. Gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return status

    def kill(self) -> None:
        """Whatever happened, leave nothing running."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _began(pid: int) -> int:
    """When a process began, in ticks since the machine did."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return sys.maxsize


def _memory(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) * KIBIBYTE if found else 0  # one that has just ended has none
