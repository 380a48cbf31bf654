"""Audit: every event of every exchange, in a trail of each company that shows whether it was
touched.

Begin with `chain` (what a trail is), then `api`.
"""
