"""Users of a company: who they are, their profiles and preferences, whether they are active.

Other services ask it who somebody is (`GetUser`) and what policies may know of a user
(`AttributeService`). Begin with `api`.
"""
