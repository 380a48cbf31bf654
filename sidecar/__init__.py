"""The policy decision point as a process beside the service that asks: `taskman-authz serve`.

Begin with `wiring` (what it is made of and how it starts and stops), `door` (what every call
passes) and `decisions` (what all faces decide by). `authorization` is the gRPC service, `server`
its transport; `http` is AuthZEN, `ext_authz` what Envoy is answered. `status` is what an exception
becomes, `following` keeps `policies`, `entities` and routes on what is newest, `security` says who
may ask, `health` is what of all this is in order, `orders` what it is told while it runs, `workers`
makes several processes of it, `settings` is all that can be set, `log` is how it speaks, `demo` is
what `--demo` adds.

Laws: policies are loaded before an address is opened, and a change that does not compile leaves
the last good ones in place, says everything that is wrong, and shows in the health. A handler is a
function from request bytes and a `Call` to reply bytes: no transport is known to what decides.
"""
