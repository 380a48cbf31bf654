"""The wire code of `proto/taskman_authz/v1`: messages and stubs, generated and committed.

Nothing here is written by hand but this sentence; `make generate` makes the rest. Needs the
extra `[protobuf]` (messages) or `[sidecar]` (stubs). `wire.py` is what knows both sides.
"""
