"""`taskman-authz health`: whether a sidecar serves, for probes and for people."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from ..errors import UnavailableError
from .frame import GREEN, RED, command_parser, errors_in, painted

if TYPE_CHECKING:
    import grpc

DESCRIPTION = """\
Ask a sidecar (or whatever speaks grpc.health.v1) whether it serves. ADDRESS is host:port or
unix:///path; where it is not given the first of $TASKMAN_AUTHZ_LISTEN, else 127.0.0.1:50051."""

NOTES = """\
examples:
  taskman-authz health
  taskman-authz health unix:///run/authz.sock
  taskman-authz health --name taskman_authz.policies 127.0.0.1:50051
  taskman-authz health --ca ca.pem --server-name authz.internal 10.0.0.1:50051

names: a service (the sidecar as a whole where none is given), or a condition of the sidecar:
taskman_authz.policies, taskman_authz.decision_log, taskman_authz.workers

exit status: 0 it serves, 1 it does not, 2 an error (not reached, no such name)"""

DEFAULT = "127.0.0.1:50051"


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where it serves, 1 where it does not."""
    options = _parser().parse_args(arguments)
    with errors_in(options.format):
        serves = _asked(options)
    state = "serving" if serves else "not serving"
    if options.format == "json":
        answer = {"address": options.address, "name": options.name, "serving": serves}
        print(json.dumps(answer, ensure_ascii=False))
    elif not options.quiet:
        print(painted(state, GREEN if serves else RED, sys.stdout))
    return 0 if serves else 1


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz health", DESCRIPTION, NOTES)
    listen = os.environ.get("TASKMAN_AUTHZ_LISTEN", "").split(",")[0].strip()
    parser.add_argument("address", nargs="?", default=listen or DEFAULT, metavar="ADDRESS")
    parser.add_argument("--name", default="", help="of a service or a condition (default: all)")
    parser.add_argument("--timeout", type=float, default=2.0, help="seconds (default: 2)")
    parser.add_argument("--tls", action="store_true", help="speak TLS, also without a file of it")
    parser.add_argument("--ca", metavar="FILE", help="PEM file: who may sign its certificate")
    parser.add_argument("--certificate", metavar="FILE", help="PEM file: our certificate")
    parser.add_argument("--key", metavar="FILE", help="PEM file: our key")
    parser.add_argument("--server-name", metavar="NAME", help="what its certificate must name")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output, the status only")
    return parser


def _asked(options: argparse.Namespace) -> bool:
    """What the health service answers. Raises UnavailableError, ArgumentError."""
    try:
        import grpc
        from grpc_health.v1 import health_pb2, health_pb2_grpc
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"`health` needs `{error.name}`: pip install 'taskman-authz[sidecar]'"
        ) from None
    request = health_pb2.HealthCheckRequest(service=options.name)
    with _channel(options) as channel:
        try:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(request, timeout=options.timeout)
        except grpc.RpcError as error:
            raise UnavailableError(_why(options, error)) from None
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(options: argparse.Namespace) -> grpc.Channel:
    import grpc

    from ..client import TLS

    files = options.ca, options.certificate, options.key, options.server_name
    if not options.tls and not any(files):
        return grpc.insecure_channel(options.address)
    named = [("grpc.ssl_target_name_override", options.server_name)] if options.server_name else []
    return grpc.secure_channel(options.address, TLS(*files).credentials(), named)


def _why(options: argparse.Namespace, error: grpc.RpcError) -> str:
    code, details = error.code(), error.details() or ""
    if code.name == "NOT_FOUND":
        return f"`{options.address}` has no health of the name `{options.name}`"
    return f"no answer from `{options.address}`: {code.name.lower()}: {details}"
