"""The examples of README.md and of the pages of `docs/` as things that can be run.

A ```python block runs in one namespace with the others under the same `##` heading. In a
```console block each line after `$ ` is a command, and the lines after it are what it prints
(`...` stands for anything). `no-run` after the language keeps a block from being run: for what
needs another process, or would take minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

OUR_COMMANDS = ("taskman-authz", "policy-test", "python")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language with what follows it, its first line, its text, its heading."""

    info: str
    line: int
    text: str
    section: str

    @property
    def runs(self) -> bool:
        """Whether the block is meant to be run."""
        return "no-run" not in self.info.split()


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what it is said to print."""

    line: int
    text: str
    expected: list[str] = field(default_factory=list)

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return self.text.split()[0].rpartition("/")[2]


def blocks(path: Path) -> Iterator[Block]:
    """Every fenced block of a Markdown file."""
    section, info, start, kept = "", None, 0, list[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if info is None and line.startswith("## "):
            section = line[3:].strip()
        fence = re.match(r"^(```+)(.*)$", line)
        if fence and info is None:
            info, start, kept = fence[2].strip(), number + 1, []
        elif fence and info is not None:
            yield Block(info, start, "\n".join(kept) + "\n", section)
            info = None
        else:
            kept.append(line)


def sections(path: Path) -> dict[str, list[Block]]:
    """The Python blocks that run, by heading."""
    found: dict[str, list[Block]] = {}
    for block in blocks(path):
        if block.info.split()[:1] == ["python"] and block.runs:
            found.setdefault(block.section, []).append(block)
    return found


def commands(path: Path) -> list[Command]:
    """The commands of ours in the console blocks that run."""
    found: list[Command] = []
    for block in blocks(path):
        if block.info.split()[:1] == ["console"] and block.runs:
            found += _commands(block)
    return [command for command in found if command.program in OUR_COMMANDS]


def _commands(block: Block) -> Iterator[Command]:
    current: Command | None = None
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            if current:
                yield current
            current = Command(number, line[2:])
        elif line.startswith("> ") and current and not current.expected:
            text = f"{current.text.removesuffix(chr(92))}{line[2:]}"  # the backslash ends a line
            current = Command(current.line, text)
        elif current:
            current.expected.append(line)
    if current:
        yield current
