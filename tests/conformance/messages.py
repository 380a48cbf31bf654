"""The messages of the suite's tests: their descriptors, which the archive carries inside of the
JavaScript that is generated from them, in a pool of their own.
"""

from __future__ import annotations

import base64
import functools
import re
import tarfile
from collections.abc import Iterator

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    text_format,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from . import fetch

# What the tests' files import; the descriptors in the archive leave their imports out.
WELL_KNOWN = (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
PACKAGE = "cel/expr/conformance"
# Each may import those before it.
FILES = (
    f"{PACKAGE}/proto2/test_all_types",
    f"{PACKAGE}/proto2/test_all_types_extensions",
    f"{PACKAGE}/proto3/test_all_types",
)

EXPRESSIONS = ("cel/expr/syntax", "cel/expr/checked")


@functools.cache
def pool() -> DescriptorPool:
    """All of them. Raises `fetch.Unavailable`."""
    made = DescriptorPool()
    names = []
    for module in WELL_KNOWN:
        made.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        names.append(module.DESCRIPTOR.name)
    for described in _described():
        described.dependency.extend(names)
        made.AddSerializedFile(described.SerializeToString())
        if described.package.endswith("proto2"):
            names.append(described.name)
    return made


@functools.cache
def files() -> tuple[FileDescriptor, ...]:
    """The files of the tests, as `cel.Env` takes them."""
    return tuple(pool().FindFileByName(f"{name}.proto") for name in FILES)


@functools.cache
def expressions() -> DescriptorPool:
    """The official descriptors of expressions as trees. Raises `fetch.Unavailable`."""
    made = DescriptorPool()
    names = []
    for module in WELL_KNOWN:
        made.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        names.append(module.DESCRIPTOR.name)
    for described in _described(EXPRESSIONS):
        described.dependency.extend(names)
        made.AddSerializedFile(described.SerializeToString())
        names.append(described.name)
    return made


@functools.cache
def checker_files() -> FileDescriptorSet:
    """The same messages under the names that the checker's cases have for them."""
    made = FileDescriptorSet()
    for described in _described():
        described.dependency.extend(module.DESCRIPTOR.name for module in WELL_KNOWN)
        if not described.extension:  # the cases name none
            text = text_format.MessageToString(described)
            for name, other in CHECKER_NAMES.items():
                text = text.replace(name, other)
            made.file.append(text_format.Parse(text, FileDescriptorProto()))
    return made


CHECKER_NAMES = {
    "cel.expr.conformance.proto2": "google.expr.proto2.test",
    "cel.expr.conformance.proto3": "google.expr.proto3.test",
    "single_id": "nested_id",  # of the group
}


def _described(files: tuple[str, ...] = FILES) -> Iterator[FileDescriptorProto]:
    with tarfile.open(fetch.archive()) as tar:
        for name in files:
            member = tar.extractfile(f"package/dist/cjs/gen/{name}_pb.js")
            source = member.read().decode("utf-8") if member else ""
            found = re.search(r"fileDesc\)\(\"([A-Za-z0-9+/]+)\"", source)
            if found is None:
                raise fetch.Unavailable(f"{fetch.PACKAGE} carries no descriptor of {name}.proto")
            text = found[1] + "=" * (-len(found[1]) % 4)
            yield FileDescriptorProto.FromString(base64.b64decode(text))
