"""Queries on operators: the list, with who has not signed in for long, and one with its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import Connection, Row, and_, case, func, literal_column, or_, select

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.paging import Count, Limit, ListQuery, Mark, Page, Sort
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.operators import events
from cqrs_app.platform.operators.account import OperatorAccount
from cqrs_app.platform.operators.commands import MANAGE
from cqrs_app.platform.operators.tables import (
    HAS_SECOND_FACTOR,
    NAME_LENGTH,
    api_tokens,
    operator_identities,
    operators,
    sessions,
)

_OPERATOR, _SESSION, _TOKEN = operators.c, sessions.c, api_tokens.c
OperatorState = Literal["active", "invited", "disabled"]
_LINKED = select(operator_identities.c.operator)
_STATE = case(
    (_OPERATOR.disabled_at.is_not(None), "disabled"),
    (and_(_OPERATOR.password_hash == "", _OPERATOR.name.not_in(_LINKED)), "invited"),
    else_="active",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """An operator as the account is now. `invited`: no password was chosen yet, nor does a provider
    sign them in. `sessions` have not ended, `tokens` are API tokens that the operator made and that
    work."""

    name: str
    display_name: str
    role: str
    team: str
    state: OperatorState
    has_second_factor: bool
    created_at: datetime
    disabled_at: datetime | None
    last_sign_in_at: datetime | None
    sessions: int
    tokens: int


@query(label="Operators", permission=MANAGE, store="write", step_up=True)
class ListOperators(ListQuery):
    """One page of the operators by name, with role, state and last sign-in."""

    sorts: ClassVar = MappingProxyType({"name": Sort((_OPERATOR.name,), str)})
    sort: ClassVar = "name"
    descending: ClassVar = False

    operator: Annotated[str, Meta(title="Operator", max_length=NAME_LENGTH)] = ""
    state: Annotated[OperatorState | None, Meta(title="State")] = None
    role: Annotated[str, Meta(title="Role", max_length=20)] = ""
    idle_days: Annotated[
        int,
        Meta(
            title="Not signed in for days",
            description="Only those who may sign in and have not for so many days.",
            ge=0,
            le=3650,
        ),
    ] = 0
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 100
    count: Count = False


def list_operators(question: ListOperators, connection: Connection) -> Page[OperatorRow]:
    now = datetime.now(UTC)
    found = _rows(now)
    if question.operator:
        found = found.where(_OPERATOR.name == question.operator)
    if question.state:
        found = found.where(question.state == _STATE)
    if question.role:
        found = found.where(_OPERATOR.role == question.role)
    if question.idle_days:
        since = func.coalesce(_OPERATOR.last_sign_in_at, _OPERATOR.created_at)
        before = now - timedelta(days=question.idle_days)
        found = found.where(_OPERATOR.disabled_at.is_(None), since < before)
    return question.page(found, connection, _row)


def _row(row: Row[Any]) -> OperatorRow:
    return OperatorRow(**{**row._mapping, "has_second_factor": bool(row.has_second_factor)})


def _rows(now: datetime) -> Any:
    count = select(func.count())
    open_sessions = count.select_from(sessions).where(
        _SESSION.operator == _OPERATOR.name,
        _SESSION.revoked_at.is_(None),
        _SESSION.expires_at > now,
        ~_SESSION.second_factor_due,
    )
    tokens = count.select_from(api_tokens).where(
        _TOKEN.made_by == _OPERATOR.name,
        _TOKEN.revoked_at.is_(None),
        or_(_TOKEN.expires_at.is_(None), _TOKEN.expires_at > now),
    )
    same = (
        "name display_name role team created_at disabled_at last_sign_in_at".split()  # noqa: SIM905
    )
    return select(
        *(_OPERATOR[name] for name in same),
        _STATE.label("state"),
        literal_column(HAS_SECOND_FACTOR).label("has_second_factor"),
        open_sessions.correlate(operators).scalar_subquery().label("sessions"),
        tokens.correlate(operators).scalar_subquery().label("tokens"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorEntry:
    """One entry of an operator's history. `before` and `after` are the role or the team,
    where it changed."""

    type: str
    at: datetime
    by: str
    note: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHistory:
    """What happened to an account, the newest first. `email` is where mail to the operator goes."""

    email: str
    entries: tuple[OperatorEntry, ...]


@query(label="Operator history", permission=MANAGE)
class GetOperatorHistory(Query):
    """Who changed what about an operator, and when."""

    operator: Annotated[str, Meta(title="Operator", max_length=NAME_LENGTH)]


def get_operator_history(question: GetOperatorHistory, past: Past) -> OperatorHistory:
    recorded = past.recorded(OperatorAccount.stream_of(question.operator))
    return OperatorHistory(
        email=email_in([each.event for each in recorded]),
        entries=tuple(map(_entry, recorded[::-1])),
    )


def email_in(history: Sequence[Any]) -> str:
    """Where sign-in links are sent, after these events."""
    addresses: list[str] = [each.email for each in history if hasattr(each, "email")]
    return addresses[-1] if addresses else ""


def _entry(recorded: Recorded) -> OperatorEntry:
    event: Any = recorded.event
    note = before = after = ""
    match event:
        case events.OperatorRoleChanged():
            before, after = event.before, event.role
        case events.OperatorTeamChanged():
            before, after = event.before, event.team
        case events.OperatorInvited() | events.OperatorRecorded():
            after = event.role
        case events.OperatorDisabled() | events.SecondFactorReset():
            note = event.reason
        case events.PasswordRecorded() if event.temporary:
            note = "Temporary"
    return OperatorEntry(
        type=type(event).__name__,
        at=recorded.occurred_at,
        by=recorded.stored.operator,
        note=note,
        before=before,
        after=after,
    )
