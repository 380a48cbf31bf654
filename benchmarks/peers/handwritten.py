"""A hand-written Cython function a case (`handwritten.pyx`), built into the cache folder."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
from importlib.metadata import version as distribution_version
from pathlib import Path
from types import ModuleType
from typing import Any

from ..cases import Case, Evaluation
from . import Cannot, Timed, Variant

TITLE = "hand-written Cython"
VARIANTS = {
    "": Variant("", (Evaluation,)),
}

SOURCE = Path(__file__).parents[1] / "handwritten.pyx"
FUNCTIONS = {
    "true": "always",
    "arithmetic": "arithmetic",
    "policy": "policy",
    "policy-true": "policy",
    "exists": "exists",
    "filter-map": "filter_map",
    "time-regex": "time_regex",
    "equalities": "equalities",
}


def version() -> str:
    """Cython's; builds the module, and says so where it cannot."""
    _module()
    return distribution_version("Cython")


def prepare(case: Case, variant: str) -> Timed:
    """The case's function."""
    if not isinstance(case, Evaluation):
        raise Cannot("has no function for this case")
    call = getattr(_module(), FUNCTIONS[case.name])
    return Timed("call(data)", {"call": call, "data": dict(case.data)})


def cache_folder(name: str) -> Path:
    """A folder of this benchmark's in `$TASKMAN_AUTHZ_CACHE`, or in `.cache` of the repository."""
    root = os.environ.get("TASKMAN_AUTHZ_CACHE") or Path(__file__).parents[2] / ".cache"
    return Path(root) / "benchmarks" / name


def _module() -> ModuleType:
    if "handwritten" in sys.modules:
        return sys.modules["handwritten"]
    digest = hashlib.sha256(SOURCE.read_bytes() + platform.python_version().encode()).hexdigest()
    folder = cache_folder(f"handwritten-{digest[:16]}")
    built = [*folder.glob("handwritten*.so"), *folder.glob("handwritten*.pyd")] or _build(folder)
    spec = importlib.util.spec_from_file_location("handwritten", built[0])
    if spec is None or spec.loader is None:
        raise Cannot(f"{built[0]} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["handwritten"] = module
    spec.loader.exec_module(module)
    return module


def _build(folder: Path) -> list[Path]:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    extension = Extension("handwritten", [str(SOURCE)], extra_compile_args=["-O3"])
    try:
        modules = cythonize(  # type: ignore[no-untyped-call]
            [extension], build_dir=str(folder / "c"), quiet=True
        )
        command: Any = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder), str(folder / "o")
        command.ensure_finalized()
        command.run()
    except Exception as error:  # setuptools has many classes for "there is no compiler"
        raise Cannot(f"cannot be built here: {' '.join(str(error).split())[:100]}") from None
    return [*folder.glob("handwritten*.so"), *folder.glob("handwritten*.pyd")]
