"""The tables of authentication."""
