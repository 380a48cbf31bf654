"""Sources of attributes over gRPC (`taskman_authz.v1.AttributeService`), and the channels to them.

Laws: a source is one address: what it is asked for in one check is one call. An answer that is not
what was asked for is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from taskman_authz.attributes import Kind, Wanted
from taskman_authz.client import TLS
from taskman_authz.errors import AuthzError, RequestError, UnavailableError
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.v1 import attributes_pb2 as pb
from taskman_authz.wire import read_properties

from .security import refuse_plain

if TYPE_CHECKING:
    from .settings import Settings

Metadata = tuple[tuple[str, str], ...]
_TOKEN = re.compile(r"[\w.~+/-]+=*", re.ASCII)
_KINDS: Mapping[Kind, pb.EntityRequest.Kind.ValueType] = {
    "subject": pb.EntityRequest.KIND_SUBJECT,
    "resource": pb.EntityRequest.KIND_RESOURCE,
}


def nothing() -> Metadata:
    """Sources are not shown who asks."""
    return ()


def read_token(data: bytes) -> Metadata:
    """A token as sources are shown it (RFC 6750). Raises AuthzError, which does not tell it."""
    token = data.decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise AuthzError("--source-token: expected a token of letters, digits and -._~+/=")
    return (("authorization", f"Bearer {token}"),)


class RemoteSource:
    """The source behind a channel. How long it may take is the business of who asks."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        limits: Limits = DEFAULT,
        shown: Callable[[], Metadata] = nothing,
    ) -> None:
        # Bytes come back: what gRPC itself cannot parse it logs, and gives None for.
        self._ask = channel.unary_unary(
            "/taskman_authz.v1.AttributeService/GetAttributes",
            pb.GetAttributesRequest.SerializeToString,
            None,
        )
        self._limits = limits
        self._shown = shown

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        """`Source.fetch`. Raises UnavailableError."""
        entities = [
            pb.EntityRequest(
                kind=_KINDS[one.kind], type=one.type, id=one.id, names=sorted(one.names)
            )
            for one in wanted
        ]
        asked = pb.GetAttributesRequest(company_id=company_id or "", entities=entities)
        try:
            answer = pb.GetAttributesResponse.FromString(
                await self._ask(asked, metadata=self._shown())
            )
        except grpc.RpcError as error:
            raise UnavailableError(status_of_call(error)) from None
        except DecodeError:
            raise UnavailableError("the answer cannot be parsed") from None
        if len(answer.entities) != len(wanted):
            raise UnavailableError(f"expected {len(wanted)} entities, found {len(answer.entities)}")
        try:
            return [self._read(each) for each in answer.entities]
        except RequestError as error:
            raise UnavailableError(str(error)) from None

    def _read(self, entity: pb.EntityAttributes) -> Mapping[str, Any] | None:
        if not entity.HasField("properties"):
            return None
        return read_properties(entity.properties, "properties", self._limits)


class Channels:
    """Channels to those whom we ask, one an address, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        tls = (settings.source_ca, settings.source_cert, settings.source_key)
        self._tls: TLS | None = None
        if settings.source_ca is not None:
            self._tls = TLS(*tls, server_name=settings.source_server_name)
        elif any(each is not None for each in (*tls, settings.source_server_name)):
            raise AuthzError("TLS to sources needs --source-ca")
        self._insecure = settings.insecure
        self._longest = settings.max_message_bytes
        self._made: dict[str, grpc.aio.Channel] = {}

    def to(self, place: str, address: str) -> grpc.aio.Channel:
        """The channel to an address that was set at `place`. To be asked for in the loop. Raises
        AuthzError."""
        if self._tls is None and not self._insecure:
            refuse_plain(place, (address,), "--source-ca")
        channel = self._made.get(address)
        if channel is None:
            channel = self._made[address] = self._open(address)
        return channel

    async def close(self) -> None:
        """Close all of them."""
        for channel in self._made.values():
            await channel.close(None)

    def _open(self, address: str) -> grpc.aio.Channel:
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", self._longest),
            # A source that was restarted is found again before its circuit is tried.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # One that vanished without a word is noticed while somebody waits for its answer.
            ("grpc.keepalive_time_ms", 10_000),
            ("grpc.keepalive_timeout_ms", 5_000),
        ]
        if self._tls is None:
            return grpc.aio.insecure_channel(address, options)
        if self._tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self._tls.server_name))
        return grpc.aio.secure_channel(address, self._tls.credentials(), options)


def status_of_call(error: grpc.RpcError) -> str:
    """What a call ended with, without what the other side said of it."""
    return error.code().name if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else "UNKNOWN"
