"""The task manager's services: `python -m taskman <service>` runs one.

Begin with `chassis` (what every service stands on), then read a service: its `__init__` says what
it is for, `app` how it is wired, `api` answers its RPCs in five beats, `domain` decides, `store`
keeps, `access` says what is asked of the policies, `events` what is told.
"""
