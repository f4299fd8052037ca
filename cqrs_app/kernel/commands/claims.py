"""Values that only one stream may hold, such as an e-mail address.

Claims are written in the transaction of the command's events. Of two commands that claim the same
value, in whatever process, one is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.commands.aggregate import Claim
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import claims


def claiming(
    claim: Claim, stream: str, fingerprint: Callable[[str, str], bytes]
) -> Callable[[Connection], None]:
    """The step of a transaction that makes the claim. It raises the claim's refusal if another
    stream holds the value. Only the value's keyed hash is stored: `fingerprint(kind, value)`."""

    def step(connection: Connection) -> None:
        here = (claims.c.kind == claim.kind, claims.c.stream == stream)
        if not claim.value:
            connection.execute(delete(claims).where(*here))
            return
        found = fingerprint(claim.kind, claim.value)
        row = insert_into(connection, claims).values(kind=claim.kind, hash=found, stream=stream)
        replaced = row.on_conflict_do_update(
            index_elements=["kind", "stream"], set_={"hash": row.excluded.hash}
        )
        try:
            connection.execute(replaced)
        except IntegrityError as error:
            raise claim.taken from error

    return step
