"""The questions of `embedded.py`, asked of a running sidecar. Start it first: `make run`.

.venv/bin/python examples/sidecar_client.py [ADDRESS]
"""

from __future__ import annotations

import sys

from embedded import QUESTIONS  # type: ignore[import-not-found]  # the file beside this one

from taskman_authz.client import Client
from taskman_authz.errors import UnavailableError


def main(address: str = "127.0.0.1:50051") -> int:
    """Ask, and print the answers with their reasons."""
    with Client(address) as pdp:
        for question, request in QUESTIONS.items():
            try:
                decision = pdp.check(**request)
            except UnavailableError as error:
                print(f"{question}: denied, {error}", file=sys.stderr)
                return 1
            print(f"{question}: {'allowed' if decision else 'denied'}")
            for reason in decision.reasons:
                print(f"  {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
