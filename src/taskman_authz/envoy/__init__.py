"""Wire code for what Envoy asks; `v3` has it. `sidecar/ext_authz` is what knows both sides."""
