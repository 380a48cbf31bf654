"""Decisions remembered, for where deciding costs a question to others: attributes that must be
fetched. (To decide takes a microsecond; to ask Redis takes a hundred.)

Begin with `questions` (what makes two questions the same) and `memory` (within a process); `redis`
is shared by processes.

Laws: what is remembered cannot hide a change. An entry is found only while all is as it was before
the decision's first reading: the policies' revision and the epoch of the subject's roles are in its
key, and the epochs of everything read, which a change gives another value, are kept in it. So a
decision that was under way while something changed is kept, and never found. A decision that reads
the clock is not kept. A cache that cannot be asked is one that knows nothing.
"""

from __future__ import annotations

from .memory import MemoryDecisionCache
from .questions import DecisionCache, Found, Question, question, resource_tag, subject_tag

__all__ = [
    "DecisionCache",
    "Found",
    "MemoryDecisionCache",
    "Question",
    "question",
    "resource_tag",
    "subject_tag",
]
