"""What `tests/test_house.py` reads: `source` (our files and imports), `readme` (the examples of the
README and of `docs/`)."""
