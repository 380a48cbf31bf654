"""A first decision, in this process: no server, no network.

.venv/bin/python examples/embedded.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taskman_authz import PDP

POLICIES = Path(__file__).parent.parent / "policies" / "taskman"

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


def main() -> None:
    """Ask, and print the answers with their reasons."""
    pdp = PDP.from_path(POLICIES)
    for question, request in QUESTIONS.items():
        decision = pdp.check(**request)
        print(f"{question}: {'allowed' if decision else 'denied'}")
        for reason in decision.reasons:
            print(f"  {reason}")


if __name__ == "__main__":
    main()
