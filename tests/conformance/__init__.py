"""The official CEL conformance suite, run on our engine.

The suite is not part of this repository: `fetch` gets it, pinned and verified, from the npm package
`@bufbuild/cel-spec`. Begin reading at `cases` (what a test is), `needs` (what it asks for),
`engine` (the only file that knows our API), `runner` (what passing means).

`python -m tests.conformance` runs it all, the reference implementation's cases of its parser and
its checker too; `gaps.txt` lists the tests that are known to fail, `reasons.yaml` those that cannot
pass by the language definition, and both may only shrink.
"""

from __future__ import annotations
