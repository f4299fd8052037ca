"""What happened to an import."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from cqrs_app.kernel.messages.messages import Event, event


@event(schema=2)
class ImportStarted(Event):
    """`sha256` of the file as it was received, in hexadecimal. `mapping` is JSON, or empty where
    the profile says how the file is read."""

    import_id: str
    profile: str
    file_name: str
    sha256: str
    mapping: str
    rehearsal: bool


def _started_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"mapping": "", "rehearsal": False}


UPCASTERS = MappingProxyType({("ImportStarted", 1): _started_1})
