"""GENERATED wire code of proto/taskman/authentication/v1."""
