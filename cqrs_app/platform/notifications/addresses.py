"""The e-mail address of an operator: sign-in links are sent there, and notifications once its owner
has confirmed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.errors import SwitchedOff
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.commands import RecordEmail
from cqrs_app.platform.operators.tables import operators

_O = operators.c


@dataclass(frozen=True, slots=True)
class MailAddress:
    """`address` is empty for none. `chosen` is another one that the operator has chosen and not
    confirmed: it takes the place of `address` then."""

    address: str
    chosen: str
    confirmed_at: datetime | None


class MailAddresses:
    """The addresses of all operators, in the write store. `recorded` returns the one that the
    history of an account has."""

    def __init__(
        self,
        engine: Engine,
        accounts: Accounts,
        recorded: Callable[[str], str],
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._accounts = accounts
        self._recorded = recorded
        self._clock = clock

    def of(self, operator: str) -> MailAddress:
        found = select(_O.email, _O.email_chosen, _O.email_confirmed_at).where(_O.name == operator)
        with self._reader.connect() as connection:
            row = connection.execute(found).one()
        return MailAddress(row.email or "", row.email_chosen or "", row.email_confirmed_at)

    def choose(self, operator: str, address: str, *, link: str) -> bool:
        """Use this address from now on, once it is confirmed: `link` goes there at once. False if
        another mail went to the operator just now: nobody can have a stranger mailed again and
        again."""
        now = self._clock()
        if mails.has_recent(self._engine, operator, now):
            return False
        body = f"Confirm that this is your e-mail address:\n{link}\n"
        with self._engine.begin() as connection:
            mine = update(operators).where(_O.name == operator)
            connection.execute(mine.values(email_chosen=address))
            mails.add(connection, operator, address, "Confirm your e-mail address", body, now)
        return True

    def confirm(self, operator: str) -> None:
        """Use the address that was chosen."""
        self.record(operator, self.of(operator).chosen)

    def record(self, operator: str, address: str) -> None:
        """The address from now on, which its owner has confirmed; empty to have none."""
        self._accounts.send(RecordEmail(operator=operator, email=address), channel="form")

    def carry_over(self) -> None:
        """Take in the addresses of before operators had one each: the one that was confirmed for
        notifications, or else that of the account. While commands are switched off it is left for
        the next start."""
        missing = select(_O.name, _O.email_chosen, _O.email_confirmed_at).where(_O.email.is_(None))
        with self._reader.connect() as connection:
            rows = connection.execute(missing.order_by(_O.name)).all()
        for row in rows:
            if row.email_confirmed_at:
                try:
                    self._accounts.execute(RecordEmail(operator=row.name, email=row.email_chosen))
                except SwitchedOff:
                    return
                continue
            mine = update(operators).where(_O.name == row.name, _O.email.is_(None))
            with self._engine.begin() as connection:
                connection.execute(mine.values(email=self._recorded(row.name)))
