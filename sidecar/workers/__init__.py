"""Several processes that answer at one address: `serve --workers N`.

Begin with `supervisor`, the parent: it reserves the addresses, loads the policies once to fail
early, forks the workers, and keeps them running. `seat` is what a worker is given, and how it and
the supervisor speak; `processes` is what is done to processes.

Laws: the supervisor answers nobody and has no thread and no event loop, so that it may fork at any
time. The kernel divides connections among workers (SO_REUSEPORT); what holds of one worker only
shows in the health of all. No process outlives the supervisor, or is left unreaped by it.
"""
