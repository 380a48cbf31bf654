"""`python -m taskman <service>` runs one service until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

import uvloop
from pydantic import ValidationError

from taskman_authz import AuthzError

from .chassis.service import Definition, run

SERVICES = ("audit", "authentication", "gateway", "iam_admin", "notification", "task", "user")


def main() -> int:
    """Run the service that is named; the exit status is 2 for settings that are wrong, 1 for what
    cannot be reached."""
    parser = argparse.ArgumentParser(prog="taskman", description="Run a service.")
    parser.add_argument("service", choices=SERVICES)
    name = parser.parse_args().service
    definition: Definition = import_module(f"taskman.{name}.app").SERVICE_DEFINITION
    try:
        settings = definition.settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        for each in error.errors(include_input=False):
            place = "__".join(map(str, each["loc"])).upper()
            print(f"TASKMAN_{place}: {each['msg']}", file=sys.stderr)
        return 2
    try:
        uvloop.run(run(definition, settings))
    except (AuthzError, OSError) as error:
        print(f"{definition.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
