"""Asks a sidecar with certificates and tokens, and tells how it answered."""

from __future__ import annotations

import grpc

from taskman_authz.v1 import authorization_pb2
from tests.sidecar.authority import Issued
from tests.sidecar.process import PATIENCE

# May somebody view a task? Which answer it is does not matter here.
QUESTION = authorization_pb2.CheckRequest(
    subject="user:1", action="tasks:view", resource="tasks/1"
).SerializeToString()
BATCH = authorization_pb2.BatchCheckRequest().SerializeToString()

Trailers = dict[str, str]


def connect(address: str, ca: bytes = b"", shown: Issued | None = None) -> grpc.Channel:
    """A connection of its own: in TLS where there is an authority to trust."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    if not ca:
        return grpc.insecure_channel(address, options)
    key, certificate = (shown.key, shown.certificate) if shown else (None, None)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, certificate), options)


def ask(channel: grpc.Channel, method: str = "Check", token: str = "") -> str:
    """The name of the status of a call."""
    return ask_whole(channel, method, token)[0]


def ask_whole(
    channel: grpc.Channel, method: str = "Check", token: str = ""
) -> tuple[str, str, Trailers]:
    """The name of the status of a call, its message, and what came with it."""
    call = channel.unary_unary(f"/taskman_authz.v1.AuthorizationService/{method}", None, None)
    data = QUESTION if method == "Check" else BATCH
    metadata = (("authorization", token),) if token else ()
    try:
        _, done = call.with_call(data, metadata=metadata, timeout=PATIENCE)
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        return error.code().name, error.details() or "", trailers
    return done.code().name, "", {}
