"""Where decisions are written down: JSON lines, each with the hash of the one before.

    with DecisionLog("decisions.jsonl", mask=["subject.email"]) as log:
        pdp = PDP(policies, log=log)

Begin with `log` (the queue and the thread that writes); `records` says what a line holds, `chain`
how lines hang together and how that is verified.

Laws: to log a decision is to append to a bounded queue, never to wait for a disk. What the queue
does not take is counted, or closes the decision, as its owner chose. A line is either whole or the
torn last one of a crash.
"""

from __future__ import annotations

from .chain import Break, Verification, verify
from .log import DecisionLog
from .records import check_mask

__all__ = ["Break", "DecisionLog", "Verification", "check_mask", "verify"]
