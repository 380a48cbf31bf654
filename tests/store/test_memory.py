"""Texts in memory as a store."""

from __future__ import annotations

from taskman_authz.store import Fingerprinted, MemoryStore, Store


def test_it_gives_its_texts_in_the_order_of_their_names() -> None:
    store = MemoryStore({"b": "2", "a": "1"})
    assert isinstance(store, Store)
    assert isinstance(store, Fingerprinted)
    assert store.load() == [("a", "1"), ("b", "2")]


def test_fingerprint_is_that_of_the_content() -> None:
    one, other = MemoryStore({"a": "1", "b": "2"}), MemoryStore({"b": "2", "a": "1"})
    assert one.fingerprint() == other.fingerprint()
    other.texts["a"] = "3"
    assert one.fingerprint() != other.fingerprint()
