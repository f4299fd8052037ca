"""Where operators want their notifications mailed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select, update

from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.notifications.inbox import utc_now
from cqrs_app.platform.notifications.tables import notification_addresses

_A = notification_addresses.c


@dataclass(frozen=True, slots=True)
class MailAddress:
    """`console` is the console's own address when it was chosen; `confirmed_at` is None until its
    owner has confirmed it."""

    address: str
    console: str
    confirmed_at: datetime | None


class MailAddresses:
    """The addresses of all operators, in the write store."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def of(self, operator: str) -> MailAddress | None:
        found = select(_A.address, _A.console, _A.confirmed_at).where(_A.operator == operator)
        with self._reader.connect() as connection:
            row = connection.execute(found).one_or_none()
        return MailAddress(*row) if row else None

    def choose(self, operator: str, address: str, console: str, *, link: str) -> bool:
        """Mail to this address from now on, once it is confirmed: `link` goes there at once. The
        one that is chosen already stays confirmed. False if another mail went to the operator just
        now: nobody can have a stranger mailed again and again."""
        known, now = self.of(operator), self._clock()
        if known and known.address == address and known.confirmed_at:
            return True
        if mails.has_recent(self._engine, operator, now):
            return False
        values = {"address": address, "console": console, "confirmed_at": None}
        body = f"Confirm that notifications are mailed to this address:\n{link}\n"
        with self._engine.begin() as connection:
            added = insert_into(connection, notification_addresses)
            added = added.values(operator=operator, **values)
            connection.execute(
                added.on_conflict_do_update(index_elements=["operator"], set_=values)
            )
            subject = "Confirm your e-mail address"
            mails.add(connection, operator, address, subject, body, now)
        return True

    def confirm(self, operator: str, address: str) -> bool:
        """Whether it is still the one that the operator chose."""
        chosen = update(notification_addresses).where(
            _A.operator == operator, _A.address == address
        )
        with self._engine.begin() as connection:
            now = self._clock()
            return connection.execute(chosen.values(confirmed_at=now)).rowcount == 1

    def remove(self, operator: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(notification_addresses).where(_A.operator == operator))
