"""Makes the files of scheduled exports, and sends them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from sqlalchemy import select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, ActorNow
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import Invalid, NotAllowed
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.kernel.subscriptions.schedule import pause_after
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.exports.lists import Listing, listings, question_of
from cqrs_app.platform.transfer.exports.rows import Rows, pages
from cqrs_app.platform.transfer.schedules.commands import MOST_SENT
from cqrs_app.platform.transfer.schedules.files import ExportFiles, TooLarge, Withdrawn
from cqrs_app.platform.transfer.schedules.rules import view_in
from cqrs_app.platform.transfer.schedules.schedule import next_time
from cqrs_app.platform.transfer.schedules.tables import export_schedules
from cqrs_app.platform.views.commands import TEAM
from cqrs_app.platform.views.rules import COLUMNS
from cqrs_app.platform.views.views import Views
from cqrs_app.platform.webhooks.keyring import Keyring
from cqrs_app.platform.webhooks.messages import Message
from cqrs_app.platform.webhooks.sender import send
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook

LEASE = Lease(timedelta(minutes=10))
MOST_FAILURES = 6
"""Of sending one file. Then it stays for download."""
_ROW = export_schedules.c
logger = logging.getLogger("countersign")


class NotExported(Exception):
    """No file was made, or it was not sent. The text is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRules:
    """`actor_now` returns an actor with the permissions of now; None if they may not act any more.
    `exported` records that rows leave a list: owner, name of the list, format. `allowed` are
    networks that webhooks may reach although they are not public; a file has `most_bytes` at
    most."""

    lists: Mapping[str, type[Query]]
    actor_now: ActorNow
    exported: Callable[[str, str, str], None]
    zone: tzinfo
    locale: str
    allowed: tuple[Network, ...]
    most_bytes: int


class MakeExports(BackgroundTask):
    """The key is the name of a schedule."""

    name: ClassVar[str] = "exports"
    worker: ClassVar[str] = "webhook worker"
    sends_commands: ClassVar[bool] = False

    def __init__(self, rules: ExportRules) -> None:
        self._rules = rules

    def due(self, kernel: Kernel) -> list[str]:
        found = select(_ROW.schedule).where(
            _ROW.next_at <= kernel.clock(), LEASE.is_free(_ROW.lease_until)
        )
        with reader_of(kernel.engines.write).connect() as connection:
            return list(connection.execute(found.order_by(_ROW.next_at)).scalars())

    def work(self, kernel: Kernel, key: str) -> bool:
        row = _taken(kernel, key)
        if row is not None:
            _Run(kernel, self._rules, row).carry_out()
        return False

    def housekeep(self, kernel: Kernel) -> None:
        """Delete files that were kept long enough."""
        ExportFiles(kernel.engines.write).forget_old(kernel.clock())


def _taken(kernel: Kernel, key: str) -> Any | None:
    """Lease the row; None if it is not due, or another process has it."""
    taken = (
        update(export_schedules)
        .where(
            _ROW.schedule == key,
            _ROW.next_at <= kernel.clock(),
            LEASE.is_free(_ROW.lease_until),
        )
        .values(lease_until=LEASE.end())
        .returning(*export_schedules.c)
    )
    with kernel.engines.write.begin() as connection:
        return connection.execute(taken).one_or_none()


