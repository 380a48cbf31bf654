"""The parent of workers: starts them, starts another one where one ended, and ends them all.

The supervisor keeps the policies that workers decide by, so that one which is started while the
store is broken begins with the last good ones, as the others do.

Laws: the first worker has to serve before the others are started, so that what is wrong is said
once; until all serve, one that ends ends everything. Later one that ends is replaced, sooner or
later: the sooner the longer it lived.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import structlog

from taskman_authz.errors import AuthzError

from ..addresses import UNIX, reserve
from ..health import WORKERS
from ..log import make_log
from ..notify import notify
from ..telemetry import Restarts, shared_metrics
from .processes import HANDLED, Closable, fork, reaped
from .seat import LONGEST, LoadedStore, Report, Seat, Word

if TYPE_CHECKING:
    from ..settings import Settings

# Seconds until a worker that ended is replaced: doubled each time that one soon ends again.
SOONEST = 0.1
LATEST = 30.0
STEADY = 60.0  # a worker that lived so many seconds had no trouble with starting
# Seconds beyond the grace until a worker that does not end is killed: closing the decision log
# takes five at most.
PATIENCE = 10.0

Work = Callable[["Settings", Seat], int]


def supervise(settings: Settings, store: LoadedStore, work: Work) -> int:
    """Run workers that count together, until told to stop. Returns the exit status. Raises what
    keeps all of them from serving."""
    with ExitStack() as stack:
        restarted: Callable[[int], None] = _count_nothing
        if settings.metrics_listen is not None:
            stack.enter_context(shared_metrics())
            restarted = Restarts(settings.service_name).add
        return Supervisor(settings, store, work, restarted).run()


def _count_nothing(_process: int) -> None:
    """Nobody looks."""


class Worker:
    """A worker as its supervisor knows it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process = 0  # 0: there is none
        self.link: socket.socket | None = None
        self.report = Report()
        self.since = 0.0  # when it was started
        self.due: float | None = None  # when it is to be started again
        self.delay = SOONEST


