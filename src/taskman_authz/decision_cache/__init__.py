"""Decisions remembered, for where deciding costs a question to others: attributes that must be
fetched. (To decide takes a microsecond; to ask Redis takes a hundred.)

Begin with `questions` (what makes two questions the same), then `decisions`.

Laws: as those of `remembered`, which holds them. In the key are the policies' revision and the
epoch of the subject's roles as whoever decides knows them; the tags are the subject and the
resource. A decision that reads the clock is not kept, and none longer than the roles hold.
"""

from __future__ import annotations

from .decisions import DecisionCache, Known
from .questions import Question, question

__all__ = ["DecisionCache", "Known", "Question", "question"]
