"""The tables of roles."""
