"""The blocks of code on a page of the docs, and how a test changes files as they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Block(NamedTuple):
    """A block of code: its language, the file that it is, and its text."""

    kind: str
    title: str
    text: str


def blocks_of(text: str) -> Iterator[Block]:
    for found in re.finditer(r"```(\w+)(?: title=(\S+))?\n(.*?)```", text, re.DOTALL):
        yield Block(found[1], found[2] or "", found[3])


def files_in(diff: str) -> list[str]:
    return re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)


def change(folder: Path, diff: str) -> None:
    """Change the files of a diff. Fails where the lines that say where are not there just once."""
    for part in diff.split("+++ b/")[1:]:
        name, *hunks = part.split("@@\n")
        path = folder / name.strip()
        for hunk in hunks:
            lines = hunk.splitlines()
            # Whole lines: one beside the new one is enough to say where it goes.
            before = "".join(f"\n{line[1:]}" for line in lines if line[0] in "- ") + "\n"
            after = "".join(f"\n{line[1:]}" for line in lines if line[0] in "+ ") + "\n"
            content = path.read_text()
            assert content.count(before) == 1, f"{path} has no single {before!r}"
            path.write_text(content.replace(before, after))
