"""Values remembered under tags, for as long as nothing behind a tag has changed.

Begin with `cache` (what is asked of a cache); `memory` is one within a process, `redis` one that
processes share; `tags` is how tags are made.

Laws: what is remembered cannot hide a change. `find` gives, with what is known, the epochs of the
tags as they are before anything is read; what is read and decided afterwards is kept with these;
and it is found only while they are the same. `drop` gives tags other epochs. So what was under way
while something changed is kept, and never found: no order of events serves what was before a
change. A cache that cannot be asked is one that knows nothing.
"""

from __future__ import annotations

from .cache import Cache, Found, WhileHeard
from .memory import MemoryCache
from .tags import resource_tag, subject_tag

__all__ = ["Cache", "Found", "MemoryCache", "WhileHeard", "resource_tag", "subject_tag"]
