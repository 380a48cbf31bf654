"""What an embedder names as messages, as the files that describe them.

A source is a module that protoc generated, a message or enum class, a descriptor, or a set of file
descriptors (`protoc --include_imports --descriptor_set_out`), as a message or as bytes. It stands
for its whole file and all that this file imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from ...errors import CompileError
from ...issues import Issue, Issues, Place

# Every environment with messages knows these.
WELL_KNOWN_FILES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (
        any_pb2,
        duration_pb2,
        empty_pb2,
        field_mask_pb2,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
    )
)

HINT = "a module that protoc generated, a message class, a descriptor, or a FileDescriptorSet"


def files(sources: Iterable[Any]) -> tuple[FileDescriptor, ...]:
    """The files of all sources and those they import, each once; the well-known ones last.

    Raises CompileError for what is no source.
    """
    found: dict[int, FileDescriptor] = {}
    for source in sources:
        for file in _files_of(source):
            _add(file, found)
    for file in WELL_KNOWN_FILES:
        _add(file, found)
    return tuple(found.values())


def _add(file: FileDescriptor, found: dict[int, FileDescriptor]) -> None:
    waiting = [file]
    while waiting:
        file = waiting.pop()
        if id(file) not in found:
            found[id(file)] = file
            waiting += file.dependencies


def _files_of(source: Any) -> list[FileDescriptor]:
    if isinstance(source, bytes):
        try:
            return _loaded(FileDescriptorSet.FromString(source))
        except DecodeError:
            raise _refused("these bytes are not a FileDescriptorSet") from None
    if isinstance(source, FileDescriptorSet):
        return _loaded(source)
    described = getattr(source, "DESCRIPTOR", source)
    if isinstance(described, FileDescriptor):
        return [described]
    if isinstance(described, (Descriptor, EnumDescriptor)):
        return [described.file]
    raise _refused(f"a value of the Python type `{type(source).__name__}` describes no messages")


def _loaded(described: FileDescriptorSet) -> list[FileDescriptor]:
    """The files of a set, in a pool of their own."""
    protos = {proto.name: proto for proto in described.file}
    for file in WELL_KNOWN_FILES:
        protos.setdefault(file.name, FileDescriptorProto.FromString(file.serialized_pb))
    pool = DescriptorPool()
    try:
        for proto in _in_order(protos):
            pool.AddSerializedFile(proto.SerializeToString())
        return [pool.FindFileByName(proto.name) for proto in described.file]
    except (KeyError, TypeError) as error:
        raise _refused(f"the FileDescriptorSet cannot be read: {error}") from None


def _in_order(protos: dict[str, FileDescriptorProto]) -> Iterator[FileDescriptorProto]:
    """Every file behind those that it imports."""
    done: set[str] = set()
    waiting = list(protos)
    while waiting:
        name = waiting[-1]
        missing = [n for n in protos[name].dependency if n not in done and n in protos]
        if name in done or not missing or len(waiting) > 2 * len(protos):
            waiting.pop()
            if name not in done:
                done.add(name)
                yield protos[name]
        else:
            waiting += missing


def _refused(message: str) -> CompileError:
    issue = Issue(Place("<messages>"), "invalid_messages", message, f"expected {HINT}")
    return CompileError(Issues((issue,)))


class Names:
    """What files declare, by full name. The first of a name counts."""

    def __init__(self, files: Iterable[FileDescriptor]) -> None:
        self.messages: dict[str, Descriptor] = {}
        self.enums: dict[str, EnumDescriptor] = {}
        self.extensions: dict[str, FieldDescriptor] = {}
        for file in files:
            for message in file.message_types_by_name.values():
                self._add_message(message)
            self._add(file.enum_types_by_name.values(), file.extensions_by_name.values())

    def _add_message(self, message: Descriptor) -> None:
        if message.GetOptions().map_entry:
            return
        self.messages.setdefault(message.full_name, message)
        self._add(message.enum_types, message.extensions)
        for nested in message.nested_types:
            self._add_message(nested)

    def _add(self, enums: Iterable[EnumDescriptor], extensions: Iterable[FieldDescriptor]) -> None:
        for enum in enums:
            self.enums.setdefault(enum.full_name, enum)
        for extension in extensions:
            self.extensions.setdefault(extension.full_name, extension)


class PoolNames:
    """What a whole pool declares, looked up when it is asked for."""

    def __init__(self, pool: DescriptorPool) -> None:
        self.pool = pool

    def message(self, name: str) -> Descriptor | None:
        for pool in (self.pool, descriptor_pool.Default()):
            try:
                return pool.FindMessageTypeByName(name)
            except KeyError:
                continue
        return None

    def extension(self, name: str) -> FieldDescriptor | None:
        try:
            return self.pool.FindExtensionByName(name)
        except KeyError:
            return None
