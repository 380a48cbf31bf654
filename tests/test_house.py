"""The house keeps its own laws: floors, sizes, doors, one source at two speeds, true examples.

The laws are in ARCHITECTURE.md. Every complaint names the file, the line and the rule.
"""

from __future__ import annotations

import ast
import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from taskman_authz import _fast
from tests.house import readme, source
from tests.house.source import FLOOR, HOUSE, ROOT, place

FILE_LINES = 600
FUNCTION_LINES = 60
EXTRAS = ("grpc", "redis", "asyncpg", "google.protobuf", "lark", "typer", "rich", "structlog")
EXTRAS += ("django", "fastapi", "flask", "starlette")
CORE = HOUSE / "_fast"


def complain(complaints: list[str], rule: str) -> None:
    """Fail with every complaint under the rule that was broken."""
    assert not complaints, "\n".join([f"rule: {rule}", *sorted(complaints)])


# -- floors ------------------------------------------------------------------------------------


def test_every_room_has_a_floor():
    rooms = {
        path.stem if path.suffix == ".py" else path.name
        for path in HOUSE.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    unknown = [f"src/taskman_authz/{room}" for room in rooms if room not in FLOOR]
    complain(unknown, "a room stands on a floor: name it in FLOORS and in ARCHITECTURE.md")


def test_architecture_tells_the_same_floors():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    told = {int(number): line for number, line in re.findall(r"^([0-6]) \w+ +(.*)$", text, re.M)}
    complaints = [
        f"ARCHITECTURE.md: floor {floor} does not name `{room}`"
        for room, floor in FLOOR.items()
        if not re.search(rf"(?<!\w){room}(?!\w)", told.get(floor, ""))
    ]
    complain(complaints, "ARCHITECTURE.md and tests/house/source.py hold one table of floors")


def test_imports_go_downhill():
    complaints = []
    for found in source.house_imports():
        here, there = source.room(source.module_name(found.path)), source.room(found.module)
        if FLOOR.get(there, 99) > FLOOR.get(here, 99):
            complaints.append(f"{found} (floor {FLOOR.get(there)} from floor {FLOOR.get(here)})")
    complain(complaints, "a room imports itself and lower floors, never upward")


def test_rooms_of_one_floor_do_not_import_each_other():
    complaints = []
    for found in source.house_imports():
        here, there = source.room(source.module_name(found.path)), source.room(found.module)
        if here != there and FLOOR.get(here) == FLOOR.get(there) and FLOOR.get(here) in (4, 5):
            complaints.append(str(found))
    complain(complaints, "rooms of floors 4 and 5 meet in the front, never sideways")


def test_core_imports_only_itself_the_standard_library_and_re2():
    complaints = []
    for path in sorted(CORE.glob("*.py")):
        for found in source.imports(path):
            top = found.module.split(".")[0]
            ours = found.module.startswith("taskman_authz._fast")
            if not ours and top not in sys.stdlib_module_names and top != "re2":
                complaints.append(str(found))
    complain(complaints, "_fast imports nothing of the house but itself")


def test_import_pulls_in_no_extra():
    # Every name: their modules are imported when they are asked for.
    probe = "import sys, json; from taskman_authz import *; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(run_python("-c", probe)))
    complain(
        [f"import taskman_authz: pulls in `{name}`" for name in EXTRAS if name in loaded],
        "gRPC, Redis, PostgreSQL and protobuf are extras; lark is imported when it is needed",
    )


# -- doors -------------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for():
    complaints = [
        f"{place(path, 1)}: no docstring"
        for path in source.python_files("src", "sidecar", "tools", "benchmarks", "examples")
        if not ast.get_docstring(source.tree(path))
    ]
    complain(complaints, "a door (and every module) begins with what it is for")


def test_private_names_stay_in_their_room():
    complaints = []
    for found in source.house_imports():
        here, there = source.room(source.module_name(found.path)), source.room(found.module)
        parts = [part for part in found.target.split(".")[1:] if part != "_fast"]
        if here != there and any(re.match(r"_(?!_)", part) for part in parts):
            complaints.append(str(found))
    complain(complaints, "a name with an underscore is used in its own room only")


def test_only_public_names_cross_a_door():
    complaints = []
    for found in source.house_imports():
        here, there = source.room(source.module_name(found.path)), source.room(found.module)
        door = source.module_file(found.module)
        public = source.public_names(door) if door else None
        if here != there and found.name and public is not None and found.name not in public:
            complaints.append(f"{found}, which is not in its __all__")
    complain(complaints, "what crosses a door is in its __all__, where it has one")


# -- sizes -------------------------------------------------------------------------------------


def test_files_are_short():
    complaints = []
    for path in (*source.python_files(), *source.cython_files()):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines >= FILE_LINES:
            complaints.append(f"{place(path, lines)}: {lines} lines")
    complain(complaints, f"a file has fewer than {FILE_LINES} lines (aim 150)")


def test_functions_are_short():
    complaints = []
    for path in source.python_files():
        for function in source.functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines >= FUNCTION_LINES:
                complaints.append(
                    f"{place(path, function.lineno)}: `{function.name}` has {lines} lines"
                )
    complain(complaints, f"a function has fewer than {FUNCTION_LINES} lines (aim 6)")


# -- one source, two speeds --------------------------------------------------------------------


def test_every_header_has_its_source():
    complaints = [
        f"{place(header, 1)}: no {header.stem}.py beside it"
        for header in sorted(CORE.glob("*.pxd"))
        if not header.with_suffix(".py").exists()
    ]
    complain(complaints, "a .pxd is the header of a .py")


def test_both_twins_have_the_same_doors():
    if "" in _fast.modules().values():
        pytest.skip("the core is not compiled here")
    names = (
        "import importlib, json, taskman_authz._fast as core\n"
        "module = lambda name: importlib.import_module(f'taskman_authz._fast.{name}')\n"
        "print(json.dumps({m: dir(module(m)) for m in core.modules()}))"
    )
    complaints = []
    for module, compiled in json.loads(run_python("-c", names, pure=False)).items():
        path, header = CORE / f"{module}.py", (CORE / f"{module}.pxd").read_text(encoding="utf-8")
        for node in source.tree(path).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name in compiled:
                continue
            if not re.search(rf"^cdef (?!class)[^:\n]*\b{node.name}\(", header, re.M):
                complaints.append(f"{place(path, node.lineno)}: `{node.name}` is lost by compiling")
    complain(complaints, "compiled or not, a module of the core has the same names")


def test_no_library_is_older_than_its_source():
    libraries = [CORE / name for name in _fast.modules().values() if name]
    if not libraries:
        pytest.skip("the core is not compiled here")
    built = min(library.stat().st_mtime_ns for library in libraries)
    complaints = [
        f"{place(path, 1)}: changed after the core was compiled"
        for name in _fast.modules()
        for path in (CORE / f"{name}.py", CORE / f"{name}.pxd")
        if path.stat().st_mtime_ns > built
    ]
    complain(complaints, "a stale library hides an edited source: make build")


# -- what is written is true -------------------------------------------------------------------


def test_generated_code_is_fresh():
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_protos.py", "--check"],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTIONS = [(page, name) for page in PAGES for name in readme.sections(page)]
COMMANDS = [(page, command) for page in PAGES for command in readme.commands(page)]


def test_readme_and_changelog_exist():
    assert PAGES[0].exists()
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_pages_are_found_from_the_readme():
    text = PAGES[0].read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in text] == []


