"""Reads event logs in XES (IEEE 1849), one trace at a time.

A trace is a case, such as one expense claim, with its events in order. Nothing is expanded: a file
with a document type declaration, which entities need, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from xml.parsers import expat

from cqrs_app.platform.transfer.imports.source import BadFile, check_rows, unpacked

CHUNK = 64 * 1024
DEEPEST = 100
"""Elements around one another. A log needs five or so."""
MOST_EVENTS = 10_000
"""Events of one trace: a trace is held in memory."""
LARGEST_TRACE = 64 * 1024**2
"""Of its attributes and those of its events, each with ATTRIBUTE besides its characters."""
ATTRIBUTE = 200
"""Bytes that an attribute takes in memory, besides its texts."""
LONGEST_TAG = 256 * 1024
"""Bytes that one chunk after another may have without the end of a tag or text."""


@dataclass(slots=True)
class XesEvent:
    """One event, and the line where it begins."""

    line: int
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class XesTrace:
    """One trace with its own attributes, and the line where it begins."""

    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    events: list[XesEvent] = field(default_factory=list)


def read_traces(path: Path) -> Iterator[XesTrace]:
    """The traces of a log, plain or compressed. Raises BadFile if it is missing, cut off, too
    large, not XML or not XES."""
    reading = _Reading(path)
    with unpacked(path) as file:
        while chunk := file.read(CHUNK):
            yield from reading.feed(chunk, last=False)
        yield from reading.feed(b"", last=True)


class _Reading:
    """Takes the pieces of a file; `_open` are the names of the elements around the current one."""

    values: ClassVar[frozenset[str]] = frozenset(
        {"string", "date", "int", "float", "boolean", "id"}
    )

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[str] = []
        self._trace: XesTrace | None = None
        self._done: list[XesTrace] = []
        self._events = 0
        self._size = 0
        self._position = 0
        self._ahead = 0
        self._parser = expat.ParserCreate()
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            # Where it defers, it does not say how far it is. Tags are short enough to read again.
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, chunk: bytes, *, last: bool) -> list[XesTrace]:
        """The traces that end in this piece."""
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code] if error.code else "unknown"
            raise self._bad(f"is not a complete XML file: {reason}", error.lineno) from None
        except (LookupError, ValueError):  # from the codec that the file names
            raise self._bad("has an encoding that cannot be read") from None
        self._require_progress(len(chunk))
        done, self._done = self._done, []
        return done

    def _require_progress(self, size: int) -> None:
        """A tag of any length would fill the memory."""
        if self._parser.CurrentByteIndex == self._position:
            self._ahead += size
            if self._ahead > LONGEST_TAG:
                raise self._bad("has a tag that is too long")
        else:
            self._position, self._ahead = self._parser.CurrentByteIndex, 0

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        name = name.rpartition(":")[2]
        if not self._open and name != "log":
            raise self._bad("is not an event log in XES: its first element is not “log”")
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise self._bad(f"has elements nested deeper than {DEEPEST}")
        match self._open:
            case ["log", "trace"]:
                self._trace = XesTrace(self._parser.CurrentLineNumber)
                self._size = 0
            case ["log", "trace", "event"]:
                self._begin_event()
            case ["log", "trace", value] if value in self.values and self._trace:
                self._keep(self._trace.attributes, attributes)
            case ["log", "trace", "event", value] if value in self.values and self._trace:
                self._keep(self._trace.events[-1].attributes, attributes)

    def _keep(self, found: dict[str, str], attributes: Mapping[str, str]) -> None:
        key, text = attributes.get("key", ""), attributes.get("value", "")
        self._size += ATTRIBUTE + len(key) + len(text)
        if self._size > LARGEST_TRACE:
            raise self._bad("has a trace that is too large")
        found[key] = text

    def _begin_event(self) -> None:
        if self._trace is None:
            return
        self._events += 1
        check_rows(self._path, self._events)
        self._trace.events.append(XesEvent(self._parser.CurrentLineNumber))
        if len(self._trace.events) > MOST_EVENTS:
            raise self._bad(f"has a trace of more than {MOST_EVENTS:,} events")

    def _end(self, name: str) -> None:
        self._open.pop()
        if self._open == ["log"] and name.rpartition(":")[2] == "trace" and self._trace:
            self._done.append(self._trace)
            self._trace = None

    def _refuse_doctype(self, *declared: object) -> None:
        raise self._bad("declares a document type, which an event log does not need")

    def _bad(self, what: str, line: int = 0) -> BadFile:
        line = line or self._parser.CurrentLineNumber
        return BadFile(f"{self._path.name} {what} (line {line}). Nothing was imported.")
