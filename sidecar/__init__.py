"""The policy decision point as a process beside the service that asks: `taskman-authz serve`.

Begin with `wiring` (what it is made of and how it starts and stops), `door` (what every call
passes) and `decisions` (what all faces decide by). `authorization` is the service, `server` its
transport, `status` what an exception becomes, `policies` follows the policy folder (as `following`
says), `ext_authz` is what Envoy is answered, `health` is what of all this is in order, `orders`
what it is told while it runs, `workers` makes several processes of it, `settings` is all that can
be set, `log` is how it speaks, `demo` is what `--demo` adds.

Laws: policies are loaded before an address is opened, and a change that does not compile leaves
the last good ones in place, says everything that is wrong, and shows in the health. A handler is a
function from request bytes and a `Call` to reply bytes: no transport is known to what decides.
"""
