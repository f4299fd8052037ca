"""Who an order can be assigned to: an active operator, or a team that has one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, select

from cqrs_app.areas.assignments.commands import AssignOrder
from cqrs_app.areas.assignments.rules import UNKNOWN_ASSIGNEE
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.tables import operators

IsAssignable = Callable[[AssignOrder], bool]


class Assignees:
    """The active operators and their teams."""

    def __init__(self, engine: Engine) -> None:
        self._reader = reader_of(engine)

    def all(self) -> dict[str, str]:
        """Each operator's team, in alphabetical order of operators; empty for none."""
        found = select(operators.c.name, operators.c.team).where(operators.c.disabled_at.is_(None))
        with self._reader.connect() as connection:
            return {row.name: row.team for row in connection.execute(found.order_by("name"))}

    def in_team(self, team: str) -> tuple[str, ...]:
        """The operators of a team."""
        return tuple(name for name, own in self.all().items() if own == team)

    def has(self, command: AssignOrder) -> bool:
        """Whether there is whom the order is to be assigned to."""
        named = command.operator or command.team
        column = operators.c.name if command.operator else operators.c.team
        found = select(column).where(column == named, operators.c.disabled_at.is_(None)).limit(1)
        with self._reader.connect() as connection:
            return connection.execute(found).first() is not None


def only_to_known_assignees(is_assignable: IsAssignable) -> Middleware:
    """Refuses to assign an order to whom nobody knows."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, AssignOrder) and not is_assignable(command):
            who = (
                f"active operator {command.operator}"
                if command.operator
                else (f"team {command.team} with an active operator")
            )
            raise UNKNOWN_ASSIGNEE.because(f"There is no {who}.", "Check the name.")
        return proceed(call)

    return check
