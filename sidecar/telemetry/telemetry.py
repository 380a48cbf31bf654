"""What the settings ask for, and how it starts and ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..decisions import Told
from ..door import Watcher

if TYPE_CHECKING:
    from taskman_authz.decision_log import DecisionLog
    from taskman_authz.policy import PolicySet

    from ..settings import Settings


class Telemetry:
    """What is told of a sidecar: `watchers` learn of its calls, `told` of its decisions."""

    def __init__(
        self,
        settings: Settings,
        policies: Callable[[], PolicySet],
        decision_log: DecisionLog | None = None,
    ) -> None:
        self.watchers: Sequence[Watcher] = ()
        self.told: Sequence[Told] = ()
        self._metrics = None
        if settings.metrics_listen is not None:
            # Here: the import settles whether counts are shared, and costs who has no metrics.
            from .exposing import Listener
            from .metrics import Metrics
            from .scrape import Scrape

            self._metrics = Metrics(settings.service_name, settings.metrics_companies)
            self._scrape = Scrape(self._metrics, settings.service_name, policies)
            self._listener = Listener(self._scrape, settings.metrics_listen)
            self.watchers = (self._metrics.watch,)
            self.told = (self._metrics.tell,)
            if decision_log is not None:
                self._metrics.follow_decision_log(decision_log)

    def start(self) -> str | None:
        """Open the address of the metrics. Returns it, if there are metrics. Raises OSError."""
        return None if self._metrics is None else self._listener.start()

    def tell_policies(self, current: bool) -> None:
        """Policies that changed were loaded, or refused."""
        if self._metrics is not None:
            self._metrics.tell_policies(current)
            if current:
                self._scrape.policies_loaded = time.time()

    async def stop(self) -> None:
        """Close what was opened."""
        if self._metrics is not None:
            self._metrics.catch_up()
            await self._listener.stop()
