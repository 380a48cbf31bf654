"""AuthZEN 1.0 over HTTP: the same decisions as over gRPC and in process.

Begin with `authzen` (what is answered to which body), then `app` (which path is what, and what all
answers have in common). `questions` reads bodies, `answers` writes them, `searching` is the three
searches, `metadata` what the point says of itself, `health` whether it is well, `server` the
sockets.

Laws: a handler is a function from body bytes and a `Call` to reply bytes, behind the door that all
transports share. No URL is made of what a caller sends. A no is an answer (200), whatever it is
for; a question that cannot be asked is none (400), but for an item among others, which is a no.
"""
