"""Builds the compiled core: every `src/taskman_authz/_fast/*.py` that has a `.pxd` beside it. And
the sidecar's transport on libnghttp2.

Laws: the `.py` is the only source, compiled or not; but `_fast/native` is C in headers, compiled
with whoever reads it, and plain Python beside that. `TASKMAN_AUTHZ_PURE=1` builds none and the
wheel is `py3-none-any`. Where no C compiler or no Python header can be had, the build says so
loudly and makes the same pure wheel; where there is one, an error in the core fails the build. The
transport is built where libnghttp2 is, and where it is not the build says so.

For looking for faults (`make sanitize`): `TASKMAN_AUTHZ_DEBUG=checks` compiles with every check
that Cython has, whatever a file says at its head, `TASKMAN_AUTHZ_DEBUG=address` with
AddressSanitizer.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from setuptools import Distribution, Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

CORE = Path("src/taskman_authz/_fast")
TRANSPORT = Path("sidecar/http2/session.pyx")
GENERATED = "build/cython"

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # annotations are for mypy; the .pxd alone types the C side
    "binding": True,
    "embedsignature": False,
    "boundscheck": True,
    "wraparound": True,
}
# -g0: debug information would be nine tenths of the file and a third of the compile time.
FLAGS = [] if sys.platform == "win32" else ["-O3", "-fwrapv", "-g0"]
LINK_FLAGS: list[str] = []

DEBUG = os.environ.get("TASKMAN_AUTHZ_DEBUG", "")
CHECKS = {
    "boundscheck": True,
    "wraparound": True,
    "initializedcheck": True,
    "nonecheck": True,
    "cdivision": False,
}
if DEBUG:
    FLAGS = ["-O1", "-g", "-fwrapv", "-fno-omit-frame-pointer"]
if DEBUG == "address":
    FLAGS += ["-fsanitize=address"]
    LINK_FLAGS += ["-fsanitize=address"]

LOUD = """
**********************************************************************************
* taskman-authz: THE COMPILED CORE IS NOT BUILT; the plain Python twin is used.  *
* Decisions are the same, many times slower.                                     *
**********************************************************************************
  why: {why}
  on Debian or Ubuntu: apt-get install gcc libc6-dev python3-dev, then install again
"""

NO_TRANSPORT = """
taskman-authz: the sidecar's transport on libnghttp2 is not built; it serves on grpcio.
  why: {why}
  on Debian or Ubuntu: apt-get install libnghttp2-dev, then install again
"""
# A library without these can be made to work without end (CVE-2023-44487, CVE-2024-28182).
GUARDS = """
#include <nghttp2/nghttp2.h>
int guards(nghttp2_option *option);
int guards(nghttp2_option *option) {
    nghttp2_option_set_stream_reset_rate_limit(option, 1, 1);
    nghttp2_option_set_max_continuations(option, 1);
    return NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES;
}
"""


def sources() -> list[Path]:
    """The modules to compile: the list is "every .pxd", kept nowhere else."""
    return sorted(header.with_suffix(".py") for header in CORE.glob("*.pxd"))


@functools.cache
def obstacle() -> str:
    """Why the core cannot be compiled here; empty if it can. Tried, not guessed."""
    if os.environ.get("TASKMAN_AUTHZ_PURE") == "1":
        return "TASKMAN_AUTHZ_PURE=1"
    why = trial("#include <Python.h>\n")
    if why:
        reason = f"a C file that includes Python.h does not compile: {why}"
        print(LOUD.format(why=reason), file=sys.stderr, flush=True)
        return reason
    return ""


@functools.cache
def transport_obstacle() -> str:
    """Why the transport cannot be compiled here; empty if it can."""
    why = trial("#include <Python.h>\n" + GUARDS, "nghttp2")
    if why:
        why = f"a C file that uses libnghttp2 1.61, or one mended since, does not compile: {why}"
        print(NO_TRANSPORT.format(why=why), file=sys.stderr, flush=True)
    return why


def trial(text: str, *libraries: str) -> str:
    """Why a C file does not compile with these libraries; empty if it does."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder, "probe.c")
        probe.write_text(f"{text}PyMODINIT_FUNC PyInit_probe(void) {{return NULL;}}\n")
        strict = [] if sys.platform == "win32" else ["-Werror=implicit-function-declaration"]
        extension = Extension(
            "probe", [str(probe)], libraries=list(libraries), extra_compile_args=strict
        )
        command = build_ext(Distribution({"ext_modules": [extension]}))
        command.build_lib = command.build_temp = folder
        try:
            command.ensure_finalized()
            command.run()
        except Exception as error:  # whatever a tool chain may raise means the same here
            return str(error) or type(error).__name__
    return ""


