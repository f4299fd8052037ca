"""What changed in an account, for its operator to read at the next sign-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from cqrs_app.platform.operators.tables import operators

MOST = 10


def add_notice(connection: Connection, operator: str, sentence: str, now: datetime) -> None:
    line = f"{sentence.rstrip('.')} ({now.day} {now:%b %Y} at {now:%H:%M} UTC).\n"
    mine = update(operators).where(operators.c.name == operator)
    connection.execute(mine.values(security_notice=operators.c.security_notice + line))


def take_notices(connection: Connection, operator: str) -> list[str]:
    """The newest of them, which are not kept."""
    mine = operators.c.name == operator
    found = select(operators.c.security_notice).where(mine).with_for_update()
    text: str = connection.execute(found).scalar() or ""
    if text:
        connection.execute(update(operators).where(mine).values(security_notice=""))
    return text.splitlines()[-MOST:]
