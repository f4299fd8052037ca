"""The middleware that holds commands within the limits of the role of who sends them.

Only who has the permission `limited`, as those with such a role do, is looked up: for everybody
else a command sends no statement more. What has happened already (history) has no limit.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Engine, select

from cqrs_app.areas.assignments.assignment import Assignment
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt, new_id
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.circumstances import circumstances
from cqrs_app.platform.limits.rules import Attempt, require_within
from cqrs_app.platform.operators.roles import LIMITED
from cqrs_app.platform.operators.tables import api_tokens, operator_roles, operators
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX
from cqrs_app.platform.operators.types import CustomRole

_foreseeing: ContextVar[bool] = ContextVar("foreseeing_for_limits", default=False)


@dataclass(frozen=True, slots=True)
class WithinLimits:
    engine: Engine

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        context = call.context
        limited = LIMITED in context.actor.permissions and context.occurred_at is None
        if limited and not _foreseeing.get() and (role := self._role_of(context.actor.name)):
            require_within(role, self._attempt(call, role))
        return proceed(call)

    def _role_of(self, actor: str) -> CustomRole | None:
        token = actor.removeprefix(ACTOR_PREFIX)
        if token == actor:
            theirs = select(operators.c.role).where(operators.c.name == actor)
        else:
            theirs = select(api_tokens.c.role).where(
                api_tokens.c.name == token, api_tokens.c.revoked_at.is_(None)
            )
        found = select(operator_roles.c.definition).where(operator_roles.c.name.in_(theirs))
        with reader_of(self.engine).connect() as connection:
            definition = connection.execute(found).scalar()
        return msgspec.json.decode(definition, type=CustomRole) if definition else None

    def _attempt(self, call: Call, role: CustomRole) -> Attempt:
        """What the command would do now. Raises what it would raise."""
        token = _foreseeing.set(True)
        try:
            context = replace(call.context, command_id=new_id())
            forecast = call.foresee(call.command, context)
        finally:
            _foreseeing.reset(token)
        found = circumstances(call.command, context, forecast, call.past, role.based_on)
        order_id = getattr(forecast.before, "order_id", "") or getattr(call.command, "order_id", "")
        about_order = bool(order_id) and bool(call.past(Order.stream_of(order_id)))
        assignment = Assignment()
        for event in call.past(Assignment.stream_of(order_id)) if about_order else ():
            assignment.evolve(event, call.received_at)
        return Attempt(
            command=call.name,
            label=type(call.command).declaration.label,
            actor=call.context.actor.name,
            at_stake=found.at_stake,
            country=found.country or getattr(call.command, "country", ""),
            about_order=about_order,
            team=assignment.team,
            assignee=assignment.operator,
        )
