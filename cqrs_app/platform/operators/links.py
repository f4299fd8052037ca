"""Links with which an operator chooses a password, once.

A link is derived from the command that made it with the key of the console, so that neither a
message nor a copy of the database holds one. It is taken once, by whoever sent that command: to be
shown or to be e-mailed.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.tables import operator_links, operators

_LINK = operator_links.c


@dataclass(frozen=True, slots=True)
class SignInLink:
    """`secret` is the last part of its address."""

    operator: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that was not used yet, without its secret. `may_take`: it was not taken yet."""

    made_by: str
    expires_at: datetime
    may_take: bool


class Links:
    """The links that were not used yet."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._vault = vault
        self._clock = clock

    def take(self, operator: str, by: str) -> SignInLink | None:
        """The link of this operator, once, for who made it; None afterwards."""
        mine = (_LINK.operator == operator, _LINK.made_by == by, ~_LINK.taken)
        current = (*mine, _LINK.expires_at > self._clock())
        taken = update(operator_links).where(*current).values(taken=True)
        with self._engine.begin() as connection:
            row = connection.execute(taken.returning(_LINK.command_id, _LINK.expires_at)).first()
        return self._link(operator, *row) if row else None

    def open_of(self, operator: str) -> OpenLink | None:
        """What is known of the link of this operator, if it works still."""
        mine = (_LINK.operator == operator, _LINK.expires_at > self._clock())
        found = select(_LINK.made_by, _LINK.expires_at, ~_LINK.taken).where(*mine)
        with self._reader.connect() as connection:
            row = connection.execute(found).first()
        return OpenLink(row[0], row[1], bool(row[2])) if row else None

    def owner(self, operator: str, secret: str) -> str | None:
        """The display name of the operator whose link this is, if it works still."""
        found = (
            select(_LINK.command_id, operators.c.display_name)
            .join(operators, operators.c.name == _LINK.operator)
            .where(
                _LINK.operator == operator,
                _LINK.expires_at > self._clock(),
                operators.c.disabled_at.is_(None),
            )
        )
        with self._reader.connect() as connection:
            row = connection.execute(found).first()
        expected = self._secret(operator, row.command_id if row else "")
        same = hmac.compare_digest(expected.encode(), secret.encode("utf-8", "surrogatepass"))
        return row.display_name if row and same else None

    def _link(self, operator: str, command_id: str, expires_at: datetime) -> SignInLink:
        return SignInLink(operator, self._secret(operator, command_id), expires_at)

    def _secret(self, operator: str, command_id: str) -> str:
        made = self._vault.fingerprint("sign_in_link", f"{operator} {command_id}")
        return base64.urlsafe_b64encode(made).decode().rstrip("=")
