"""`taskman-authz serve` and `python -m taskman_authz_sidecar`: from arguments to a status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from taskman_authz.cli.frame import command_parser, guarded
from taskman_authz.errors import AuthzError

PROGRAM = "taskman-authz serve"
NOTES = """examples:
  taskman-authz serve --policies policies/taskman
  taskman-authz serve --policies policies.bundle --verify-key bundle.pub
  taskman-authz serve --policies policies/ --listen unix:///run/authz.sock \\
      --decision-log decisions.jsonl --decision-log-mask subject.email
  taskman-authz serve --policies policies/ --entities entities/ --http-listen 127.0.0.1:8080
  taskman-authz serve --config sidecar.yaml --print-config

Every option is also an environment variable: --log-level is TASKMAN_AUTHZ_LOG_LEVEL
(several addresses in TASKMAN_AUTHZ_LISTEN are separated by commas), and a line of a --config
file (`log_level: debug`). Options outrank the environment, and that the file.

SIGTERM or SIGINT stops it: health says not serving, calls in flight end within the grace; a second
one ends it at once. SIGHUP reads again now what is followed: policies, entities, certificates.

exit status: 0 stopped when asked to, 2 an error, which standard error tells"""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve with `argv` (default: the process'), until stopped. Returns the exit status."""
    return guarded(PROGRAM, lambda: _serve(sys.argv[1:] if argv is None else argv))


def _serve(argv: Sequence[str]) -> int:
    try:
        import uvloop

        from . import demo
        from .settings import Settings, add_flags, config_schema, printed, read_settings
        from .wiring import Sidecar, make_store
        from .workers.seat import LoadedStore, Seat
        from .workers.supervisor import supervise
    except ModuleNotFoundError as error:
        if str(error.name).startswith("taskman_authz"):
            raise  # a fault of ours, not a missing extra
        raise AuthzError(
            f"the sidecar needs `{error.name}`: pip install 'taskman-authz[sidecar]'"
        ) from None
    parser = command_parser(
        PROGRAM,
        "Answer Check and BatchCheck over gRPC, and AuthZEN over HTTP.",
        NOTES,
        f"{PROGRAM} [OPTION ...]",
    )
    add_flags(parser)
    parser.add_argument(
        "--demo", action="store_true", help="once serving, ask two questions and print the answers"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print the settings as a --config file, and end"
    )
    parser.add_argument(
        "--print-config-schema",
        action="store_true",
        help="print the JSON Schema of a --config file, and end",
    )
    given = vars(parser.parse_args(argv))
    if given["print_config_schema"]:
        print(config_schema())
        return 0
    settings = read_settings(parser, given)
    if given["print_config"]:
        print(printed(settings), end="")
        return 0
    asks = bool(given["demo"])

    def work(settings: Settings, seat: Seat | None = None) -> int:
        is_first = seat is None or (seat.number == 1 and seat.is_new)
        sidecar = Sidecar(settings, seat)
        uvloop.run(sidecar.run(demo.ask if asks and is_first else None))
        return 0

    if settings.workers == 1:
        return work(settings)
    store = LoadedStore(make_store(settings))
    return supervise(settings, store, lambda *given: guarded(PROGRAM, lambda: work(*given)))


if __name__ == "__main__":
    sys.exit(main())
