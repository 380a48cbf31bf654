"""What operators see of a sidecar without asking it for a decision.

Begin with `telemetry` (what there is, by the settings). `metrics` counts calls and decisions in
what `made` names, `scrape` adds what is only known when somebody looks (some of it by others:
`facts`), `exposing` answers `/metrics`, `shared` is what differs where several processes serve one
address. `seen` chooses calls for `call_log` and `tracing`; `exporting` sends spans.

Laws: nothing here changes an answer, or waits while one is made. No attribute's value is shown:
labels are names of the house and the ids of companies, of which a bounded number is told apart.
"""

from __future__ import annotations

from .facts import Facts
from .shared import Restarts, shared_metrics
from .telemetry import Telemetry

__all__ = ["Facts", "Restarts", "Telemetry", "shared_metrics"]