class Supervisor:
    """Runs `settings.workers` processes that each do `work`. Raises `StoreError`, `CompileError`,
    OSError for what would keep any of them from serving. `restarted` is told the id of a process
    that is replaced."""

    def __init__(
        self,
        settings: Settings,
        store: LoadedStore,
        work: Work,
        restarted: Callable[[int], None],
    ) -> None:
        self._log = make_log(settings, structlog.WriteLogger(sys.stderr))
        self._kept: list[socket.socket] = []
        self._settings = settings.model_copy(update=self._reserved(settings))
        self._store = store
        self._revision = store.revision  # that a worker told last
        self._work = work
        self._restarted = restarted
        self._workers = [Worker(number) for number in range(1, settings.workers + 1)]
        self._selector = selectors.DefaultSelector()
        self._started = False  # all have served
        self._told: dict[str, bool] = {}
        self._deadline: float | None = None  # of ending; None: not ending
        self._signals = 0  # that asked to end
        self._status = 0
        self.restarts = 0

    def run(self) -> int:
        """Serve until told to stop. Returns the exit status: 0 if every worker ended in order."""
        wake = self._take_signals()
        gc.collect()
        gc.freeze()  # what workers share stays shared
        self._start(self._workers[0])
        while any(worker.process for worker in self._workers) or self._deadline is None:
            for key, _ in self._selector.select(self._timeout()):
                if key.data is None:
                    for number in wake.recv(LONGEST):
                        self._heed(number)
                else:
                    self._hear(key.data)
            for process, status in reaped():
                self._bury(process, status)
            self._keep_up()
        for keeper in self._kept:
            keeper.close()
        self._log.info("stopped", restarts=self.restarts)
        return self._status

    # -- starting -------------------------------------------------------------------------------

    def _reserved(self, settings: Settings) -> dict[str, Any]:
        """The addresses, with their ports filled in: no worker chooses one of its own."""
        reserved: dict[str, Any] = {
            "listen": tuple(map(self._reserve, settings.listen)),
            "http_listen": tuple(map(self._reserve, settings.http_listen)),
        }
        if settings.metrics_listen is not None:
            reserved["metrics_listen"] = self._reserve(settings.metrics_listen)
        return reserved

    def _reserve(self, address: str) -> str:
        if address.startswith(UNIX):
            raise AuthzError(
                f"--workers: a unix socket is one process' own, found {address}: "
                "serve it with one worker, or listen at host:port"
            )
        opened, kept = reserve(address)
        self._kept += kept
        return opened

    def _start(self, worker: Worker) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        links = [each.link for each in self._workers if each.link is not None]
        seat = Seat(worker.number, self._store, theirs, not self._started)
        kept: list[Closable] = [self._selector, ours, *links, *self._kept]
        is_known = self._store.revision == self._revision

        def work() -> int:
            if not is_known:  # older or newer than what the others decide by
                self._store.leave()
            return self._work(self._settings, seat)

        worker.process = fork(work, kept)
        theirs.close()
        worker.link, worker.report, worker.due = ours, Report(), None
        worker.since = time.monotonic()
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _keep_up(self) -> None:
        """Start what is due, tell what is new, end what must be ended."""
        now = time.monotonic()
        if self._deadline is not None:
            if now >= self._deadline:
                self._kill()
            return
        if not self._started and self._workers[0].report.serving:
            for worker in self._workers[1:]:
                if not worker.process:
                    self._start(worker)
        for worker in self._workers:
            if worker.due is not None and now >= worker.due:
                self._start(worker)
        if not self._started and all(worker.report.serving for worker in self._workers):
            self._say_serving()
        self._tell_all()

    def _say_serving(self) -> None:
        self._started = True
        settings = self._settings
        shown = {"metrics": f"http://{settings.metrics_listen}/metrics"}
        self._log.info(
            "serving",
            listen=list(settings.listen),
            http_listen=list(settings.http_listen),
            **(shown if settings.metrics_listen else {}),
            revision=self._workers[0].report.revision,
            workers=len(self._workers),
        )
        notify("READY=1")

    # -- workers' reports -----------------------------------------------------------------------

    def _hear(self, worker: Worker) -> None:
        assert worker.link is not None
        try:
            data = worker.link.recv(LONGEST)
        except ConnectionResetError:  # it ended with words of ours unread
            data = b""
        if data:
            worker.report = msgspec.json.decode(data, type=Report)
            self._keep(worker.report.revision)
            self._send(worker, Word(conditions=self._told))
        else:  # it is ending: `_bury` says how
            self._unlink(worker)

    def _keep(self, revision: str) -> None:
        """Have the policies of a revision that a worker tells, so that one which is started while
        the store is broken or away begins with them."""
        if revision != self._revision:
            self._revision = revision
            try:
                if revision != self._store.revision:
                    self._store.read_again()
                self._log.debug("policies kept for workers to come", revision=revision)
            except AuthzError as error:  # they have changed again: a worker will say how
                self._log.warning("policies not read for workers to come", why=str(error))

    def _unlink(self, worker: Worker) -> None:
        if worker.link is not None:
            self._selector.unregister(worker.link)
            worker.link.close()
            worker.link = None

    def _tell_all(self) -> None:
        """What holds of all is told to all, when it has changed."""
        reports = [worker.report for worker in self._workers]
        conditions = {WORKERS: all(report.serving for report in reports)}
        for report in reports:
            for name, holds in report.conditions.items():
                conditions[name] = holds and conditions.get(name, True)
        if conditions != self._told:
            self._told = conditions
            for worker in self._workers:
                self._send(worker, Word(conditions=conditions))

    def _send(self, worker: Worker, word: Word) -> None:
        if worker.link is not None:
            try:
                worker.link.send(msgspec.json.encode(word), socket.MSG_DONTWAIT)
            except OSError as error:  # gone, or it has not listened for long
                self._log.warning("worker not reached", worker=worker.number, error=error.strerror)

    # -- ends -----------------------------------------------------------------------------------

    def _bury(self, process: int, status: int) -> None:
        worker = next((each for each in self._workers if each.process == process), None)
        if worker is None:
            return  # somebody else's orphan, where we are the first process of a container
        self._unlink(worker)
        worker.process, worker.report = 0, Report()
        if self._deadline is not None:
            self._status = self._status or int(status not in (0, -signal.SIGTERM))
        elif not self._started:
            self._status = status if status > 0 else 1
            self._end("stop")
        else:
            self._replace(worker, process, status)

    def _replace(self, worker: Worker, process: int, status: int) -> None:
        lived = time.monotonic() - worker.since
        worker.delay = SOONEST if lived >= STEADY else min(LATEST, 2 * worker.delay)
        worker.due = time.monotonic() + worker.delay
        self.restarts += 1
        self._log.error(
            "worker ended, another one is started",
            worker=worker.number,
            process=process,
            status=status,
            lived=round(lived, 3),
            delay=worker.delay,
            restarts=self.restarts,
        )
        self._restarted(process)

    def _heed(self, number: int) -> None:
        if number == signal.SIGHUP:
            for worker in self._workers:
                self._send(worker, Word("reload"))
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._signals += 1
            if self._signals == 1:
                self._log.info("stopping", grace=self._settings.grace)
                notify("STOPPING=1")
                self._end("stop")
            elif self._signals == 2:
                self._end("end")
            else:
                self._kill()

    def _end(self, order: Literal["stop", "end"]) -> None:
        grace = self._settings.grace if order == "stop" else 0.0
        self._deadline = time.monotonic() + grace + PATIENCE
        for worker in self._workers:
            self._send(worker, Word(order))
            if worker.process and not worker.report.serving:  # it does not listen yet
                os.kill(worker.process, signal.SIGTERM)

    def _kill(self) -> None:
        self._deadline = time.monotonic() + PATIENCE
        for worker in self._workers:
            if worker.process:
                self._log.error("worker does not end, and is killed", worker=worker.number)
                os.kill(worker.process, signal.SIGKILL)

    # -- waiting --------------------------------------------------------------------------------

    def _take_signals(self) -> socket.socket:
        """Signals become bytes of the socket that is given, which the selector looks at."""
        out, wake = socket.socketpair()
        out.setblocking(False)
        self._kept += [out, wake]  # and workers have none of them
        for number in HANDLED:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(out.fileno(), warn_on_full_buffer=False)
        self._selector.register(wake, selectors.EVENT_READ, None)
        return wake

    def _timeout(self) -> float | None:
        """Seconds until something is due."""
        due = [worker.due for worker in self._workers if worker.due is not None]
        if self._deadline is not None:
            due = [self._deadline]
        return max(0.0, min(due) - time.monotonic()) if due else None
