"""Who somebody is: passwords, sessions, tokens.

Users are the user service's, roles IAM's (heard as events). Begin with `api`; `tokens` makes and
signs tokens, `passwords` hashes, `throttle` counts failures.

Laws: no answer, and no time that an answer takes, tells whether an address is known. Passwords and
tokens rest as hashes, signing keys encrypted. A refresh token is good once; one that comes a second
time ends its session.
"""
