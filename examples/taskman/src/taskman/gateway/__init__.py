"""The one door: HTTP and JSON outside, gRPC inside.

Begin with `routes` (what there is, as a table), then `handling` (the way of one request); `asking`
knows what the policies are asked before a request goes on, `openapi` tells the table to others.

Laws: a route says what the policies are asked, or why nobody is: there is no third kind. Nobody is
asked with a token that was not verified, and what is kept of an answer is for one user's eyes. The
service behind asks again: a gateway that is passed by opens nothing.
"""
