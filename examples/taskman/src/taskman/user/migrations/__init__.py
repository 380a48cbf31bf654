"""The tables of users."""
