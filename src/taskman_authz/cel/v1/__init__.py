"""The wire code of `proto/taskman_authz/cel/v1`: expressions as trees, generated and committed.

Nothing here is written by hand but this sentence; `make generate` makes the rest. Needs the extra
`[protobuf]`. `cel/protobuf/trees.py` is what knows both sides.
"""
