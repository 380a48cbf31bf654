"""How the sidecar speaks gRPC: streams of revisions, long answers, compression, connections."""

from __future__ import annotations

import queue
import signal
import threading
from typing import Any

import grpc
import pytest

from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.v1 import authorization_pb2_grpc as pb_grpc
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import PATIENCE
from tests.sidecar.test_answering import question

pytestmark = pytest.mark.process

DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)


def watch(channel: grpc.Channel) -> Any:
    stub = pb_grpc.AuthorizationServiceStub(channel)
    return stub.WatchRevisions(pb.WatchRevisionsRequest(), timeout=PATIENCE)


def test_the_revision_in_force_is_told_first_then_each_new_one(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    with grpc.insecure_channel(sidecar.address) as channel:
        revisions = watch(channel)
        first = next(revisions).revision
        assert first == sidecar.wait_for("serving")["revision"]
        write_policies(policies, DENYING)
        second = next(revisions).revision
        assert second == sidecar.wait_for("policies loaded")["revision"] != first
        write_policies(policies, "nonsense")
        sidecar.wait_for("policies refused, the last good ones stay")
        write_policies(policies)
        assert next(revisions).revision == first


def test_a_stream_ends_in_order_when_the_sidecar_stops_and_does_not_hold_it_up(policies, start):
    sidecar = start(policies, "--grace", "600")
    with grpc.insecure_channel(sidecar.address) as channel:
        revisions = watch(channel)
        next(revisions)
        sidecar.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as caught:
            next(revisions)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "stops" in caught.value.details()
    assert sidecar.process.wait(PATIENCE) == 0


def test_many_watch_and_those_who_went_away_are_forgotten(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    told: queue.Queue[str] = queue.Queue()

    def follow() -> None:
        with grpc.insecure_channel(sidecar.address) as channel:
            revisions = watch(channel)
            told.put(next(revisions).revision)
            told.put(next(revisions).revision)
            revisions.cancel()

    threads = [threading.Thread(target=follow) for _ in range(8)]
    for thread in threads:
        thread.start()
    first = {told.get(timeout=PATIENCE) for _ in threads}
    write_policies(policies, DENYING)
    second = {told.get(timeout=PATIENCE) for _ in threads}
    for thread in threads:
        thread.join(PATIENCE)
    assert len(first) == len(second) == 1 and first != second


def test_an_answer_over_the_limit_is_refused_in_words(policies, start):
    sidecar = start(policies, "--max-reply-bytes", "1000")
    data = pb.BatchCheckRequest(items=[question()] * 20).SerializeToString()
    with pytest.raises(grpc.RpcError) as caught:
        sidecar.call("BatchCheck", data)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.details() == "the answer is longer than 1000 bytes"
    assert sidecar.call("Check", question().SerializeToString())


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_compressed_request_is_answered(policies, start, compression):
    sidecar = start(policies, "--compression", compression)
    with grpc.insecure_channel(sidecar.address, compression=grpc.Compression.Gzip) as channel:
        batch = pb.BatchCheckRequest(items=[question()] * 100)
        stub = pb_grpc.AuthorizationServiceStub(channel)
        results = stub.BatchCheck(batch, timeout=PATIENCE).results
    assert [result.allowed for result in results] == [True] * 100


def test_a_request_that_grows_over_the_limit_when_it_is_unpacked_is_refused(policies, start):
    sidecar = start(policies, "--max-message-bytes", "100000")
    with grpc.insecure_channel(sidecar.address, compression=grpc.Compression.Gzip) as channel:
        check = channel.unary_unary("/taskman_authz.v1.AuthorizationService/Check", None, None)
        with pytest.raises(grpc.RpcError) as caught:
            check(b"\x0a" * 50_000_000, timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sidecar.call("Check", question().SerializeToString())


def test_a_connection_that_is_old_is_closed_in_order_and_calls_go_on(policies, start):
    sidecar = start(policies, "--max-connection-age", "0.2", "--max-connection-age-grace", "5")
    with grpc.insecure_channel(sidecar.address) as channel:
        states: queue.Queue[grpc.ChannelConnectivity] = queue.Queue()
        channel.subscribe(states.put, try_to_connect=True)
        stub = pb_grpc.AuthorizationServiceStub(channel)
        assert stub.Check(question(), timeout=PATIENCE, wait_for_ready=True).allowed
        while states.get(timeout=PATIENCE) is not grpc.ChannelConnectivity.READY:
            pass
        assert states.get(timeout=PATIENCE) is grpc.ChannelConnectivity.IDLE
        assert stub.Check(question(), timeout=PATIENCE, wait_for_ready=True).allowed


def test_without_being_told_to_it_describes_itself_to_nobody(policies, start):
    sidecar = start(policies)
    with grpc.insecure_channel(sidecar.address) as channel:
        path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        with pytest.raises(grpc.RpcError) as caught:
            list(channel.stream_stream(path, None, None)(iter([b""]), timeout=PATIENCE))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