class _Run:
    """One attempt at one schedule."""

    def __init__(self, kernel: Kernel, rules: ExportRules, row: Any) -> None:
        self._kernel = kernel
        self._rules = rules
        self._row = row
        self._files = ExportFiles(kernel.engines.write)
        self._repository = Repository(kernel.store, kernel.registry.codec)

    def carry_out(self) -> None:
        row, now = self._row, self._kernel.clock()
        try:
            file_id = row.file_id or self._made(now)
            fault = self._fault_of_sending(file_id, now) if row.webhook_id else ""
        except Withdrawn:
            logger.info("scheduled export %s is made anew: its file was deleted", row.schedule)
            self._write()
            return
        except NotExported as error:
            self._end(now, str(error))
            return
        if fault:
            self._failed(now, file_id, fault)
            return
        if row.webhook_id:
            self._files.sent(file_id, now)
        self._end(now)

    def _end(self, now: datetime, sentence: str = "") -> None:
        """Wait for the next regular time."""
        self._write(
            next_at=next_time(self._row.days, self._row.at, now, self._rules.zone),
            file_id=None,
            failures=0,
            last_at=now,
            sentence=sentence,
        )

    def _failed(self, now: datetime, file_id: str, sentence: str) -> None:
        failures = self._row.failures + 1
        logger.warning("scheduled export %s was not sent: %s", self._row.schedule, sentence)
        if failures >= MOST_FAILURES:
            self._end(now, f"{sentence} The file was not sent; it is kept for download.")
            return
        pause = pause_after(failures, random.random())  # noqa: S311 - spreads attempts
        sentence = f"{sentence} It is tried again."
        self._write(
            next_at=now + pause, file_id=file_id, failures=failures, last_at=now, sentence=sentence
        )

    def _write(self, **values: Any) -> None:
        mine = _ROW.schedule == self._row.schedule
        with self._kernel.engines.write.begin() as connection:
            changed = update(export_schedules).where(mine).values(lease_until=None, **values)
            connection.execute(changed)

    def _made(self, now: datetime) -> str:
        """The id of the new file. Raises NotExported."""
        # Imported here: only what writes files needs it.
        from cqrs_app.platform.transfer.exports.formats import FORMATS

        row = self._row
        actor = self._rules.actor_now(Actor(row.owner))
        if actor is None:
            raise NotExported(f"{row.owner} may not act any more, so nothing was exported.")
        if row.format not in FORMATS:
            raise NotExported(f"The console cannot write {row.format} any more.")
        wanted, counted = FORMATS[row.format], _Counted()
        listing = self._listing()
        day = f"{now.astimezone(self._rules.zone):%Y-%m-%d}"
        try:
            portions = self._read(self._question(listing, actor), actor)
            file_id = self._files.keep(
                wanted.write(listing.columns, counted.of(portions), self._rules.locale),
                self._rules.most_bytes,
                schedule=row.schedule,
                owner=row.owner,
                list=row.list,
                format=row.format,
                name=f"{row.schedule}-{day}.{wanted.extension}",
                made_at=now,
            )
        except TooLarge:
            most = f"{self._rules.most_bytes / 1024**2:,.0f} MiB"
            raise NotExported(
                f"The file would be larger than {most}, so none was kept. Choose a view with "
                "fewer rows, or export the list on its page."
            ) from None
        except (NotAllowed, Invalid) as error:
            raise NotExported(error.sentence) from error
        self._files.counted(file_id, counted.rows)
        self._rules.exported(row.owner, listing.name, row.format)
        return file_id

    def _read(self, question: Query, actor: Actor) -> Iterator[Rows]:
        """Nothing is read before the file has a row, with which an erasure deletes it."""
        yield from pages(self._kernel.queries, question, actor)

    def _listing(self) -> Listing:
        cls = self._rules.lists.get(self._row.list)
        if cls is None:
            raise NotExported(f"There is no list {self._row.list} any more.")
        return listings(self._kernel.registry)[cls.__name__]

    def _question(self, listing: Listing, actor: Actor) -> Query:
        if not self._row.view:
            return question_of(listing, {})
        owners = (actor.name, TEAM)
        saved = [cast(Views, self._load(Views, Views.stream_of(each))) for each in owners]
        view = view_in(saved, self._row.list, self._row.view)
        if view is None:
            raise NotExported(
                f"There is no view {self._row.view} of {self._row.list} any more. Delete this "
                "export, and schedule another one."
            )
        filters = parse_qs(view.query)
        filters.pop(COLUMNS, None)
        return question_of(listing, filters)

    def _fault_of_sending(self, file_id: str, now: datetime) -> str:
        """Send the file; returns why that failed, or nothing. Raises NotExported if it is too
        large, which no further attempt changes."""
        from cqrs_app.platform.transfer.exports.formats import FORMATS

        webhook = cast(Webhook, self._load(Webhook, Webhook.stream_of(self._row.webhook_id)))
        file = self._files.find(file_id)
        if webhook.added_at is None or webhook.state != "running":
            return f"The webhook {self._row.webhook_id} is {webhook.state}."
        if file is None:
            return "The file is not kept any more."
        if file.size > MOST_SENT:
            raise NotExported(
                f"The file has more than the {MOST_SENT // 1024**2} MiB that can be sent, so it is "
                "only kept for download. Choose a view with fewer rows, or another format."
            )
        with self._kernel.engines.write.begin() as connection:
            numbers = webhook.signing(now)
            keyring = Keyring(self._kernel.vault)
            secrets = keyring.keep(connection, self._row.webhook_id, numbers, now)
        message = Message(file_id, "export", 0, b"".join(self._files.chunks(file_id)))
        more = {
            "Content-Type": FORMATS[self._row.format].mimetype,
            "Content-Disposition": f'attachment; filename="{file.name}"',
        }
        return send(message, webhook.url, secrets, now, self._rules.allowed, more).error

    def _load(self, cls: Any, stream: str) -> Any:
        aggregate, _ = self._repository.load(cls, stream)
        return aggregate


class _Counted:
    """Counts the rows of a list while it is written."""

    def __init__(self) -> None:
        self.rows = 0

    def of(self, portions: Iterable[Rows]) -> Iterator[Rows]:
        for rows in portions:
            self.rows += len(rows)
            yield rows
