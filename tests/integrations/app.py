"""An example as a process: started on a free port, asked over a real client, ended."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds until a test gives up waiting; nothing here takes two
RUNNING = re.compile(r"running on (?:http://)?127\.0\.0\.1:(\d+)", re.IGNORECASE)


@contextmanager
def running(example: str) -> Iterator[int]:
    """The port at which an example serves until the block ends."""
    command = [sys.executable, str(ROOT / "examples" / example), "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    ports: Queue[int | None] = Queue()
    said: list[str] = []

    def listen() -> None:
        for line in process.stdout or ():
            said.append(line)
            if found := RUNNING.search(line):
                ports.put(int(found[1]))
        ports.put(None)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        port = ports.get(timeout=PATIENCE)
        assert port, f"{example} did not start:\n{''.join(said)}"
        yield port
    finally:
        process.kill()
        process.wait(PATIENCE)
        listener.join(PATIENCE)


def ask(
    port: int, method: str, path: str, user: str | None = None
) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers (their names in lower case) of an answer over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {} if user is None else {"Authorization": f"Bearer {user}"}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, answer.read().decode(), lower
    finally:
        connection.close()
