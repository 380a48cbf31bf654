"""The benchmark of the sidecar asks what it says, and hides nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from benchmarks.cases import BY_NAME
from benchmarks.peers import Cannot
from benchmarks.sidecar import questions
from benchmarks.sidecar import run as running
from benchmarks.sidecar.bars import verdicts
from benchmarks.sidecar.load import (
    LoadError,
    Sample,
    UnansweredError,
    answered,
    frame,
    latencies,
)
from benchmarks.sidecar.run import COLUMNS, Asked, Run
from benchmarks.sidecar.servers import Server, start_echo, start_ours
from benchmarks.sidecar.table import as_json, markdown
from benchmarks.sidecar.usage import cpu_seconds, resident_bytes

CASE = BY_NAME["decide-10"]


def run_with(**rps: float) -> Run:
    made = Run(10_000)
    for column, value in rps.items():
        for clients in (1, 16, 64):
            sample = Sample(value, 1e-3, 1 / value, 1 / value, 2**20)
            made.samples[column.replace("_", "-"), clients] = [sample]
    return made


def verdict(run: Run, words: str) -> str:
    return next(str(found) for found in verdicts(run) if words in found.bar)


def test_bars_are_met_by_the_ratios_of_one_run():
    run = run_with(
        echo=1_000,
        ours=9_000,
        cerbos=800,
        grpcio=900,
        ours_tls=5_000,
        grpcio_batch=200,
        ours_batch=200,
        workers_batch=300,
        cerbos_batch=5,
        ours_many=8_000,
        cerbos_many=100,
        ours_alike=8_000,
        cerbos_alike=10,
    )
    assert [str(found) for found in verdicts(run) if not found.met] == []
    worse = run_with(
        echo=1_000,
        ours=700,
        cerbos=800,
        grpcio=700,
        ours_tls=300,
        grpcio_batch=100,
        ours_batch=60,
        workers_batch=100,
        cerbos_batch=5,
        ours_many=800,
        cerbos_many=100,
        ours_alike=800,
        cerbos_alike=10,
    )
    assert all(not found.met for found in verdicts(worse))


def test_a_bar_without_a_measurement_is_missed_and_says_what_is_missing():
    assert "cerbos has no" in verdict(run_with(ours=1), "8× as many")


def test_the_worst_of_16_and_64_clients_counts():
    run = run_with(ours=1_000, cerbos=90)
    run.samples["ours", 64] = [Sample(10, 1, 1, 1, 1)]
    assert verdict(run, "8× as many").startswith("MISSED")


def test_the_table_has_every_column_and_says_why_one_is_empty():
    run = run_with(ours=1_234)
    run.absent["cerbos"] = "comes from an npm package"
    text = markdown(run, verdicts(run))
    assert all(run.title(column) in text for column in COLUMNS)
    assert "1,234" in text
    assert "Cerbos, 10 policies: comes from an npm package" in text
    assert as_json(run, [])["columns"]["ours"]["rps-16"] == 1_234


def test_a_message_is_framed_as_grpc_does():
    assert frame(b"abc") == b"\0\0\0\0\x03abc"


def test_latencies_are_seconds_and_a_failed_request_is_an_error():
    assert latencies("1\t200\t1500\n2\t200\t2500\n") == [0.0015, 0.0025]
    with pytest.raises(LoadError):
        latencies("1\t200\t1500\n2\t-1\t2500\n")


def said(done: int, succeeded: int, data: int) -> str:
    """As h2load says it."""
    return (
        f"requests: {done} total, {done} started, {done} done, {succeeded} succeeded, 0 failed\n"
        f"traffic: 2KB (2000) total, 1KB (1000) headers (space savings 9%), 1KB ({data}) data\n"
    )


def test_answers_are_counted_and_an_error_or_a_reply_without_data_is_none():
    assert answered(said(10, 10, 10 * 105), 100) == 10
    with pytest.raises(LoadError, match="10 done, 9 succeeded"):
        answered(said(10, 9, 10 * 105), 100)
    with pytest.raises(LoadError, match="only 50 came"):
        answered(said(10, 10, 50), 100)
    with pytest.raises(UnansweredError):
        answered(said(0, 0, 0), 100)


def test_who_gives_no_answer_in_the_time_is_asked_for_longer(monkeypatch, tmp_path):
    asked: list[int] = []

    def sample(_server: Server, _question: object, clients: int, seconds: int, _: object) -> Sample:
        asked.append(seconds)
        if seconds == 1:
            raise UnansweredError("no answers")
        return Sample(clients, 1, 1, 1, 1)

    class Quiet(Server):
        def running(self) -> contextlib.nullcontext[None]:  # type: ignore[override]
            return contextlib.nullcontext()

        def ask(self, question: questions.Question) -> bytes:
            return b""

    monkeypatch.setattr(running, "sample", sample)
    run = Run(10)
    server = Quiet(subprocess.Popen(["true"]), 0)
    running._measure(run, Asked("cerbos", server, questions.check(CASE)), 64, 1, tmp_path)
    server.process.wait()
    assert asked == [1, running.SLOW]
    assert run.best("rps-64", "cerbos") == 64
    assert run.absent == {}


def test_a_process_is_measured_with_its_children():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**6))'])"
    before = cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", code], check=True)
    assert cpu_seconds(os.getpid()) > before
    assert resident_bytes(os.getpid()) > 2**20


@pytest.mark.process
def test_ours_answers_what_the_echo_then_repeats_and_others_are_told_apart(tmp_path):
    check, batch = questions.check(CASE), questions.batch(CASE)
    ours = start_ours(CASE, tmp_path)
    try:
        reply = ours.ask(check)
        ours.ask(batch)
        ours.ask(questions.same_batch(CASE))
    finally:
        ours.end()
    echo = start_echo(reply)
    try:
        assert echo.ask(questions.echo(check.data, reply)) == reply
        with pytest.raises(Cannot, match="UNIMPLEMENTED"):
            echo.ask(check)
        with pytest.raises(Cannot, match="something else"):
            echo.ask(questions.echo(check.data, b"other"))
    finally:
        echo.end()


def test_cerbos_is_asked_the_same():
    question = questions.cerbos_batch(CASE)
    for part in (b"tasks", b"edit", b"user123", b"developer", b"department", b"engineering"):
        assert part in question.data
    assert not question.is_right(b"")
