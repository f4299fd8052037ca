"""Keeps the newest seals of the logs where whoever can write to the database cannot change them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, ClassVar, get_args

import msgspec

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.verification.seals import LogName, Seal
from cqrs_app.platform.alerts.schedule import Turns
from cqrs_app.platform.audit.timestamps import NotStamped, stamp
from cqrs_app.platform.webhooks.sending import post
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.tasks import Deliveries

KEY = "all"
AFTER_ERROR = timedelta(minutes=5)
CUT_OFF = "Input data was truncated"
"""What msgspec says of the beginning of a document."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest seals at a time, with the console that they are of: one line of JSON. `timestamp`
    is an authority's response for the line without it; empty without an authority."""

    console: str
    at: datetime
    seals: dict[LogName, Seal]
    timestamp: bytes = b""

    @property
    def content(self) -> bytes:
        """What the authority stamps."""
        return msgspec.json.encode(msgspec.structs.replace(self, timestamp=b""))


@dataclass(frozen=True, slots=True)
class Places:
    """Where anchors go: a file, to which lines are added; a URL, to which each is sent. `authority`
    is the URL of one that stamps each before. Empty for none."""

    file: str = ""
    url: str = ""
    authority: str = ""
    allowed: tuple[Network, ...] = ()

    def keep(self, anchor: Anchor) -> str:
        """Returns what went wrong, as sentences; empty if it is everywhere. Without its time stamp
        an anchor is kept all the same."""
        troubles = []
        if self.authority:
            try:
                stamped = stamp(self.authority, anchor.content, self.allowed)
                anchor = msgspec.structs.replace(anchor, timestamp=stamped)
            except NotStamped as trouble:
                troubles.append(f"SEAL_TIMESTAMP_URL: {trouble}")
        line = msgspec.json.encode(anchor)
        return " ".join(filter(None, (*troubles, self._append(line), self._send(line))))

    def _append(self, line: bytes) -> str:
        if not self.file:
            return ""
        try:
            opened = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(opened, "ab+") as file:
                file.write(_after_a_cut_line(file) + line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return f"SEAL_ANCHOR_FILE cannot be written: {error.strerror}."
        return ""

    def _send(self, line: bytes) -> str:
        if not self.url:
            return ""
        return post(self.url, line, {"User-Agent": "Countersign-Seals/1"}, self.allowed).error


def _after_a_cut_line(file: IO[bytes]) -> bytes:
    """Ends the last line, if it was cut off."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read() == b"\n" else b"\n"


class AnchorSeals(BackgroundTask):
    """Every so often, by one process of all hosts."""

    name: ClassVar[str] = "seal_anchors"
    worker: ClassVar[str] = Deliveries.worker
    sends_commands: ClassVar[bool] = False

    def __init__(self, places: Places, console: str, every: timedelta) -> None:
        self._places = places
        self._console = console
        self._turns = Turns("seal_anchors", every, AFTER_ERROR)
        self.supervised = bool(places.file or places.url)

    def due(self, kernel: Kernel) -> list[str]:
        if not self.supervised:
            return []
        return [KEY] if self._turns.is_due(kernel.engines.write, kernel.clock()) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        with self._turns.taken(kernel) as turn:
            if turn is not None:
                seals = {log: kernel.seals.latest(log) for log in get_args(LogName)}
                now = datetime.now(UTC)
                anchor = Anchor(console=self._console, at=now, seals=seals)
                turn.error = self._places.keep(anchor)
        return False


def newest(lines: Iterable[bytes], console: str) -> Anchor:
    """The newest anchor of this console. A line that was cut off, as by a full disk, does not
    count. Raises ValueError if there is none, or another line cannot be read."""
    found: Anchor | None = None
    for anchor in _anchors(lines):
        if anchor.console == console:
            found = anchor
    if found is None:
        raise ValueError("it has no seals of this console")
    return found


def _anchors(lines: Iterable[bytes]) -> Iterable[Anchor]:
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.json.decode(line.rstrip(), type=Anchor)
        except msgspec.DecodeError as error:
            if str(error) != CUT_OFF:
                raise ValueError(f"line {number} cannot be read") from None
