"""Writes `src/taskman_authz/policy/schema.json` from the models of a policy document.

`tests/policy/test_document.py` fails while the file is not what this writes.
"""

from __future__ import annotations

from pathlib import Path

from taskman_authz.policy.document import schema_text

TARGET = Path(__file__).parent.parent / "src/taskman_authz/policy/schema.json"

if __name__ == "__main__":
    TARGET.write_text(schema_text(), encoding="utf-8")
    print(f"wrote {TARGET}")
