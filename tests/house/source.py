"""The project's own files, and who imports whom, read from the text and never by importing.

Laws: every import counts, wherever it stands: in a function, under TYPE_CHECKING, in a `try`. A
complaint names the file, the line and the rule.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "src" / "taskman_authz"
# Where the text of a package is, by the name it is imported under.
PACKAGES = {"taskman_authz": HOUSE, "taskman_authz_sidecar": ROOT / "sidecar"}
FOLDERS = ("src", "sidecar", "tests", "tools", "benchmarks", "examples")
GENERATED = ("# GENERATED", "# -*- coding: utf-8 -*-\n# Generated")

# The table of ARCHITECTURE.md: the floor of every room.
FLOORS = {
    0: ("breaker", "errors", "issues", "limits", "request", "decision", "json_text")
    + ("envoy", "v1"),
    1: ("_fast",),
    2: ("cel",),
    3: ("policy", "remembered"),
    4: (
        "attributes",
        "bindings",
        "decision_cache",
        "decision_log",
        "messaging",
        "pdp",
        "store",
        "wire",
    ),
    5: ("client", "integrations", "testing"),
    6: ("__init__", "cli", "pytest_plugin", "sidecar", "examples"),
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}


@dataclass(frozen=True)
class Import:
    """One imported thing: `module` as an absolute name, `name` of it (empty: the module)."""

    path: Path
    line: int
    module: str
    name: str = ""

    def __str__(self) -> str:
        return f"{place(self.path, self.line)}: imports `{self.target}`"

    @property
    def target(self) -> str:
        """What is imported, in one dotted name."""
        return f"{self.module}.{self.name}" if self.name else self.module


def place(path: Path, line: int) -> str:
    """`path:line`, as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{line}"


def is_generated(path: Path) -> bool:
    """Whether a tool wrote this file; its first line says so."""
    return path.read_text(encoding="utf-8").startswith(GENERATED)


@functools.cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file below `folders` (default: all of ours) that a person wrote."""
    found = (path for folder in folders or FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return tuple(path for path in sorted(found) if not is_generated(path))


def cython_files() -> tuple[Path, ...]:
    """Every file in Cython's own language."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.p[yx][xdi]"))
    return tuple(path for path in sorted(found) if path.suffix != ".pyi")


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    """The name a file is imported under: `taskman_authz.cel.env`; its stem for a script."""
    for package, folder in PACKAGES.items():
        if path.is_relative_to(folder):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return path.stem


def module_file(name: str) -> Path | None:
    """The file of one of our modules; None if there is no such module."""
    package, *parts = name.split(".")
    if package not in PACKAGES:
        return None
    stem = PACKAGES[package].joinpath(*parts)
    candidates = (stem / "__init__.py", stem.with_suffix(".py") if parts else stem)
    return next((path for path in candidates if path.is_file()), None)


def room(name: str) -> str:
    """The room of one of our modules: `cel` of `taskman_authz.cel.env`."""
    package, *parts = name.split(".")
    if package == "taskman_authz_sidecar":
        return "sidecar"
    if package != "taskman_authz":
        return "examples"
    return parts[0] if parts else "__init__"


def imports(path: Path) -> Iterator[Import]:
    """Everything that a file imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            yield from _imports_from(path, node)


def _imports_from(path: Path, node: ast.ImportFrom) -> Iterator[Import]:
    module = node.module or ""
    if node.level:
        package = module_name(path).split(".")
        if path.name != "__init__.py":
            package.pop()
        package = package[: len(package) - node.level + 1]
        module = ".".join([*package, *([module] if module else [])])
    for alias in node.names:
        if module_file(f"{module}.{alias.name}"):
            yield Import(path, node.lineno, f"{module}.{alias.name}")
        else:
            yield Import(path, node.lineno, module, alias.name)


def house_imports() -> Iterator[Import]:
    """Every import of one of our modules by another: in src, sidecar and examples."""
    for path in python_files("src", "sidecar", "examples"):
        for found in imports(path):
            if found.module.split(".")[0] in PACKAGES:
                yield found


def public_names(path: Path) -> set[str] | None:
    """What a module's `__all__` lists; None where it has none."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "__all__" and isinstance(node.value, ast.List | ast.Tuple):
                return {str(ast.literal_eval(item)) for item in node.value.elts}
    return None


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, the inner ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
