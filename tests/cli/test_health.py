"""`health`: 0 serves, 1 does not, 2 is neither."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from taskman_authz.cli import main


@pytest.fixture
def address():
    """Something that serves `good` and does not serve `bad`."""
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    servicer.set("bad", health_pb2.HealthCheckResponse.NOT_SERVING)
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def test_what_serves_is_0_and_what_does_not_is_1(address, capsys):
    assert main(["health", address]) == 0
    assert main(["health", "--name", "bad", address]) == 1
    assert capsys.readouterr().out == "serving\nnot serving\n"
    assert main(["health", "-q", "--name", "bad", address]) == 1
    assert capsys.readouterr().out == ""


def test_programs_get_an_object(address, capsys):
    assert main(["health", "--format", "json", "--name", "bad", address]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"address": address, "name": "bad", "serving": False}


def test_the_address_is_that_which_the_sidecar_is_told(address, monkeypatch):
    monkeypatch.setenv("TASKMAN_AUTHZ_LISTEN", f"{address}, unix:///elsewhere")
    assert main(["health", "-q"]) == 0


def test_nobody_there_or_no_such_name_is_2_in_words(address, capsys):
    assert main(["health", "--timeout", "0.5", "127.0.0.1:1"]) == 2
    assert "no answer from `127.0.0.1:1`: unavailable" in capsys.readouterr().err
    assert main(["health", "--name", "none", address]) == 2
    assert f"`{address}` has no health of the name `none`" in capsys.readouterr().err
    assert main(["health", "--format", "json", "--timeout", "0.5", "127.0.0.1:1"]) == 2
    (error,) = json.loads(capsys.readouterr().err)["errors"]
    assert "no answer" in error["message"]


def test_clear_text_is_no_answer_to_who_speaks_tls(address, capsys):
    assert main(["health", "--tls", "--timeout", "1", address]) == 2
    assert "no answer" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(address, tmp_path, capsys):
    assert main(["health", "--ca", str(tmp_path / "ca.pem"), address]) == 2
    assert "ca.pem" in capsys.readouterr().err
