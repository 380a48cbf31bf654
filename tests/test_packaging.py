"""The wheel works in an empty virtual environment in another folder, compiled and pure.

Built from what git would publish, so that a file somebody forgot to add is missed here.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from taskman_authz_sidecar.http2 import missing

from taskman_authz import _fast
from tests.house.source import ROOT

pytestmark = pytest.mark.packaging

ONE = """
policies:
  - id: everybody-reads
    effect: allow
    roles: ["*"]
    actions: ["tasks:view"]
    resources: ["tasks/*"]
    condition: resource.public
"""

ASK = """
import sys
from taskman_authz.client import Client
with Client(sys.argv[1]) as pdp:
    public = {"type": "tasks", "id": "2", "public": True}
    print(*(bool(pdp.check("user:1", "tasks:view", task)) for task in (public, "tasks/2")))
"""

DECIDE = """
import pathlib, sys
from taskman_authz import PDP, cel
from taskman_authz._fast import twin
assert "site-packages" in cel.__file__, cel.__file__
assert cel.evaluate("x.name == 'a' && 1 + 1 == 2", {"x": {"name": "a"}}) is True
policy = pathlib.Path(sys.argv[1], "one.yaml")
policy.write_text(sys.argv[2])
pdp = PDP.from_path(policy)
assert pdp.check("user:1", "tasks:view", {"type": "tasks", "id": "2", "public": True})
assert not pdp.check("user:1", "tasks:view", "tasks/2")
print(twin())
"""

LOADED = """
from taskman_authz_sidecar.http2 import missing
assert missing() == "", missing()
print(*(line.split()[-1] for line in open("/proc/self/maps") if "libnghttp2" in line))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files in a folder of their own, with what `make build` has compiled."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("published")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for made in (ROOT / "build").rglob("*.[cs]*"):  # C files and libraries: used if new enough
        if made.suffix in (".c", ".so"):
            (folder / made.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(made, folder / made.relative_to(ROOT))
    return folder


def run(*command: str | Path, folder: Path, pure: bool) -> str:
    """What a command prints, with nothing of ours on its path but what is installed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment["TASKMAN_AUTHZ_PURE"] = "1" if pure else "0"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def closure(requirements: list[str], extra: str) -> dict[str, metadata.Distribution]:
    """The distributions that these requirements, of which some are an extra's, need here, by name,
    without extras of their own."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": extra})):
            continue
        found[name] = metadata.distribution(name)
        for text in found[name].requires or ():
            needed = Requirement(text)
            if not needed.marker or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed)
    return found


def link(source: Path, target: Path) -> None:
    """Make a folder or file be another one; those of several distributions (`google`) are all."""
    if not target.exists():
        return target.symlink_to(source)
    if target.is_symlink():
        former = target.resolve()
        if former == source.resolve() or not source.is_dir():
            return
        target.unlink()
        target.mkdir()
        link(former, target)
    for each in source.iterdir():
        link(each, target / each.name)


def empty_environment(folder: Path, wheel: Path, extra: str = "") -> Path:
    """A virtual environment with the wheel, what the wheel says it needs (with an extra), and
    nothing else: its `bin`. The requirements are those installed here: no network is needed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv, "uv is missing: make build"
    python = folder / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel]
    subprocess.run(install, check=True)
    (installed,) = folder.glob("lib/python*/site-packages")
    (described,) = metadata.distributions(name="taskman-authz", path=[str(installed)])
    for needed in closure(list(described.requires or ()), extra).values():
        tops = {Path(str(file)).parts[0] for file in needed.files or ()}
        for top in tops - {"..", "__pycache__"}:
            link(Path(str(needed.locate_file(top))), installed / top)
    return folder / "bin"


@pytest.mark.parametrize("twin", ["compiled", "pure"])
def test_wheel_works_in_an_empty_environment(twin: str, published: Path, tmp_path: Path):
    if twin == "compiled" and not all(_fast.modules().values()):
        pytest.skip("the core is not compiled here")
    pure = twin == "pure"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "w"]
    run(*build, published, folder=published, pure=pure)
    (wheel,) = (tmp_path / "w").iterdir()
    assert wheel.name.endswith("-py3-none-any.whl") == pure
    libraries = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]
    core = [name for name in libraries if "/_fast/" in name]
    assert len(core) == (0 if pure else len(_fast.modules()))
    assert not pure or not libraries  # the transport is compiled too, where it can be

    programs = empty_environment(tmp_path / "venv", wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The pure wheel is asked without the variable: there is nothing else that it could be.
    ask = functools.partial(run, folder=elsewhere, pure=False)
    assert ask(programs / "python", "-c", DECIDE, elsewhere, ONE) == f"{twin}\n"
    version = ask(programs / "taskman-authz", "--version")
    assert metadata.version("taskman-authz") in version and twin in version
    assert ask(programs / "taskman-authz", "eval", "1 + 1 == 2") == "true\n"
    ask(programs / "policy-test", "--help")


def serves_and_is_asked(programs: Path, folder: Path) -> None:
    """The sidecar starts with what its extra installs, answers a client, and ends in order."""
    (folder / "policies").mkdir()
    (folder / "policies" / "one.yaml").write_text(ONE)
    command = [programs / "taskman-authz", "serve", "--policies", folder / "policies"]
    command += ["--listen", "127.0.0.1:0", "--log-format", "json"]
    serving = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert serving.stderr is not None
    line = serving.stderr.readline()
    assert '"serving"' in line, line + serving.communicate(timeout=30)[1]
    (address,) = json.loads(line)["listen"]
    found = run(programs / "python", "-c", ASK, address, folder=folder, pure=False)
    serving.terminate()
    serving.communicate(timeout=30)
    assert found == "True False\n"
    assert serving.returncode == 0


def test_a_repaired_wheel_carries_the_library_of_the_transport(published: Path, tmp_path: Path):
    if missing() and not os.environ.get("CI"):
        pytest.skip(f"no transport on libnghttp2: {missing()}")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "w"]
    run(*build, published, folder=published, pure=False)
    (built,) = (tmp_path / "w").iterdir()
    repair = ["auditwheel", "repair", "--wheel-dir", tmp_path / "dist", built]
    subprocess.run(repair, check=True, capture_output=True, env=environment)
    (wheel,) = (tmp_path / "dist").iterdir()
    assert "manylinux" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/sidecar/http2/LICENSE.libnghttp2") for name in names)
    programs = empty_environment(tmp_path / "venv", wheel, "sidecar")
    serves_and_is_asked(programs, tmp_path)
    loaded = run(programs / "python", "-c", LOADED, folder=tmp_path, pure=False)
    assert "/taskman_authz.libs/libnghttp2" in loaded
