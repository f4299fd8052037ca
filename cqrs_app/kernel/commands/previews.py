"""What commands would do: decided as for real, and nothing is written, not even to the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

import msgspec

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.batch import Batch, Foreseen, Stream
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.consequences import (
    Consequences,
    Effect,
    Forecast,
    Prospect,
    Rehearsed,
)
from cqrs_app.kernel.commands.context import Actor, ActorNow, Context, Receipt
from cqrs_app.kernel.commands.decider import Decider
from cqrs_app.kernel.commands.guards import guarding
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.log import CommandLog, receipt_of
from cqrs_app.kernel.commands.middleware import Middleware, authorise, compose
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import SwitchedOff
from cqrs_app.kernel.events.recorded import EventCodec, Recorded
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.privacy.personal import personal_fields
from cqrs_app.kernel.privacy.vault import Step, Vault
from cqrs_app.kernel.store import Change, EventStore

BATCH_CHUNK = 200


class Previews:
    """The half of the command bus that only decides: see CommandBus."""

    def __init__(
        self,
        routes: Mapping[type[Command], Handler],
        codec: EventCodec,
        store: EventStore,
        log: CommandLog,
        vault: Vault,
        options: BusOptions,
        *,
        middleware: Sequence[Middleware],
        consequences: Sequence[Consequences],
        clock: Clock,
        person_of: PersonOf,
        actor_now: ActorNow,
    ) -> None:
        self._routes = routes
        self._codec = codec
        self._store = store
        self._log = log
        self._vault = vault
        self._options = options
        self._consequences = consequences
        self._clock = clock
        self._actor_now = actor_now
        self._repository = Repository(store, codec)
        self._decider = Decider(
            routes=routes,
            codec=codec,
            repository=self._repository,
            vault=vault,
            clock=clock,
            snapshots=options.snapshots,
            minds_versions=options.optimistic_concurrency,
            person_of=person_of,
        )
        self._allowed: list[Middleware] = [authorise] if options.authorise else []
        self._judging: list[Middleware] = [*self._allowed, *middleware]

    def preview(self, command: Command, context: Context) -> tuple[Event, ...]:
        """The events that this command would lead to now. Writes nothing, not even to the log.

        Raises what `execute` would raise.
        """
        return tuple(recorded.event for recorded in self._previewed(command, context))

    def effects(self, command: Command, context: Context) -> tuple[Effect, ...]:
        """What would follow from this command now, beyond its own events. Writes nothing.

        Raises what `execute` would raise.
        """
        return self.foresee(command, context).effects

    def foresee(
        self, command: Command, context: Context, *, after: Batch | None = None
    ) -> Forecast:
        """What this command would do now, or after what is decided of a batch so far. Writes
        nothing. Raises what `execute` would raise."""
        if after is not None and not after.is_ahead:
            after = None
        events = self._previewed(command, context, after)

        def rehearse(further: Sequence[tuple[Command, Context]]) -> list[Rehearsed]:
            streams = after.streams() if after else None
            _, *foreseen = self.rehearse([(command, context), *further], streams)
            return [
                Rehearsed(tuple(map(self._codec.decode, each.events)), each.error)
                for each in foreseen
            ]

        past = after.past if after else self._past
        prospect = Prospect(command=command, events=events, past=past, rehearse=rehearse)
        effects = (effect for each in self._consequences for effect in each(prospect))
        cls = self._routes[type(command)].aggregate
        found = after.found if after else self._found
        before, version = found(cls, cls.stream_for(command))
        return Forecast(before, version, events, tuple(effects))

    def _found(self, cls: type[Aggregate], stream: str) -> tuple[Aggregate, int]:
        aggregate, head = self._repository.load(cls, stream)
        return aggregate, head.version

    def _previewed(
        self, command: Command, context: Context, after: Batch | None = None
    ) -> tuple[Recorded, ...]:
        if not self._options.enabled:
            raise SwitchedOff
        if after is not None:
            return self._previewed_after(after, command, context)
        changes: list[Change] = []

        def decide(call: Call) -> Receipt:
            changes.append(self._decider.decide(call))
            return receipt_of(changes[-1].entry, repeated=False)

        call = self._call(command, context)
        call.dry = True
        compose(self._judging, decide)(call)
        for change in changes:
            self._store.rehearse(change)
        stored = [event for change in changes for event in change.events]
        return tuple(map(self._codec.decode, stored))

    def _previewed_after(
        self, batch: Batch, command: Command, context: Context
    ) -> tuple[Recorded, ...]:
        call = self._call(command, context)
        call.dry = True
        trial = Batch(self._decider, self._store, self._log, [call], batch.streams())
        (foreseen,) = trial.rehearse(compose(self._judging, trial.decide))
        if foreseen.error:
            raise foreseen.error
        return tuple(map(self._codec.decode, foreseen.events))

    def rehearse(
        self,
        items: Sequence[tuple[Command, Context]],
        streams: dict[str, Stream] | None = None,
        *,
        judged: bool = False,
    ) -> list[Foreseen]:
        """What `execute_batch` would return, each command decided on top of those before it, and
        on these streams.

        Writes nothing. Asks the areas' middleware only if `judged`, and does not check claims. Ids
        must be unique among the items.
        """
        if not self._options.enabled:
            raise SwitchedOff
        chain = self._judging if judged else self._allowed
        streams = {} if streams is None else streams
        foreseen: list[Foreseen] = []
        for start in range(0, len(items), BATCH_CHUNK):
            calls = self._calls(items[start : start + BATCH_CHUNK])
            for call in calls:
                call.dry = True
            batch = Batch(self._decider, self._store, self._log, calls, streams)
            foreseen += batch.rehearse(compose(chain, batch.decide))
        return foreseen

    def _calls(self, items: Sequence[tuple[Command, Context]]) -> list[Call]:
        """Each sender is looked up once."""
        sender = cache(self._sender)
        return [self._call(*item, sender) for item in items]

    def _sender(self, actor: Actor) -> Actor:
        return self._actor_now(actor) or Actor(actor.name)

    def _call(
        self,
        command: Command,
        context: Context,
        sender: Callable[[Actor], Actor] | None = None,
    ) -> Call:
        if context.deferred:
            context = context.by((sender or self._sender)(context.actor))
        stream = self._routes[type(command)].aggregate.stream_for(command)
        payload = msgspec.json.encode(command).decode()
        now = self._clock()
        call = Call(
            command,
            context,
            stream,
            payload,
            now,
            self._clock,
            past=self._past,
            existing=self._existing,
            take_guard=self._guard,
            foresee=self.foresee,
        )
        if personal_fields(type(command)):
            call.keep, call.open = self._sealed, self._vault.open
        return call

    def _guard(self, call: Call, kind: str, stream: str) -> Step:
        return guarding(self._store, self._vault, kind, stream, call.context.command_id)

    def _past(self, stream: str) -> tuple[Event, ...]:
        found = self._store.events_of(stream)
        return tuple(self._codec.decode(stored).event for stored in found)

    def _existing(self, streams: Collection[str]) -> Collection[str]:
        return self._store.versions_of(streams)

    def _sealed(self, call: Call) -> str:
        """The command as it is stored in the log."""
        if call.belongs_to is None and not call.command.concerns:
            aggregate = self._routes[type(call.command)].aggregate
            call.belongs_to = self._repository.load(aggregate, call.stream)[0].belongs_to
        sealing = self._vault.sealing(call.stream, call.belongs_to or "", dry=call.dry)
        return sealing.command_text(call.command)
