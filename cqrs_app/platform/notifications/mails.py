"""The rows of mails: what is to be mailed to operators, and what became of it. A mail is written
once, with its text; so it is sent again as it was, under the same Message-ID."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    delete,
    exists,
    insert,
    select,
    update,
)

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.notifications.tables import (
    notification_mails,
    notifications,
)
from cqrs_app.platform.operators.preferences import preferences_from
from cqrs_app.platform.operators.tables import operators

LEASE = Lease(timedelta(seconds=60))
AT_ONCE = 50
BETWEEN = timedelta(minutes=1)
"""Between two mails to one operator. What comes meanwhile is in the next one."""
LATE = timedelta(days=2)
"""What should have been mailed longer ago is not, such as before there was a mail server."""
MOST_LINES = 100
FOOTER = "Choose what is mailed under Your account."
_N, _M, _O = notifications.c, notification_mails.c, operators.c


@dataclass(frozen=True, slots=True)
class Mail:
    """One row of `notification_mails`, as far as it is needed to send it."""

    mail_id: str
    address: str
    subject: str
    body: str
    attempts: int
    created_at: datetime


_FIELDS = [_M[name] for name in Mail.__annotations__]


def add(
    connection: Connection,
    operator: str,
    address: str,
    subject: str,
    body: str,
    now: datetime,
    mail_id: str = "",
) -> None:
    row = {
        "mail_id": mail_id or new_id(),
        "operator": operator,
        "address": address,
        "subject": subject,
        "body": body,
        "created_at": now,
        "state": "waiting",
        "attempts": 0,
        "error": "",
        "next_attempt_at": now,
    }
    connection.execute(insert(notification_mails), row)


def has_recent(engine: Engine, operator: str, now: datetime) -> bool:
    """Whether a mail to the operator was written less than a minute ago."""
    found = select(_M.mail_id).where(_M.operator == operator, _M.created_at > now - BETWEEN)
    with reader_of(engine).connect() as connection:
        return connection.execute(found.limit(1)).first() is not None


def operators_due(engine: Engine, now: datetime) -> list[str]:
    """Whose notifications are to be put in a mail now."""
    recent = select(_M.operator).where(_M.created_at > now - BETWEEN)
    found = select(_N.operator).where(*_is_unmailed(now), _N.operator.not_in(recent)).distinct()
    with reader_of(engine).connect() as connection:
        return list(connection.execute(found.limit(AT_ONCE)).scalars())


def collect(engine: Engine, operator: str, now: datetime) -> None:
    """Put the operator's unread notifications that are due in one mail. Without an address that is
    confirmed they are in the console only."""
    mail_id = new_id()
    with engine.begin() as connection:
        # In one statement, so that of two processes one gets them.
        due = update(notifications).where(_N.operator == operator, *_is_unmailed(now))
        due = due.values(mail_id=mail_id).returning(_N.position, _N.sentence, _N.read_at)
        rows = sorted(connection.execute(due).all(), key=lambda row: row.position)
        sentences = [row.sentence for row in rows if row.read_at is None]
        where = connection.execute(_confirmed(operator)).one_or_none()
        if not sentences or where is None:
            return
        subject = sentences[0] if len(sentences) == 1 else f"{len(sentences):,} notifications"
        lines = [*sentences[:MOST_LINES]]
        if len(sentences) > MOST_LINES:
            lines.append(f"And {len(sentences) - MOST_LINES:,} more.")
        console = preferences_from(where.preferences).console
        body = "\n".join([*lines, "", f"{console}notifications", "", FOOTER, ""])
        add(connection, operator, where.email, subject, body, now, mail_id)


def due(engine: Engine, now: datetime) -> list[str]:
    """The mails that can be sent now and that nobody is sending."""
    found = select(_M.mail_id).where(*_is_due(now)).order_by(_M.next_attempt_at, _M.mail_id)
    with reader_of(engine).connect() as connection:
        return list(connection.execute(found.limit(AT_ONCE)).scalars())


def take(engine: Engine, mail_id: str, now: datetime) -> Mail | None:
    """The mail, leased to the caller; None if it is not due any more."""
    mine = update(notification_mails).where(_M.mail_id == mail_id, *_is_due(now))
    with engine.begin() as connection:
        taken = mine.values(taken_until=LEASE.end()).returning(*_FIELDS)
        row = connection.execute(taken).one_or_none()
    return Mail(*row) if row else None


def finish(engine: Engine, mail: Mail, state: str, error: str, again: datetime) -> None:
    """Note an attempt. One that is waiting still is tried again then. Nothing changes if another
    process, to which the lease had passed, has sent it."""
    changes = {
        "state": state,
        "error": error,
        "attempts": mail.attempts + 1,
        "next_attempt_at": again,
        "taken_until": None,
    }
    with engine.begin() as connection:
        mine = update(notification_mails).where(_M.mail_id == mail.mail_id, _M.state == "waiting")
        connection.execute(mine.values(**changes))


def forget_before(engine: Engine, moment: datetime) -> int:
    """Delete mails of before; returns how many."""
    with engine.begin() as connection:
        return connection.execute(delete(notification_mails).where(_M.created_at < moment)).rowcount


def _is_unmailed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _N.mail_id.is_(None), _N.mail_at <= now, _N.mail_at > now - LATE


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Only to an address that the operator has or has chosen by now, and while the account
    works."""
    waiting = (_M.state == "waiting", _M.next_attempt_at <= now)
    theirs = (_O.email == _M.address) | (_O.email_chosen == _M.address)
    still = _O.name == _M.operator, theirs, _O.disabled_at.is_(None)
    return *waiting, LEASE.is_free(_M.taken_until), exists().where(*still)


def _confirmed(operator: str) -> Select[tuple[str, str]]:
    return select(_O.email, _O.preferences).where(
        _O.name == operator,
        _O.email != "",
        _O.email_confirmed_at.is_not(None),
        _O.disabled_at.is_(None),
    )
