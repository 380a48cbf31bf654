"""An expression laid out anew: see `wrapping` for how.

Law: the text that is given back means what the text before meant, or nothing is given back.
"""

from __future__ import annotations

from ..errors import CompileError
from ..issues import Issue, Issues
from .parser import parse
from .source import Source
from .unparser import unparse
from .wrapping import laid_out

WIDTH = 80
BYTE_ORDER_MARK = "\ufeff"


def formatted(source: Source, width: int = WIDTH) -> str:
    """The text of a source, laid out to `width` columns, its comments kept, without a line break at
    its end. Raises CompileError where it does not parse."""
    before = unparse(parse(source))  # trees are the same if they are written in the same way
    text = laid_out(source.text, width)
    try:
        after = unparse(parse(Source(text)))
    except CompileError:
        after = ""
    if after != before:
        message = "laid out anew it would mean something else, so it stays as it is"
        raise CompileError(Issues((Issue(source.place(0), "meaning_changed", message),)))
    return text


def formatted_file(name: str, content: str, width: int = WIDTH) -> str:
    """As `formatted`, of a file that holds one expression: its last line ends too, a byte order
    mark and the kind of its line breaks stay."""
    text = content.removeprefix(BYTE_ORDER_MARK)
    mark = content[: len(content) - len(text)]
    laid_out = formatted(Source(text, name), width).replace("\r\n", "\n") + "\n"
    return mark + (laid_out.replace("\n", "\r\n") if "\r\n" in text else laid_out)
