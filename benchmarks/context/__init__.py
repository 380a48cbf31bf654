"""What deciding with what others know costs: which cache is worth having.

Begin with `run`. In one process that asks like the sidecar does (`sidecar.gathering`), over a real
Redis and a real source of attributes, which is a process of its own.
"""
