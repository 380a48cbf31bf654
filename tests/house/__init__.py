"""What `tests/test_house.py` reads: `source` (our files and imports), `readme` (its examples)."""
