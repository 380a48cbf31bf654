"""Pieces for frameworks: one file a framework, each a page, each imported only by who uses it.

`fastapi`, `starlette`, `flask`, `django` and `grpc` have a `Guard` that asks a decision point
before a route or a method runs; `functions` has one for plain functions. Begin with `enforcement`,
which all of them share; `routes` tells which routes of an app no check guards. `sources` makes a
service a source of attributes.

Laws: every guard takes a `PDP`, a `Client` or, where there is an event loop, an `AsyncClient`.
Nothing that fails lets a call through. Without a subject the answer is 401, without a yes 403, and
where no decision can be had 503 (UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE over gRPC); why
is for the log, never for the response.
"""
