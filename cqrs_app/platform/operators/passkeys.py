"""Passkeys (WebAuthn): registered and verified, each challenge once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from types import ModuleType

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.notices import add_notice
from cqrs_app.platform.operators.second_factors import drop_unneeded_codes, first_recovery_codes
from cqrs_app.platform.operators.sites import Site
from cqrs_app.platform.operators.tables import NAME_LENGTH, passkey_challenges
from cqrs_app.platform.operators.tables import passkeys as table

CHALLENGE_LIVES = timedelta(minutes=5)
LONGEST_RESPONSE = 20_000
REFUSED = "The passkey was not accepted. Nothing was changed. Try again."
_columns = table.c


@dataclass(frozen=True, slots=True)
class Passkey:
    """`backed_up`: it is copied to the other devices of its owner."""

    credential_id: str
    name: str
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


class Passkeys:
    """Every change is one transaction. Raises AccountError if it is not possible."""

    def __init__(
        self,
        engine: Engine,
        issuer: str,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._issuer = issuer
        self._clock = clock

    def of(self, operator: str) -> list[Passkey]:
        """The passkeys of an operator, oldest first."""
        columns = [_columns[each.name] for each in fields(Passkey)]
        found = select(*columns).where(_columns.operator == operator)
        with self._reader.connect() as connection:
            rows = connection.execute(found.order_by(_columns.created_at))
            return [Passkey(*row) for row in rows]

    def registration_options(self, operator: str, site: Site) -> tuple[str, str]:
        """The options of navigator.credentials.create() as JSON, and their challenge."""
        challenge, known = self._new_challenge(), self._known(operator)
        options: str = _ceremonies().registration_options(
            operator, self._issuer, challenge, site, known
        )
        return options, challenge

    def authentication_options(self, site: Site, operator: str = "") -> tuple[str, str]:
        """The options of navigator.credentials.get() as JSON, and their challenge. Without an
        operator, for whichever passkey its owner chooses."""
        challenge, known = self._new_challenge(), self._known(operator) if operator else []
        options: str = _ceremonies().authentication_options(challenge, site, known)
        return options, challenge

    def register(
        self, operator: str, name: str, response: str, challenge: str, site: Site
    ) -> list[str]:
        """Store a new passkey. Returns new recovery codes for an operator who has none."""
        now = self._clock()
        self._use_challenge(response, challenge)
        try:
            made = _ceremonies().registered(response, challenge, site)
        except _ceremonies().UNPROVEN as error:
            raise AccountError(REFUSED) from error
        row = made | {
            "operator": operator,
            "name": " ".join(name.split())[:NAME_LENGTH] or "Passkey",
            "created_at": now,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(table).values(row))
                add_notice(connection, operator, f"The passkey {row['name']} was added.", now)
                return first_recovery_codes(connection, operator)
        except IntegrityError:
            raise AccountError("This passkey is registered already.") from None

    def verify(self, response: str, challenge: str, site: Site) -> str:
        """The operator whose passkey made this response. Raises AccountError."""
        self._use_challenge(response, challenge)
        try:
            with self._engine.begin() as connection:
                return self._verified(connection, response, challenge, site)
        except _ceremonies().UNPROVEN as error:
            raise AccountError(REFUSED) from error

    def remove(self, operator: str, credential_id: str) -> None:
        this = (_columns.operator == operator, _columns.credential_id == credential_id)
        known = "\x00" not in credential_id  # PostgreSQL takes none
        with self._engine.begin() as connection:
            name = known and connection.execute(select(_columns.name).where(*this)).scalar()
            if not name:
                raise AccountError("There is no such passkey. Perhaps it was removed meanwhile.")
            connection.execute(delete(table).where(*this))
            add_notice(connection, operator, f"The passkey {name} was removed.", self._clock())
            drop_unneeded_codes(connection, operator)

    def _verified(self, connection: Connection, response: str, challenge: str, site: Site) -> str:
        sent, credential_id = _ceremonies().parsed(response)
        this = _columns.credential_id == credential_id
        row = connection.execute(select(table).where(this).with_for_update()).one_or_none()
        if row is None:
            raise AccountError("This passkey is not registered here. Use another one.")
        used = _ceremonies().asserted(sent, row, challenge, site)
        now = self._clock()
        connection.execute(update(table).where(this).values(used | {"last_used_at": now}))
        operator: str = row.operator
        return operator

    def _known(self, operator: str) -> list[str]:
        return [each.credential_id for each in self.of(operator)]

    def _new_challenge(self) -> str:
        challenge: str = _ceremonies().new_challenge()
        now = self._clock()
        expires = passkey_challenges.c.expires_at
        with self._engine.begin() as connection:
            connection.execute(delete(passkey_challenges).where(expires < now))
            row = {"challenge": challenge, "expires_at": now + CHALLENGE_LIVES}
            connection.execute(insert(passkey_challenges).values(row))
        return challenge

    def _use_challenge(self, response: str, challenge: str) -> None:
        """Raise AccountError unless the challenge is one of ours that nobody used yet."""
        columns = passkey_challenges.c
        this = (columns.challenge == challenge, columns.expires_at > self._clock())
        with self._engine.begin() as connection:
            fresh = connection.execute(delete(passkey_challenges).where(*this)).rowcount == 1
        if not fresh or len(response) > LONGEST_RESPONSE:
            raise AccountError(REFUSED)


def _ceremonies() -> ModuleType:
    from cqrs_app.platform.operators import passkey_ceremonies

    return passkey_ceremonies
