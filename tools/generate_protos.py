"""Generate the wire code of every `.proto` below `proto/`, and say whether it is fresh.

    python tools/generate_protos.py            generate
    python tools/generate_protos.py --check    exit 1 and say which files are not fresh

Laws: the path of a file below `proto/` is its protobuf package and its Python package, so that
generated imports need no rewriting. The first line of a generated file says what it was generated
from and by which tools. Whether it is fresh is told without the tools and without a network: the
line carries digests of the source and of the text that follows it.

The generators are pinned, and run by uv in an environment of their own: generated code asks for a
protobuf and a grpcio at least as new as its generator's, so the generator is as old as the lower
bounds in pyproject.toml (`protobuf>=6.31.1`, `grpcio>=1.74.0`) and not what happens to be
installed.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "proto"
TOOLS = ("grpcio-tools==1.74.0", "mypy-protobuf==5.1.0")
# Packages of proto/ and the folder that holds the Python package of that name.
HOMES = {"taskman_authz": ROOT / "src", "taskman": ROOT / "examples" / "taskman" / "src"}
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def digest(text: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def headline(proto: Path, body: str) -> str:
    """The first line of a file generated from `proto` whose other lines are `body`."""
    name = proto.relative_to(PROTOS).as_posix()
    source = digest(proto.read_text(encoding="utf-8"))
    return (
        f"# GENERATED from proto/{name} by tools/generate_protos.py; do not edit. "
        f"{' '.join(TOOLS)} source={source} body={digest(body)}"
    )


def targets(proto: Path) -> Iterator[Path]:
    """The files that `proto` becomes. One without a service becomes no `_grpc` files."""
    relative = proto.relative_to(PROTOS)
    has_service = "\nservice " in proto.read_text(encoding="utf-8")
    for suffix in SUFFIXES:
        if has_service or "grpc" not in suffix:
            name = relative.stem + suffix
            yield HOMES[relative.parts[0]] / relative.parent / name


def stale(proto: Path) -> Iterator[str]:
    """What is not fresh of the files that `proto` becomes, one sentence each."""
    for target in targets(proto):
        name = target.relative_to(ROOT)
        if not target.exists():
            yield f"{name} is missing"
            continue
        head, _, body = target.read_text(encoding="utf-8").partition("\n")
        if head != headline(proto, body):
            yield f"{name} is not what proto/{proto.relative_to(PROTOS)} becomes"


def generate(protos: list[Path]) -> None:
    """Generate everything aside, then put it in its place with its first line."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        sys.exit("generate_protos: uv is needed to run the generators: pip install uv")
    with tempfile.TemporaryDirectory() as aside:
        command = [uv, "run", "--quiet", "--no-project", "--isolated", "--python", sys.executable]
        for tool in TOOLS:
            command += ["--with", tool]
        command += ["python", "-m", "grpc_tools.protoc", f"--proto_path={PROTOS}"]
        command += [f"--{plugin}_out={aside}" for plugin in ("python", "grpc_python")]
        command += [f"--{plugin}_out=quiet:{aside}" for plugin in ("mypy", "mypy_grpc")]
        subprocess.run([*command, *map(str, protos)], check=True)
        for proto in protos:
            for target in targets(proto):
                home = HOMES[proto.relative_to(PROTOS).parts[0]]
                body = (Path(aside) / target.relative_to(home)).read_text(encoding="utf-8")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(f"{headline(proto, body)}\n{body}", encoding="utf-8")


def main() -> int:
    """Generate, or with `--check` only look."""
    parser = argparse.ArgumentParser(description="Generate the wire code of proto/.")
    parser.add_argument("--check", action="store_true", help="only say whether it is fresh")
    protos = sorted(PROTOS.rglob("*.proto"))
    if not parser.parse_args().check:
        generate(protos)
    complaints = [complaint for proto in protos for complaint in stale(proto)]
    for complaint in complaints:
        print(f"{complaint}: run `make generate`", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
