"""The wire code of `proto/taskman_authz/envoy/v3`: Envoy's messages, generated and committed.

Nothing here is written by hand but this sentence; `make generate` makes the rest. Needs the extra
`[protobuf]`. `sidecar/ext_authz` is what knows both sides.
"""
