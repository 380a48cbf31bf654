"""`taskman-authz routes`: the routes of an app that no check guards, or those of a table."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AuthzError
from .frame import GREEN, RED, command_parser, counted, painted

if TYPE_CHECKING:
    from ..integrations.enforcement import Route

DESCRIPTION = """\
List the routes of a FastAPI, Starlette, Flask or Django app that neither a guard of
`taskman_authz.integrations` checks nor `public` opens. The app is imported, not run. Of a table of
routes for Envoy, where everything is one or the other, all that is wrong is told."""

NOTES = """\
examples:
  taskman-authz routes tasks.main:app
  taskman-authz routes --app-dir examples fastapi_app:app
  taskman-authz routes 'tasks:create_app()' --public /docs --public /openapi.json
  taskman-authz routes tasks.wsgi:application --format json | jq '.routes[] | select(.guarded)'
  taskman-authz routes examples/envoy/routes.yaml

output: a line for each such route. With --format json one object with `routes` (all of them:
objects with path, methods, endpoint, check, public and guarded) and `unguarded`, their number

exit status: 0 every route is guarded or public, 1 some are not, 2 an error"""

FRAMEWORKS = ("fastapi", "starlette", "flask", "django")


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where every route is guarded or public, else 1."""
    parser = command_parser("taskman-authz routes", DESCRIPTION, NOTES)
    parser.add_argument(
        "app",
        metavar="MODULE:APP|FILE.yaml",
        help="`APP()` is a function that makes the app; a file is a table of --ext-authz-routes",
    )
    parser.add_argument(
        "--trusted-header",
        metavar="NAME",
        action="append",
        default=[],
        help="a header that says who asks, as --ext-authz-trusted-header of `serve`",
    )
    parser.add_argument(
        "--app-dir", metavar="FOLDER", default=".", help="where MODULE is (default: here)"
    )
    parser.add_argument(
        "--public", metavar="PATH", action="append", default=[], help="a path that may be open"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output, the status only")
    options = parser.parse_args(arguments)
    module, colon, name = options.app.partition(":")
    if options.app.endswith((".yaml", ".yml")):
        found = _tabled(options.app, options.trusted_header)
    elif module and colon and name:
        sys.path.insert(0, os.path.abspath(options.app_dir))
        found = _listed(_loaded(module, name))
    else:
        parser.error(f"expected MODULE:APP, found `{options.app}`")
    routes = [
        route._replace(is_public=route.is_public or route.path in options.public) for route in found
    ]
    bare = [route for route in routes if not (route.check or route.is_public)]
    if not options.quiet:
        print(_json(routes) if options.format == "json" else _text(routes, bare))
    return 1 if bare else 0


def _loaded(module: str, name: str) -> Any:
    """The app. Raises AuthzError for whatever its code raises."""
    try:
        found: Any = import_module(module)
        for part in name.removesuffix("()").split("."):
            found = getattr(found, part)
        return found() if name.endswith("()") else found
    except (Exception, SystemExit) as error:  # the app's own code
        kind = type(error).__name__
        raise AuthzError(f"`{module}:{name}` cannot be loaded: {kind}: {error}") from error


def _listed(app: Any) -> Iterable[Route]:
    for base in type(app).__mro__:
        framework = base.__module__.partition(".")[0]
        if framework in FRAMEWORKS:
            home = import_module(f"taskman_authz.integrations.{framework}")
            found: Iterable[Route] = home.list_routes(app)
            return found
    expected = "a FastAPI, Starlette, Flask or Django app"
    raise AuthzError(f"expected {expected}, found a value of type `{type(app).__name__}`")


def _tabled(path: str, trusted: list[str]) -> Iterable[Route]:
    """The routes of a table. Raises AuthzError."""
    try:
        from taskman_authz_sidecar.ext_authz.reading import load_table
    except ModuleNotFoundError as error:
        if str(error.name).startswith("taskman_authz."):
            raise  # a fault of ours, not a missing extra
        needed = f"a table needs `{error.name}`: pip install 'taskman-authz[sidecar]'"
        raise AuthzError(needed) from None
    from ..integrations.enforcement import Route

    for each in load_table(Path(path), trusted).listed:
        check = None if each.check is None else str(each.check)
        yield Route(each.path, (each.method,), "", check, each.is_public)


def _text(routes: list[Route], bare: list[Route]) -> str:
    count = counted(len(routes), "route", "routes")
    if not bare:
        return painted(f"{count}, each guarded or public", GREEN, sys.stdout)
    lines = [f"{' '.join(each.methods) or '*'} {each.path}  {each.endpoint}" for each in bare]
    lines.append(painted(f"{len(bare)} of {count} not guarded", RED, sys.stdout))
    return "\n".join(lines)


def _json(routes: list[Route]) -> str:
    listed = [
        {
            "path": route.path,
            "methods": route.methods,
            "endpoint": route.endpoint,
            "check": route.check,
            "public": route.is_public,
            "guarded": bool(route.check),
        }
        for route in routes
    ]
    bare = sum(not (route.check or route.is_public) for route in routes)
    return json.dumps({"routes": listed, "unguarded": bare}, ensure_ascii=False)
