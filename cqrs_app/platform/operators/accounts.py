"""The accounts of operators: created and changed through the command bus, listed, and verified at
sign-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import available_timezones

from sqlalchemy import Engine, exists, literal, literal_column, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.errors import BusError, Refused, SwitchedOff
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import streams
from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.account import OperatorAccount
from cqrs_app.platform.operators.chosen_passwords import ChosenPassword, with_password
from cqrs_app.platform.operators.commands import (
    RECORD,
    ChangeOperatorTeam,
    DisableOperator,
    EnableOperator,
    InviteOperator,
    RecordOperator,
    RecordPassword,
)
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.names import account_of, usable_name
from cqrs_app.platform.operators.notices import take_notices
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.preferences import Preferences, preferences_from
from cqrs_app.platform.operators.roles import Roles, system_actor
from cqrs_app.platform.operators.tables import (
    HAS_SECOND_FACTOR,
    NAME_LENGTH,
    operator_roles,
    operators,
)

Execute = Callable[[Command, Context], Receipt]
_whole = select(
    operators,
    literal_column(HAS_SECOND_FACTOR).label("has_second_factor"),
    operator_roles.c.permissions.label("role_permissions"),
    operator_roles.c.based_on,
).select_from(operators.outerjoin(operator_roles, operator_roles.c.name == operators.c.role))
_working = operators.c.disabled_at.is_(None)


class Accounts:
    """Every change is one transaction. Raises AccountError if it is not possible. `execute` carries
    out commands: those of `by`, or else of the console itself."""

    def __init__(
        self,
        engine: Engine,
        roles: Roles,
        execute: Execute,
        clock: Clock = utc_now,
        *,
        shop_name: str = "",
    ) -> None:
        self._engine = engine
        self._roles = roles
        self._execute = execute
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
        by: Actor | None = None,
    ) -> Operator:
        """Create an operator, who can sign in at once. `must_change_password`: somebody else chose
        it, so the operator chooses another at the first sign-in."""
        account = usable_name(name, "an operator's")
        passwords.require_strong(password, account, display_name, self._shop_name)
        shown = " ".join(display_name.split())[:100]
        command = InviteOperator(operator=account, role=role, display_name=shown)
        chosen = ChosenPassword(passwords.hash_of(password), must_change_password)
        with with_password(chosen):
            self.send(command, by)
        return self.get(account)

    def send(self, command: Command, by: Actor | None = None, channel: str = "") -> Receipt:
        """Carry out a command on an operator. Raises AccountError."""
        try:
            return self.execute(command, by, channel)
        except BusError as error:
            raise AccountError(error.sentence) from error

    def execute(self, command: Command, by: Actor | None = None, channel: str = "") -> Receipt:
        """The same. Raises what the command bus raises."""
        actor = by or system_actor("system", *frozenset[str]().union(*self._roles.values()))
        context = Context(
            actor=Actor(actor.name, actor.permissions | {RECORD}),
            channel=channel or ("cli" if by else "system"),
        )
        return self._execute(command, context)

    def record_earlier(self) -> int:
        """Begin the history of operators who were created before there was one. Returns how many.
        While commands are switched off it is left for the next start."""
        heads = streams.c.stream == literal(f"{OperatorAccount.category}-") + operators.c.name
        missing = select(operators).where(~exists().where(heads)).order_by(operators.c.name)
        with self._reader.connect() as connection:
            rows = connection.execute(missing).all()
        count = 0
        for row in rows:
            command = RecordOperator(
                operator=row.name,
                role=row.role,
                display_name=row.display_name,
                team=row.team,
                created_at=row.created_at,
                disabled_at=row.disabled_at,
            )
            try:
                self.execute(command)
            except SwitchedOff:
                break
            except Refused:  # another process has recorded them meanwhile
                continue
            count += 1
        return count

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

    def disable(self, name: str, *, by: Actor | None = None) -> None:
        """Disable the account and end all its sessions. The last active administrator cannot be
        disabled."""
        self.send(DisableOperator(operator=self.get(name).name), by)

    def enable(self, name: str, *, by: Actor | None = None) -> None:
        """Enable a disabled account, with its old password."""
        self.send(EnableOperator(operator=self.get(name).name), by)

    def set_password(
        self,
        name: str,
        password: str,
        *,
        must_change_password: bool = False,
        by_link: bool = False,
        by: Actor | None = None,
        channel: str = "",
    ) -> None:
        """Set a new password and end all sessions of the operator, and the link that is open.
        `must_change_password`: see `create`. `by_link`: refused if no link is open."""
        operator = self.get(name)
        names = (operator.name, operator.display_name, self._shop_name)
        passwords.require_strong(password, *names)
        command = RecordPassword(operator=operator.name, temporary=must_change_password)
        hashed = passwords.hash_of(password)
        with with_password(ChosenPassword(hashed, must_change_password, by_link=by_link)):
            self.send(command, by, channel)

    def take_notices(self, name: str) -> Sequence[str]:
        """What changed in the account since the last sign-in, once."""
        with self._engine.begin() as connection:
            return take_notices(connection, account_of(name))

    def known(self, name: str) -> str:
        """The account that this name means; empty if there is none."""
        account = "" if "\x00" in name else account_of(name)[:NAME_LENGTH]
        found = select(operators.c.name).where(operators.c.name == account)
        with self._reader.connect() as connection:
            return connection.execute(found).scalar() or ""

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

    def set_team(self, name: str, team: str, *, by: Actor | None = None) -> None:
        """The team that the operator belongs to; empty for none."""
        operator = self.get(name)
        chosen = usable_name(team, "a team's") if team.strip() else ""
        if chosen != operator.team:
            self.send(ChangeOperatorTeam(operator=operator.name, team=chosen), by)

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
