"""What every service stands on: settings, logs, metrics, a database, events, gRPC, and the PEP.

Begin with `service` (how a service starts and stops); `server` is the way of one call. `caller` is
who calls, `pep` asks whether they may, `database` and `cache` see one company, `events` are told
and heard, `client` asks other services, `fields` reads requests, `errors` is what others see.

Laws: the chassis knows no service's noun. A call without a caller, a decision or a company ends in
an error; what a caller may see of an error is in `errors`, all else is in the log.
"""
