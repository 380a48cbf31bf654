"""GENERATED wire code of proto/taskman/task/v1."""
