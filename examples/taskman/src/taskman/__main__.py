"""`python -m taskman SERVICE` runs one service until SIGTERM or SIGINT; `python -m taskman token`
prints a token for programs that ask services."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

import uvloop
from pydantic import ValidationError

from taskman_authz import AuthzError

from .chassis.caller import service_token
from .chassis.service import Definition, run
from .chassis.settings import SECRET

SERVICES = ("audit", "authentication", "gateway", "iam_admin", "notification", "task", "user")


def main() -> int:
    """Run the service that is named; the exit status is 2 for settings that are wrong, 1 for what
    cannot be reached."""
    parser = argparse.ArgumentParser(
        prog="taskman",
        description="Run a service, by settings from the environment (TASKMAN_...); or print a "
        "token by which another program (a sidecar: --source-token) asks services, as NAME.",
    )
    parser.add_argument("service", choices=(*SERVICES, "token"))
    parser.add_argument("--name", default="authorization-service", help="of the token's owner")
    parser.add_argument("--days", type=int, default=30, help="that a token is good for")
    options = parser.parse_args()
    name = options.service
    if name == "token":
        return _token(options.name, options.days)
    definition: Definition = import_module(f"taskman.{name}.app").SERVICE_DEFINITION
    try:
        settings = definition.settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        for each in error.errors(include_input=False):
            place = "__".join(map(str, each["loc"])).upper()
            print(f"TASKMAN_{place}: {each['msg']}", file=sys.stderr)
        return 2
    except AuthzError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        uvloop.run(run(definition, settings))
    except (AuthzError, OSError) as error:
        print(f"{definition.name}: {error}", file=sys.stderr)
        return 1
    return 0


def _token(name: str, days: int) -> int:
    secret = os.environ.get("TASKMAN_SERVICE_SECRET", "")
    if len(secret) < SECRET:
        print(f"TASKMAN_SERVICE_SECRET: expected {SECRET} characters", file=sys.stderr)
        return 2
    print(service_token(name, secret, life=days * 86_400))
    return 0


if __name__ == "__main__":
    sys.exit(main())
