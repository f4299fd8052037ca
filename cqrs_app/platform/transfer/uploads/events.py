"""What happened to an import."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class ImportStarted(Event):
    """`sha256` of the file as it was received, in hexadecimal."""

    import_id: str
    profile: str
    file_name: str
    sha256: str
