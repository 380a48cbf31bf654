"""Does a decision point conform to AuthZEN 1.0? Any one that answers over HTTP, not ours only.

Begin with `running` (all checks against a URL, level by level), then `checks` (what is asked, and
what is expected). `asking` is HTTP, `expecting` says what is wrong with a reply.

The numbers of checks are the sections of the certification scenario of the OpenID AuthZEN working
group, whose fixture (`examples/authzen`) the decision point must be loaded with; `spec` stands for
a rule of the specification that the scenario does not have. Those are told as advice where the
specification only recommends what they check, and then fail no level.
"""

from __future__ import annotations

from .asking import Point
from .running import LevelResult, Outcome, run_checks

__all__ = ["LevelResult", "Outcome", "Point", "run_checks"]
