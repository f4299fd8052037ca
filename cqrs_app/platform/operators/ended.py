"""Whether an actor, by the name that is stored, may still act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.tables import api_tokens, operators
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX


def has_ended(engine: Engine, name: str, now: datetime) -> bool:
    """Whether the operator is disabled, or no API token of this name works: it ended, or the
    operator who made it is disabled.

    Other names, such as that of a shell, never end.
    """
    token = name.removeprefix(ACTOR_PREFIX)
    with reader_of(engine).connect() as connection:
        if token == name:
            disabled = select(operators.c.disabled_at).where(operators.c.name == name)
            return connection.execute(disabled).scalar() is not None
        made_by = operators.c.name == api_tokens.c.made_by
        ends = select(
            api_tokens.c.revoked_at, api_tokens.c.expires_at, operators.c.disabled_at
        ).select_from(api_tokens.outerjoin(operators, made_by))
        rows = connection.execute(ends.where(api_tokens.c.name == token)).all()
    return bool(rows) and not any(
        revoked_at is None and disabled_at is None and (expires_at is None or expires_at > now)
        for revoked_at, expires_at, disabled_at in rows
    )