def checked_copies() -> Path:
    """The core's sources without what their heads say about checks, in a package like theirs: what
    a file says goes before what the compiler is told."""
    copies = Path("build/checks", *CORE.parts[1:])
    copies.mkdir(parents=True, exist_ok=True)
    copies.with_name("__init__.py").touch()
    for path in (*CORE.rglob("*.py"), *CORE.rglob("*.pxd")):
        head, _, rest = path.read_text().partition("\n")
        if head.startswith("# cython:"):
            head = re.sub(rf"\b({'|'.join(CHECKS)})=\w+", "language_level=3", head)
        copy = copies / path.relative_to(CORE)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(f"{head}\n{rest}")
    return copies


def directives_changed() -> bool:
    """Whether a C file was generated before this file changed, or a header of `native`: Cython
    only looks at its sources and at headers beside them."""
    read = Path(__file__), *CORE.glob("native/*.pxd")
    changed = max(path.stat().st_mtime_ns for path in read)
    return any(made.stat().st_mtime_ns < changed for made in Path(GENERATED + DEBUG).rglob("*.c"))


class CoreDistribution(Distribution):
    """Tells the wheel whether it is pure before anything is built."""

    def has_ext_modules(self) -> bool:
        return bool(self.ext_modules) and not obstacle()


class BuildCore(build_ext):
    """Cythonizes when it is asked to build, not when setup.py is merely read."""

    def finalize_options(self) -> None:
        if obstacle():
            self.distribution.ext_modules = []
        elif transport_obstacle():
            self.distribution.ext_modules = [*core()]
        if self.distribution.ext_modules and not isinstance(self.parallel, int):
            self.parallel = os.cpu_count() or 1
        super().finalize_options()

    def run(self) -> None:
        if not self.extensions:
            return
        self.swap_in(self.extensions)
        super().run()
        if self.inplace:
            self.stamp()

    def swap_in(self, extensions: list[Extension]) -> None:
        """Replaces each `.py` source by the C file made from it."""
        from Cython.Build import cythonize

        directives, root = DIRECTIVES, "src"
        if DEBUG == "checks":
            copies = checked_copies()
            directives, root = DIRECTIVES | CHECKS, str(copies.parents[1])
            for extension in extensions:
                if extension.sources == [str(TRANSPORT)]:
                    continue
                extension.sources = [str(copies / f"{extension.name.rpartition('.')[2]}.py")]
        made = cythonize(
            extensions,
            compiler_directives=directives,
            build_dir=GENERATED + DEBUG,
            force=self.force or directives_changed(),
            # Without it the .pxd beside a .py is not found.
            include_path=[root, str(TRANSPORT.parent)],
            nthreads=os.cpu_count() or 1,
            show_all_warnings=False,
        )
        for extension, compiled in zip(extensions, made, strict=True):
            extension.sources = compiled.sources

    def build_extension(self, ext: Extension) -> None:
        super().build_extension(ext)
        self.built = getattr(self, "built", 0) + 1
        print(f"[{self.built}/{len(self.extensions)}] compiled {ext.name}", flush=True)

    def stamp(self) -> None:
        """One time for the whole core: a library older than any source of the core is stale."""
        for extension in self.extensions:
            os.utime(self.get_ext_fullpath(extension.name))


def core() -> Iterator[Extension]:
    """The modules of the core."""
    for path in sources():
        yield _extension(f"taskman_authz._fast.{path.stem}", path)


def transport() -> Extension:
    """The module that uses libnghttp2."""
    made = _extension("taskman_authz_sidecar.http2.session", TRANSPORT)
    made.libraries = ["nghttp2"]
    return made


def _extension(name: str, source: Path) -> Extension:
    return Extension(
        name,
        [str(source)],
        depends=["setup.py"],
        extra_compile_args=FLAGS,
        extra_link_args=LINK_FLAGS,
    )


setup(
    distclass=CoreDistribution,
    cmdclass={"build_ext": BuildCore},
    package_dir={"": "src", "taskman_authz_sidecar": "sidecar"},
    packages=[
        *find_packages("src"),
        "taskman_authz_sidecar",
        *(f"taskman_authz_sidecar.{name}" for name in find_packages("sidecar")),
    ],
    package_data={
        "": ["py.typed", "*.pyi", "*.pxd", "*.pyx", "*.pxi", "*.lark", "*.json", "*.sql"]
    },
    include_package_data=False,
    ext_modules=[*core(), transport()],
    zip_safe=False,
)
