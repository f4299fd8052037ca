"""The middleware that holds commands within the limits of the role of who sends them.

Only who has the permission `limited`, as those with such a role do, is looked up: for everybody
else a command sends no statement more, unless it becomes a request for approval. What has happened
already (history) has no limit.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Engine, select, union

from cqrs_app.areas.assignments.assignment import Assignment
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt, new_id
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.circumstances import Asked, circumstances, destination_of
from cqrs_app.platform.approvals.commands import SignRequest
from cqrs_app.platform.approvals.policy import stages_of
from cqrs_app.platform.approvals.request import Now, Wanted
from cqrs_app.platform.approvals.rules import NOT_A_SIGNER
from cqrs_app.platform.approvals.seats import require_enough
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.signers import signers_in
from cqrs_app.platform.limits.rules import Attempt, require_within
from cqrs_app.platform.operators.roles import LIMITED
from cqrs_app.platform.operators.tables import api_tokens, operator_roles, operators
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX
from cqrs_app.platform.operators.types import CustomRole

_foreseeing: ContextVar[bool] = ContextVar("foreseeing_for_limits", default=False)


@dataclass(frozen=True, slots=True)
class WithinLimits:
    """Also holds a signature within the limits of who signs, and of whom they sign for; and what
    limits let too few people sign is not requested."""

    engine: Engine

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        context = call.context
        if context.occurred_at is not None or _foreseeing.get():
            return proceed(call)
        limited = LIMITED in context.actor.permissions
        for role in self._roles_of(context.actor.name) if limited else ():
            require_within(role, _attempt(call, _foreseen(call, role)))
        wanted: Wanted | None = call.arguments.get("wanted")
        if wanted is not None:
            self._require_signers(call, wanted)
        now: Now | None = call.arguments.get("now")
        asked = now.asked if now and isinstance(call.command, SignRequest) else None
        if now is None or asked is None:
            return proceed(call)
        for role in self._roles_of(now.signer.name) if limited else ():
            require_within(role, _attempt(call, asked, now.signer.person))
        return self._for_others(call, now, asked, proceed)

    def _require_signers(self, call: Call, wanted: Wanted) -> None:
        """Raises NOBODY_CAN_SIGN where too few are left within their limits."""
        working = operators.c.disabled_at.is_(None)
        theirs = select(operators.c.name, operator_roles.c.definition).join_from(
            operators, operator_roles, operators.c.role == operator_roles.c.name
        )
        with reader_of(self.engine).connect() as connection:
            rows = connection.execute(theirs.where(working)).all()
            roles = {row.name: _role(row.definition) for row in rows}
            beyond = {
                name for name, role in roles.items() if not _fits(role, call, wanted.asked, name)
            }
            if not beyond:
                return
            signers = signers_in(connection)
        stages, asker = stages_of(wanted.policies), wanted.asking.person
        able = [each for each in signers if each.person not in beyond]
        could = [
            each.person
            for each in signers
            if each.person in beyond - {asker} and any(map(each.fits, stages))
        ]
        require_enough(stages, able, asker, could)

    def _for_others(self, call: Call, now: Now, asked: Asked, proceed: Proceed) -> Receipt:
        """Nobody signs for somebody whose own role may not do it."""
        kept: list[Signer] = []
        beyond: Refused | None = None
        for each in now.signer.represents:
            try:
                for role in self._roles_of(each.name):
                    whose = f"the role of {each.name}"
                    require_within(role, _attempt(call, asked, each.person, whose))
                kept.append(each)
            except Refused as refused:
                beyond = refused
        signer = replace(now.signer, represents=tuple(kept))
        call.arguments["now"] = replace(now, signer=signer)
        try:
            return proceed(call)
        except Refused as refused:
            if beyond is not None and refused.code == NOT_A_SIGNER.code:
                raise beyond from None
            raise

    def _roles_of(self, actor: str) -> list[CustomRole]:
        """The role of an operator; of a token its own, and that of the operator who made it."""
        token = actor.removeprefix(ACTOR_PREFIX)
        this = api_tokens.c.name == token, api_tokens.c.revoked_at.is_(None)
        made_by = select(api_tokens.c.made_by).where(*this)
        theirs = [select(operators.c.role).where(operators.c.name == actor)]
        if token != actor:
            theirs = [
                select(api_tokens.c.role).where(*this),
                select(operators.c.role).where(operators.c.name.in_(made_by)),
            ]
        found = select(operator_roles.c.definition).where(operator_roles.c.name.in_(union(*theirs)))
        with reader_of(self.engine).connect() as connection:
            definitions = connection.execute(found).scalars().all()
        return [*map(_role, definitions)]


def _role(definition: str) -> CustomRole:
    return msgspec.json.decode(definition, type=CustomRole)


def _fits(role: CustomRole, call: Call, asked: Asked, person: str) -> bool:
    """Whether what is asked is within the limits of the role that a person has."""
    try:
        require_within(role, _attempt(call, asked, person))
    except Refused:
        return False
    return True


def _foreseen(call: Call, role: CustomRole) -> Asked:
    """What the command would do now. Raises what it would raise."""
    token = _foreseeing.set(True)
    try:
        context = replace(call.context, command_id=new_id())
        forecast = call.foresee(call.command, context)
    finally:
        _foreseeing.reset(token)
    found = circumstances(call.command, context, forecast, call.past, role.based_on)
    return Asked(command=call.command, forecast=forecast, found=found)


def _attempt(call: Call, asked: Asked, person: str = "", whose: str = "your role") -> Attempt:
    command, forecast = asked.command, asked.forecast
    order_id = getattr(forecast.before, "order_id", "") or getattr(command, "order_id", "")
    past = call.past(Order.stream_of(order_id)) if order_id else ()
    assignment = Assignment()
    for event in call.past(Assignment.stream_of(order_id)) if past else ():
        assignment.evolve(event, call.received_at)
    return Attempt(
        command=type(command).__name__,
        label=command.declaration.label,
        actor=person or call.context.actor.name,
        at_stake=asked.found.at_stake,
        country=asked.found.country or getattr(command, "country", ""),
        destination=destination_of([*past, *(each.event for each in forecast.events)]),
        about_order=bool(past),
        team=assignment.team,
        assignee=assignment.operator,
        role=whose,
    )
