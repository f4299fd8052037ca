"""What whoever asks may read of events and commands that are shown as they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import structs

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.events.recorded import Opener, StoredEvent
from cqrs_app.kernel.privacy.personal import concealed
from cqrs_app.kernel.store import LogEntry

NOT_SHOWN = "{}"
"""The payload of an event or a command whose fields the reader may not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRights:
    """Permissions: `personal` for personal values, `events` for the fields of events; of a command
    by its type, any one of `commands` for its fields, or else `events`. Empty: nobody needs one.

    Who sent a command may read it.
    """

    personal: str = ""
    events: str = ""
    commands: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def sees_personal(self, actor: Actor) -> bool:
        return not self.personal or actor.may(self.personal)

    def sees_fields(self, actor: Actor, holder: StoredEvent | LogEntry) -> bool:
        if isinstance(holder, StoredEvent):
            return not self.events or actor.may(self.events)
        needed = self.commands.get(holder.type, frozenset(filter(None, [self.events])))
        return not needed or holder.operator == actor.name or any(map(actor.may, needed))


class Concealing:
    """An opener that opens nothing: see `concealed`."""

    def open(self, text: str, stream: str) -> str:
        return concealed(text)

    def prepare(self, texts: Iterable[str]) -> None:
        """Needs no keys."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One who asks. `opener` opens the personal values of whoever may see them."""

    actor: Actor
    rights: ReadingRights
    opener: Opener

    def prepare(self, texts: Iterable[str]) -> None:
        self._opener.prepare(texts)

    def shown(self, holder: StoredEvent | LogEntry) -> StoredEvent | LogEntry:
        """The event or the command as far as this reader may see it."""
        if self.rights.sees_fields(self.actor, holder):
            payload = self._opener.open(holder.payload, holder.stream)
            return structs.replace(holder, payload=payload)
        if isinstance(holder, StoredEvent):
            return structs.replace(holder, payload=NOT_SHOWN)
        return structs.replace(holder, payload=NOT_SHOWN, sentence=None, traceback=None)

    @property
    def _opener(self) -> Opener:
        return self.opener if self.rights.sees_personal(self.actor) else Concealing()
