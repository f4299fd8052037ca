"""From a command to the change it makes: load, decide, chain, snapshot. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import msgspec

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.aggregate import Aggregate, snapshot_of
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.claims import claiming
from cqrs_app.kernel.commands.handling import Decided, Handler, decide
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.events.recorded import EventCodec, StoredEvent, chained
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.sealing import Sealing
from cqrs_app.kernel.privacy.vault import Step, Vault
from cqrs_app.kernel.store import Change, Head, LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """With `minds_versions` off, no command conflicts because the operator saw an older version."""

    routes: Mapping[type[Command], Handler]
    codec: EventCodec
    repository: Repository
    vault: Vault
    clock: Clock
    snapshots: bool = True
    minds_versions: bool = True
    person_of: PersonOf = str

    def decide(self, call: Call) -> Change:
        """The change that the command would make now.

        Raises Refused (by a business rule, or for personal data of an erased person),
        VersionConflict if the operator saw an older version and the command declares
        `minds_version`, or if the version that the call relies on is another, and UndeclaredEvent.
        Its claims are checked when the change is written.
        """
        cls, stream = self.target(call)
        if call.relies_on is None:
            return self.decide_on(call, stream, *self.repository.load(cls, stream))
        other, seen = call.relies_on
        aggregate, head, version = self.repository.load_beside(cls, stream, other)
        if version != seen:
            raise VersionConflict(other, seen, None)
        return self.decide_on(call, stream, aggregate, head)

    def target(self, call: Call) -> tuple[type[Aggregate], str]:
        """The aggregate that decides, and its stream."""
        cls = self.routes[type(call.routed)].aggregate
        return cls, cls.stream_for(call.instead) if call.instead else call.stream

    def decide_on(self, call: Call, stream: str, aggregate: Aggregate, head: Head) -> Change:
        """Like `decide`, on an aggregate already restored, which is left in its new state."""
        if call.instead is None:
            call.belongs_to = aggregate.belongs_to
        expected = call.context.expected_version
        minds = type(call.routed).declaration.minds_version and self.minds_versions
        if minds and expected is not None and expected != head.version:
            raise VersionConflict(call.stream, expected, head.version)
        if call.instead is None and call.completed_at not in (None, head.version):
            raise VersionConflict(call.stream, call.completed_at or 0, None)
        history = call.context.occurred_at is not None
        now = self.clock()
        at = call.context.occurred_at or now
        handler = self.routes[type(call.routed)].given(call.arguments)
        if handler.takes_performer:
            handler = handler.given({"performer": call.context.performer(self.person_of)})
        doubts = chain(call.context.doubts, aggregate.doubts(at, now)) if history else ()
        decided = decide(
            aggregate,
            handler,
            call.instead or call.completed or call.command,
            at,
            history=history,
            doubts=doubts,
            waived=call.context.waived,
            warnings=() if call.instead else call.warnings,
        )
        if call.instead is None:
            call.belongs_to = aggregate.belongs_to
        sealing = self.vault.sealing(stream, aggregate.belongs_to, dry=call.dry)
        events = tuple(self._with_owned(decided.events))
        stored = self._chain(call, stream, head, events, sealing, at, now)
        call.written = stored
        version = head.version + len(stored)
        snapshot = None
        if self.snapshots and stored:
            last = head.snapshot.version if head.snapshot else 0
            snapshot = snapshot_of(aggregate, version, last)
        steps = self._steps(decided, events, sealing, head, dry=call.dry)
        entry = self._entry(call, version, stored)
        return Change(entry, stored, snapshot, (*call.guards, *steps))

    def _entry(self, call: Call, version: int, stored: Sequence[StoredEvent]) -> LogEntry:
        if call.instead:
            return call.entry(call.outcome)  # the events are in another stream
        listed = [{"type": event.type, "version": event.version} for event in stored]
        written = msgspec.json.encode(listed).decode()
        return call.entry(call.outcome, version=version, events=written)

    def _with_owned(self, events: Iterable[Event]) -> Iterator[Event]:
        """Erasing a person erases every subject that the person owns."""
        for event in events:
            yield event
            if isinstance(event, SubjectErased):
                for subject in self.vault.owned_by(event.subject):
                    yield SubjectErased(subject=subject)

    def _steps(
        self,
        decided: Decided,
        events: Sequence[Event],
        sealing: Sealing,
        head: Head,
        *,
        dry: bool,
    ) -> Iterator[Step]:
        for claim in decided.claims:
            yield claiming(claim, sealing.stream, self.vault.fingerprint)
        if sealing.used:
            yield self.vault.guard(sealing, head.version)
        for each in decided.ownerships:
            yield self.vault.ownership(each.subject, each.owner, dry=dry)
        # What a person owns before the person, who is then found to own nothing else.
        erased = [event.subject for event in events if isinstance(event, SubjectErased)]
        for subject in reversed(erased):
            yield self.vault.destruction(subject, sealing.stream, head.version)

    def _chain(
        self,
        call: Call,
        stream: str,
        head: Head,
        events: Sequence[Event],
        sealing: Sealing,
        at: datetime,
        now: datetime,
    ) -> tuple[StoredEvent, ...]:
        for event in events:
            self.codec.require(event)
        context = call.context
        rows = (
            StoredEvent(
                stream=stream,
                version=version,
                type=type(event).__name__,
                schema=event.schema,
                payload=sealing.event_text(event),
                operator=context.actor.name,
                command_id=context.command_id,
                correlation_id=context.correlation,
                causation_id=context.causation_id,
                occurred_at=at,
                recorded_at=now,
            )
            for version, event in enumerate(events, start=head.version + 1)
        )
        return tuple(chained(head.hash, rows))