@pytest.mark.parametrize(
    ("page", "section"), SECTIONS, ids=lambda part: getattr(part, "name", part)
)
def test_examples_of_pages_run(page: Path, section: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    namespace: dict[str, object] = {"__name__": "__readme__"}
    for block in readme.sections(page)[section]:
        padded = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's line
        exec(compile(padded, str(page), "exec"), namespace)


@pytest.mark.parametrize(
    ("page", "command"),
    COMMANDS,
    ids=[f"{page.name}:{command.line}" for page, command in COMMANDS],
)
def test_commands_of_pages_print_what_is_said(page: Path, command: readme.Command):
    program, *arguments = shlex.split(command.text)
    name = program.rpartition("/")[2]
    done = subprocess.run(
        [Path(sys.executable).parent / name, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    place = f"{page.name}:{command.line}"
    if not command.expected:
        assert done.returncode == 0, f"{place}\n{done.stdout}{done.stderr}"
        return
    want = "\n".join(command.expected).strip()
    got = (done.stdout + done.stderr).strip()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    same = doctest.OutputChecker().check_output(f"{want}\n", f"{got}\n", flags)
    assert same, f"{place} says\n{want}\n\nand it printed\n{got}"


def test_no_file_holds_a_path_of_this_machine():
    here = [re.escape(f"{ROOT}/")] if len(ROOT.parts) > 2 else []
    pattern = re.compile("|".join([*here, r"/Users/\w+/", r"/home/(?!user/)\w+/", r"/root/\w"]))
    complaints = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path != Path(__file__) and (found := pattern.search(line)):
                complaints.append(f"{place(path, number)}: `{found[0]}`")
    complain(complaints, "what is committed works on every machine")


def tracked_files() -> list[Path]:
    """Every file that git knows here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def run_python(*arguments: str, pure: bool | None = None) -> str:
    """What an interpreter of its own prints; `pure` chooses the twin (None: as here)."""
    environment = dict(os.environ)
    if pure is not None:
        environment["TASKMAN_AUTHZ_PURE"] = "1" if pure else "0"
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
