"""What `--demo` adds: two questions through a real client, one allowed and one denied by
`policies/taskman`, with the reasons. The same two as `examples/embedded.py`."""

from __future__ import annotations

from typing import Any

from taskman_authz.client import AsyncClient

DEVELOPER = {"type": "user", "id": "dev", "roles": ["developer"], "department": "engineering"}
QUESTIONS: dict[str, dict[str, Any]] = {
    "dev edits their own task": {
        "subject": DEVELOPER,
        "action": "tasks:edit",
        "resource": {"type": "tasks", "id": "1", "owner": "dev"},
    },
    "dev deletes somebody else's task": {
        "subject": DEVELOPER,
        "action": "tasks:delete",
        "resource": {"type": "tasks", "id": "2", "owner": "ann", "status": "todo"},
    },
}


async def ask(addresses: list[str]) -> None:
    """Ask the sidecar at the first address, and print on standard output."""
    async with AsyncClient(addresses[0]) as client:
        for question, request in QUESTIONS.items():
            decision = await client.check(**request)
            print(f"{question}: {'allowed' if decision else 'denied'}")
            for reason in decision.reasons:
                print(f"  {reason}")
    print(f"serving at {', '.join(addresses)} until interrupted", flush=True)
