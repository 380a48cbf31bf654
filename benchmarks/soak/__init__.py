"""A sidecar under load for a long time, in all the trouble that a day brings: `make soak`.

Half of the calls that it can answer, while its policies change every second (and some changes do
not compile), a worker is killed every minute, and others send frames that no client should. Begin
with `__main__`; `questions` is what is asked and what the right answer is, `load` asks, `hostile`
sends nonsense, `sidecar` is the process and what is done to it.

Laws: every answer is compared with that of this process by the policies of the revision that the
answer names. A call may fail only if it was open when a worker was killed. No process may grow.
"""
