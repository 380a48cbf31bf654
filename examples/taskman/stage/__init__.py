"""All of TaskMan on one machine: `make taskman`, and a story that is played on it: `make
taskman-demo`.

Begin with `__main__`. `services` starts servers and processes in their order, `company` makes a
first company as an operator would, `story` is what happens in it, told through the gateway alone.

Laws: everything listens on the loopback, in a folder that goes with it unless it is given; secrets
are made at the start and are nowhere else. Whatever was started is ended, however it ends.
"""
