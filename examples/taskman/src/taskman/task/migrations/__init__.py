"""The tables of projects and tasks."""
