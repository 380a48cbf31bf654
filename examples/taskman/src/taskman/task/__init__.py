"""Projects and their tasks: who works on what, how far it is, and what is said about it.

Who works in a project (`project_members`, which the policies read as `subject.projects`) is known
here; whether a user exists and is active, the user service is asked. Begin with `api`.
"""
