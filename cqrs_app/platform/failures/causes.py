"""What failures have in common: the kind of error, its message without values, and the place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import astuple, dataclass

LONGEST_MESSAGE = 300
ID_DIGITS = 12

_DETAILS = re.compile(
    r"\n\s*(\[SQL|\[parameters|DETAIL:|CONTEXT:|LINE \d|\(Background).*", re.DOTALL
)
_VALUES = re.compile(
    r"""
    ~personal\.\S+~ | \[personal\] | \[(left\ out|hidden)\]        # sealed or removed before
    | (?<!\w)"[^"\n]*" | (?<!\w)'[^'\n]*'(?!\w) | `[^`\n]*` | \u201c[^\u201d\n]*\u201d
    | \S+@\S+\.\w+                                        # e-mail addresses
    | \b[a-z]+://\S+                                      # addresses of the web
    | \b[\w.:/+-]*\d[\w.:/+-]*                            # numbers, ids, dates
    """,
    re.VERBOSE,
)
_FILE = '  File "'
_SUMMARY = re.compile(r"([A-Za-z_][\w.]*)(?:: (.*))?")
"""The last line of a traceback; further lines of a message are left out."""
_HEADINGS = ("Traceback (most recent call last)", "During handling of", "The above exception was")
_FRAME = re.compile(r'File "[^"]*?(cqrs_app/[^"]+)", line \d+, in (\S+)')


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures with the same cause are one. `kind` is what failed and `place` which one: "event"
    and the subscription, "command" and its name, "delivery" and the webhook, "job" and the task,
    "page" and its route. `code` is the function of this product that raised, if one did."""

    kind: str
    place: str
    error: str
    message: str
    code: str

    @property
    def id(self) -> str:
        """The same in every process and release, as long as the code has the same names."""
        return hashlib.sha256("\x1f".join(astuple(self)).encode()).hexdigest()[:ID_DIGITS]


def cause_of(kind: str, place: str, error: str, message: str, traceback: str) -> Cause:
    """The cause, from the texts of an exception: the name of its class, its message, and its
    formatted traceback, which may be empty."""
    frames = _FRAME.findall(traceback)
    code = " ".join(frames[-1]) if frames else ""
    return Cause(kind, place, error, normalised(message), code)


def normalised(message: str) -> str:
    """A message without its values: quoted texts, numbers, ids, dates and addresses become "…"."""
    text = _VALUES.sub("\N{HORIZONTAL ELLIPSIS}", _DETAILS.sub("", message))
    return " ".join(text.split())[:LONGEST_MESSAGE]


def named(described: str) -> tuple[str, str]:
    """The name of the class and the message of "KeyError: 'x'"."""
    name, colon, message = described.partition(": ")
    return (name, message) if colon and name.isidentifier() else ("", described)


def without_values(traceback: str, clean: Callable[[str], str] = str) -> str:
    """A traceback with normalised messages: its files, lines and code, and no values. `clean`
    removes further ones from messages."""
    kept: list[str] = []
    for line in traceback.splitlines():
        after_file = bool(kept) and kept[-1].startswith(_FILE)
        if line.startswith((_FILE, *_HEADINGS)) or (after_file and line.startswith("    ")):
            kept.append(line)
        elif summary := _SUMMARY.fullmatch(line):
            name, message = summary.groups()
            kept.append(f"{name}: {normalised(clean(message))}" if message else name)
    return "\n".join(kept)
