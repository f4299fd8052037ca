"""What happened to macros."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class MacroSaved(Event):
    """Replaces the macro of this name. Each step is the name of a command and its fields, such as
    `HoldOrder?reason=other`."""

    owner: str
    macro: str
    steps: tuple[str, ...]


@event()
class MacroRenamed(Event):
    owner: str
    macro: str
    new_name: str


@event()
class MacroDeleted(Event):
    owner: str
    macro: str
