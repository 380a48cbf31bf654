"""`taskman-authz db`: policies in PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from ..errors import ArgumentError, StoreError
from .compile import read_all
from .frame import command_parser, counted, errors_in

if TYPE_CHECKING:
    from ..store.postgres import Edit, PostgresStore, Written

DESCRIPTION = """\
Make the tables of policies in PostgreSQL, say what state they are in, and bring policy documents in
and out. The database is that of --dsn, or of $TASKMAN_AUTHZ_DSN."""

NOTES = """\
commands:
  migrate      make the tables, or bring them to this version's state
  status       the migrations, the revision, and how many events wait to be told
  import PATH  put the roles, policies and definitions of documents in place of those of their names
  adopt        make a revision of rows that were changed by hand, or by another version
  export PATH  write everything to a new folder, as documents of the same revision

examples:
  taskman-authz db migrate --dsn postgresql://owner@localhost/authz_db
  taskman-authz db import policies/taskman --dry-run
  taskman-authz db import policies/taskman --prune
  taskman-authz db export backup/

who migrates owns the tables; a service's user owns none and takes a role for each transaction:
  CREATE ROLE app LOGIN NOINHERIT; GRANT authz_service, authz_platform TO app;

exit status: 0 done, 1 (status) there are migrations to apply, 2 an error, and nothing written"""

DSN = "TASKMAN_AUTHZ_DSN"
NOTE = 200  # characters of a note


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or 1 where `status` finds migrations to apply."""
    options = _parser().parse_args(arguments)
    options.dsn = options.dsn or os.environ.get(DSN, "")
    with errors_in(options.format):
        if not options.dsn:
            raise ArgumentError("dsn", f"--dsn, or ${DSN}", "neither")
        return asyncio.run(_COMMANDS[options.command](options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz db", DESCRIPTION, NOTES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in _SUMMARIES.items():
        one = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        one.add_argument("--dsn", metavar="DSN", help=f"postgresql://… (default: ${DSN})")
        one.add_argument("--format", choices=["text", "json"], default="text")
        if name == "import":
            one.add_argument("path", nargs="+", metavar="PATH", help="a policy file or a folder")
            one.add_argument("--dry-run", action="store_true", help="tell it, and write nothing")
            one.add_argument(
                "--prune", action="store_true", help="delete what is in no document, of any company"
            )
        if name in ("import", "adopt"):
            one.add_argument("--actor", metavar="WHO", help="who does it (default: user:LOGIN)")
        if name == "export":
            one.add_argument("path", metavar="PATH", help="a folder that is new, or empty")
    return parser


def _tell(options: argparse.Namespace, text: str, data: dict[str, Any]) -> None:
    print(json.dumps(data, ensure_ascii=False) if options.format == "json" else text)


# -- migrate, status ------------------------------------------------------------------------------


async def _migrate(options: argparse.Namespace) -> int:
    from ..store.postgres import migrate

    done = [str(each) for each in await migrate(options.dsn)]
    text = "\n".join(f"applied {each}" for each in done) or "nothing to apply"
    _tell(options, text, {"applied": done})
    return 0


async def _status(options: argparse.Namespace) -> int:
    from ..store.postgres import Database, PostgresStore, migrations_of

    migrations = await migrations_of(options.dsn)
    waiting = [str(each) for each in migrations if each.applied_at is None]
    lines = [
        f"migration {each}: {each.applied_at or 'not applied yet: taskman-authz db migrate'}"
        for each in migrations
    ]
    data: dict[str, Any] = {"waiting": waiting}
    if not waiting:
        async with await Database.connect(options.dsn, size=1) as database:
            state = await PostgresStore(database).status()
        data |= asdict(state)
        counts = (
            counted(state.policies, "policy", "policies"),
            counted(state.roles, "role", "roles"),
            counted(state.documents, "document", "documents"),
        )
        lines.append(f"revision {state.revision} ({state.content_hash}): {', '.join(counts)}")
        lines.append(f"{counted(state.untold, 'event', 'events')} to be told")
    _tell(options, "\n".join(lines), data)
    return 1 if waiting else 0


# -- import, export -------------------------------------------------------------------------------


async def _import(options: argparse.Namespace) -> int:
    from ..store.postgres import Database, PostgresStore, Put, Workshop, items_of

    items = items_of(read_all(options.path))
    async with await Database.connect(options.dsn) as database:
        writer = Workshop(database).writer(_actor(options))
        # What is there no more goes first: an id may have gone from one company to all.
        edits, seen = await _prunings(PostgresStore(database), items, options.prune)
        edits += (Put(item, key.company) for key, item in items.items())
        if options.dry_run:
            written = await writer.plan(edits)
        else:
            note = f"import of {', '.join(options.path)}"[:NOTE]
            written = await writer.write(edits, expected_revision=seen, note=note)
    _tell(options, _imported(written, options.dry_run), _imported_data(written))
    return 0


async def _prunings(store: PostgresStore, items: Any, prune: bool) -> tuple[list[Edit], int | None]:
    from ..store.postgres import Delete

    if not prune:
        return [], None
    head, keys = await store.keys()
    gone = sorted(key for key in keys if key not in items)
    return [Delete(key.kind, key.name, key.company) for key in gone], head.number


def _imported(written: Written, dry_run: bool) -> str:
    lines = [f"{verb:<8} {key}" for verb, key in written.items] if dry_run else []
    verbs = Counter(verb for verb, _ in written.items)
    counts = ", ".join(f"{verbs[verb]} {verb}" for verb in ("created", "updated", "deleted"))
    would = "would be " if dry_run else ""
    revision = f"revision {written.revision} ({written.content_hash})"
    return "\n".join([*lines, f"{would}{counts}; {revision}"])


def _imported_data(written: Written) -> dict[str, Any]:
    items = [{"change": verb, **key._asdict()} for verb, key in written.items]
    return {
        "revision": written.revision,
        "content_hash": written.content_hash,
        "changes": items,
    }


def _actor(options: argparse.Namespace) -> str:
    return options.actor or f"user:{getpass.getuser()}"


async def _adopt(options: argparse.Namespace) -> int:
    from ..store.postgres import Database, PostgresStore, Workshop

    async with await Database.connect(options.dsn) as database:
        before = await PostgresStore(database).status()
        written = await Workshop(database).writer(_actor(options)).adopt("adopted")
    said = "nothing to adopt" if written.revision == before.revision else "adopted"
    text = f"{said}; revision {written.revision} ({written.content_hash})"
    _tell(options, text, {"revision": written.revision, "content_hash": written.content_hash})
    return 0


async def _export(options: argparse.Namespace) -> int:
    from ..store.postgres import Database, PostgresStore

    folder = Path(options.path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"`{folder}` is there already, and not empty")
    async with await Database.connect(options.dsn) as database:
        snapshot = await PostgresStore(database).files()
    for name, text in snapshot.documents:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    count = counted(len(snapshot.documents), "file", "files")
    names = [name for name, _ in snapshot.documents]
    data = {"revision": snapshot.number, "content_hash": snapshot.content_hash, "files": names}
    text = f"{count} of revision {snapshot.number} ({snapshot.content_hash})"
    _tell(options, text, data)
    return 0


_COMMANDS = {
    "migrate": _migrate,
    "status": _status,
    "import": _import,
    "adopt": _adopt,
    "export": _export,
}
_SUMMARIES = {
    "migrate": "make the tables, or bring them to this version's state",
    "status": "the migrations, the revision, and how many events wait to be told",
    "import": "put the items of policy documents in place of those of their names",
    "adopt": "make a revision of rows that were changed by hand, or by another version",
    "export": "write everything to a new folder, as documents of the same revision",
}
