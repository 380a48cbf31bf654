"""GENERATED wire code of proto/taskman/user/v1."""
