"""Policies in memory: texts that a program or a test made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


class MemoryStore:
    """YAML texts by name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    def load(self) -> list[tuple[str, str]]:
        """Name and text of every document, in the order of the names."""
        return sorted(self.texts.items())

    def fingerprint(self) -> str:
        """Another text once a name or a text is another one."""
        return hashlib.sha256(repr(self.load()).encode(errors="surrogatepass")).hexdigest()
