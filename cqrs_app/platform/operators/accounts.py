"""The accounts of operators: created, listed, disabled, and verified at sign-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import available_timezones

from sqlalchemy import Connection, Engine, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.names import account_of, usable_name
from cqrs_app.platform.operators.notices import add_notice, take_notices
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.preferences import Preferences, preferences_from
from cqrs_app.platform.operators.roles import Roles
from cqrs_app.platform.operators.tables import HAS_SECOND_FACTOR, operators, sessions

_whole = select(operators, literal_column(HAS_SECOND_FACTOR).label("has_second_factor"))
_working = operators.c.disabled_at.is_(None)


class Accounts:
    """Every change is one transaction. Raises AccountError if it is not possible."""

    def __init__(
        self,
        engine: Engine,
        roles: Roles,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        shop_name: str = "",
    ) -> None:
        self._engine = engine
        self._roles = roles
        self._shop_name = shop_name
        self._reader = reader_of(engine)
        self._clock = clock

    def create(
        self,
        name: str,
        role: str,
        password: str,
        display_name: str = "",
        *,
        must_change_password: bool = False,
    ) -> Operator:
        """Create an operator, who can sign in at once. `must_change_password`: somebody else chose
        it, so the operator chooses another at the first sign-in."""
        account = usable_name(name, "an operator's")
        if role not in self._roles:
            raise AccountError(
                f"There is no role {role!r}: choose one of {', '.join(self._roles)}."
            )
        passwords.require_strong(password, account, display_name, self._shop_name)
        now = self._clock()
        row = {
            "name": account,
            "display_name": " ".join(display_name.split())[:100] or account,
            "role": role,
            "password_hash": passwords.hash_of(password),
            "disabled_at": None,
            "created_at": now,
            "password_changed_at": now,
            "must_change_password": must_change_password,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(operators).values(row))
        except IntegrityError:
            raise AccountError(f"There is an operator called {account} already.") from None
        return self.get(account)

    def any(self) -> bool:
        """Whether there is any operator, disabled or not."""
        with self._reader.connect() as connection:
            return connection.execute(select(operators.c.name).limit(1)).first() is not None

    def list(self) -> list[Operator]:
        """All operators, ordered by name."""
        with self._reader.connect() as connection:
            return [
                Operator.from_row(row, self._roles)
                for row in connection.execute(_whole.order_by(operators.c.name))
            ]

    def get(self, name: str) -> Operator:
        """The operator of this name. Raises AccountError if there is none."""
        with self._reader.connect() as connection:
            found = _whole.where(operators.c.name == account_of(name))
            row = connection.execute(found).one_or_none()
        if row is None:
            raise AccountError(f"There is no operator called {name}.")
        return Operator.from_row(row, self._roles)

    def verify(self, name: str, password: str) -> Operator | None:
        """The operator who may sign in with these, or None. An unknown name, a disabled account and
        a wrong password all take the same time."""
        account = "" if "\x00" in name else account_of(name)  # PostgreSQL takes no NUL
        with self._reader.connect() as connection:
            found = _whole.where(operators.c.name == account, _working)
            row = connection.execute(found).one_or_none()
        if (
            not passwords.matches(password, row.password_hash or None if row else None)
            or row is None
        ):
            return None
        if passwords.is_outdated(row.password_hash):
            self._store_hash(account, password, row.password_hash)
        return Operator.from_row(row, self._roles)

    def has_password(self, name: str) -> bool:
        """Whether the operator can have one checked; otherwise a provider signs them in."""
        stored = select(operators.c.password_hash).where(operators.c.name == account_of(name))
        with self._reader.connect() as connection:
            return bool(connection.execute(stored).scalar())

    def disable(self, name: str) -> None:
        """Disable the account and end all its sessions. The last active administrator cannot be
        disabled."""
        operator, now = self.get(name), self._clock()
        with self._engine.begin() as connection:
            # Lock all administrators in one order, so that two cannot disable each other at once.
            working = select(operators.c.name).where(_working, operators.c.role == "admin")
            locked = working.order_by(operators.c.name).with_for_update()
            if connection.execute(locked).scalars().all() == [operator.name]:
                raise AccountError(
                    f"{operator.name} is the last administrator: make another one first."
                )
            connection.execute(
                update(operators)
                .where(operators.c.name == operator.name, _working)
                .values(disabled_at=now)
            )
            _revoke_sessions(connection, operator.name, now)

    def enable(self, name: str) -> None:
        """Enable a disabled account, with its old password."""
        operator = self.get(name)
        with self._engine.begin() as connection:
            connection.execute(
                update(operators).where(operators.c.name == operator.name).values(disabled_at=None)
            )

    def set_password(self, name: str, password: str, *, must_change_password: bool = False) -> None:
        """Set a new password and end all sessions of the operator. `must_change_password`: see
        `create`."""
        operator, now = self.get(name), self._clock()
        names = (operator.name, operator.display_name, self._shop_name)
        passwords.require_strong(password, *names)
        values = {
            "password_hash": passwords.hash_of(password),
            "password_changed_at": now,
            "must_change_password": must_change_password,
        }
        with self._engine.begin() as connection:
            connection.execute(
                update(operators).where(operators.c.name == operator.name).values(values)
            )
            _revoke_sessions(connection, operator.name, now)
            add_notice(connection, operator.name, "The password was changed.", now)

    def take_notices(self, name: str) -> Sequence[str]:
        """What changed in the account since the last sign-in, once."""
        with self._engine.begin() as connection:
            return take_notices(connection, account_of(name))

    def is_working(self, name: str) -> bool:
        """Whether there is such an account and it is not disabled."""
        found = select(operators.c.name).where(operators.c.name == name, _working)
        with self._reader.connect() as connection:
            return connection.execute(found).first() is not None

    def set_timezone(self, name: str, timezone: str) -> None:
        """The zone in which the operator sees times; empty for the shop's."""
        chosen = timezone.strip()
        if chosen and chosen not in available_timezones():
            raise AccountError(
                f"There is no time zone {chosen[:60]!r}. Write a name such as Europe/Berlin or UTC."
            )
        with self._engine.begin() as connection:
            connection.execute(
                update(operators)
                .where(operators.c.name == account_of(name))
                .values(timezone=chosen)
            )

    def set_team(self, name: str, team: str) -> None:
        """The team that the operator belongs to; empty for none."""
        operator = self.get(name)
        chosen = usable_name(team, "a team's") if team.strip() else ""
        with self._engine.begin() as connection:
            connection.execute(
                update(operators).where(operators.c.name == operator.name).values(team=chosen)
            )

    def change_preferences(self, name: str, change: Callable[[Preferences], Preferences]) -> None:
        """How the operator likes the console, in every session: changed as they are now, since two
        pages may change different ones at once."""
        mine = operators.c.name == account_of(name)
        with self._engine.begin() as connection:
            stored = select(operators.c.preferences).where(mine).with_for_update()
            preferences = preferences_from(connection.execute(stored).scalar_one())
            changed = change(preferences).to_text()
            connection.execute(update(operators).where(mine).values(preferences=changed))

    def _store_hash(self, account: str, password: str, seen: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(operators)
                .where(operators.c.name == account, operators.c.password_hash == seen)
                .values(password_hash=passwords.hash_of(password))
            )


def _revoke_sessions(connection: Connection, operator: str, now: datetime) -> None:
    connection.execute(
        update(sessions)
        .where(sessions.c.operator == operator, sessions.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
