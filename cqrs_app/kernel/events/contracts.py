"""Contracts of stored events: an event's shape changes only together with its schema number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.messages.shapes import shape_of, undocumented


def path_of(event: type[Event], folder: Path) -> Path:
    return folder / f"{event.__name__}.{event.schema}.json"


def write_missing(events: Iterable[type[Event]], folder: Path) -> Iterator[str]:
    """Write the contract of every event shape that has none; yields the file names.

    The documentation in a contract is for consumers of the event and is not compared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for event in events:
        path = path_of(event, folder)
        if not path.exists():
            path.write_text(json.dumps(msgspec.json.schema(event), indent=2) + "\n")
            yield path.name


def faults(codec: EventCodec, events: Iterable[type[Event]], folder: Path) -> list[str]:
    """One sentence per event whose shape differs from its contract, and per missing upcaster."""
    found = []
    for event in events:
        path = path_of(event, folder)
        if not path.exists():
            found.append(f"{event.__name__} schema {event.schema} has no contract: write it.")
        elif undocumented(json.loads(path.read_text())) != shape_of(event):
            found.append(
                f"{event.__name__} changed without a new schema number: count it up and add an "
                f"upcaster, or undo the change."
            )
        found += [
            f"{event.__name__} has no upcaster from schema {schema}."
            for schema in range(1, event.schema)
            if not codec.has_upcaster(event.__name__, schema)
        ]
    return found
