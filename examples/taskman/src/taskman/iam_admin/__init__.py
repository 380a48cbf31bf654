"""IAM administration: who holds which role in which company until when, and the one place where
roles and policies are changed, on the caller's behalf.

Begin with `api`; `forwarding` is how the decision point is asked to change policies.
"""
