"""The messages of these tests: `shop.txtpb`, in a pool of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from taskman_authz import cel
from taskman_authz.cel.protobuf.sources import WELL_KNOWN_FILES
from taskman_authz.errors import CompileError, EvaluationError

FILES = text_format.Parse(
    Path(__file__).with_name("shop.txtpb").read_text("utf-8"), FileDescriptorSet()
)
POOL = DescriptorPool()
for _file in WELL_KNOWN_FILES:
    POOL.AddSerializedFile(FileDescriptorProto.FromString(_file.serialized_pb).SerializeToString())
for _proto in FILES.file:
    POOL.AddSerializedFile(_proto.SerializeToString())


def message_class(name: str) -> Any:
    """The class of a message by its full name."""
    return GetMessageClass(POOL.FindMessageTypeByName(name))


Order = message_class("shop.Order")
Item = message_class("shop.Item")
Customer = message_class("shop.Customer")
Base = message_class("shop.legacy.Base")
SOURCES = (Order, Base)

VARIABLES = {"o": "shop.Order", "b": "shop.legacy.Base", "x": "dyn", "y": "dyn"}


def env(**options: Any) -> cel.Env:
    """An environment that knows the shop, in its package."""
    return cel.Env(VARIABLES, **{"messages": SOURCES, "container": "shop", **options})


ENV = env()
STRONG = env(strong_enums=True)


def value(text: str, variables: Any = None, within: cel.Env = ENV, check: bool = True) -> Any:
    """What an expression evaluates to."""
    return within.compile(text, check=check).evaluate(variables or {})


def error_code(text: str, variables: Any = None, within: cel.Env = ENV, check: bool = True) -> str:
    """The code of the error that an expression evaluates to, or does not compile for."""
    try:
        found = value(text, variables, within, check)
    except EvaluationError as error:
        return error.code
    except CompileError as error:
        return next(iter(error.issues)).code
    raise AssertionError(f"{text} is {found!r}")
