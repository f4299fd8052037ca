"""What a policy would have asked for lately: its conditions, compared with the command log and the
events. Nothing is decided again, so what a command did then counts, not what it would do now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.messages.messages import Command, Query, query
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.queries.past import Past
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.approvals.commands import (
    MANAGE,
    Actions,
    AskedBy,
    Channels,
    Conditions,
    Countries,
    MovesMoney,
    Over,
    OverCurrency,
    SetApprovalPolicy,
    Statuses,
    problems_of,
)
from cqrs_app.platform.approvals.past_circumstances import (
    Caused,
    PastCircumstances,
    Unclear,
    about_money,
    places_of,
)
from cqrs_app.platform.approvals.policies import policy_of
from cqrs_app.platform.approvals.policy import ApprovalPolicy, applies
from cqrs_app.platform.approvals.rules import require_known
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.types import SentFrom
from cqrs_app.platform.operators.roles import SYSTEM_NAMES

PERIOD = timedelta(days=30)
MOST = 1_000
"""Commands that are looked at, the newest."""
EXAMPLES = 10
_LOG = command_log.c
_COLUMNS = [
    _LOG[name]
    for name in (
        *("command_id", "type", "stream", "payload", "operator", "channel", "outcome"),
        *("received_at", "correlation_id", "events"),
    )
]


@query(label="Preview approval policy", permission=MANAGE, store="write")
class PreviewApprovalPolicy(Query):
    """How many actions of the last 30 days such a policy would have asked for."""

    commands: Actions
    over: Over = None
    currency: OverCurrency = ""
    moves_money: MovesMoney = False
    statuses: Statuses = ()
    countries: Countries = ()
    asked_by: AskedBy = ()
    channels: Channels = ()
    conditions: Conditions = ()

    def check(self) -> Iterator[tuple[str, str]]:
        yield from problems_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedAction:
    """An action that the policy would have asked for."""

    command_id: str
    command: str
    stream: str
    operator: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPreview:
    """Of `total` actions since `since`, the newest `considered` were looked at, and `asked` of them
    would have become requests. `unclear` are those that could not be evaluated, with the reason for
    each in `reasons`. `examples` are the newest that it would have asked for."""

    since: datetime
    total: int
    considered: int
    asked: int
    unclear: int
    reasons: tuple[str, ...]
    examples: tuple[PreviewedAction, ...]

    @property
    def sentence(self) -> str:
        """The preview in words."""
        days = f"In the last {PERIOD.days} days"
        if not self.total:
            return f"{days} nobody has sent such an action."
        noun = "action" if self.total == 1 else "actions"
        newest = f"the newest {self.considered:,} of " if self.considered < self.total else ""
        counted = (
            f"{days} it would have applied to {self.asked:,} of {newest}{self.total:,} {noun}."
        )
        if not self.unclear:
            return counted
        return f"{counted} {self.unclear:,} could not be evaluated: {' '.join(self.reasons)}"


def preview_policy(handlers: Mapping[type[Command], Handler], signers: Signers | None) -> Answering:
    named = {each.__name__: handler for each, handler in handlers.items()}
    types = {each.__name__: each for each in handlers}

    def answer(question: PreviewApprovalPolicy, past: Past) -> PolicyPreview:
        if signers is None:
            raise TypeError("policies are previewed where they apply")
        require_known(question.commands, types)
        terms = {name: getattr(question, name) for name in question.__annotations__}
        policy = policy_of(SetApprovalPolicy(policy="preview", **terms))
        since = datetime.now(UTC) - PERIOD
        with signers.connect() as connection:
            total, rows = _sent(connection, policy, since)
            caused = _caused(connection, rows) if about_money(policy) else {}
        roles = {name: signers.of(name).role for name in {row.operator for row in rows}}
        looked = PastCircumstances(policy, named, types, past, roles, caused)
        return _preview(looked, rows, total, since)

    return answer


def _preview(
    looked: PastCircumstances, rows: Sequence[Any], total: int, since: datetime
) -> PolicyPreview:
    reasons, asked = Counter[str](), []
    looked.read(rows)
    for row in reversed(rows):
        try:
            if applies(looked.policy, looked.at(row)):
                asked.append(row)
        except Unclear as unclear:
            reasons[str(unclear)] += 1
    return PolicyPreview(
        since=since,
        total=total,
        considered=len(rows),
        asked=len(asked),
        unclear=reasons.total(),
        reasons=tuple(reasons),
        examples=tuple(
            PreviewedAction(
                command_id=row.command_id,
                command=row.type,
                stream=row.stream,
                operator=row.operator,
                received_at=row.received_at,
            )
            for row in asked[: -EXAMPLES - 1 : -1]
        ),
    )


def _sent(
    connection: Connection, policy: ApprovalPolicy, since: datetime
) -> tuple[int, Sequence[Any]]:
    """How many such commands people and programs sent, and the newest of them: what was carried out
    or requested. What was refused would have been refused at once, too."""
    wanted: tuple[ColumnElement[bool], ...] = (
        _LOG.type.in_(policy.commands),
        _LOG.received_at >= since,
        _LOG.outcome.in_(("succeeded", "requested")),
        _LOG.operator.not_in(SYSTEM_NAMES),
        _LOG.channel.in_([str(each) for each in SentFrom]),
        _LOG.occurred_at.is_(None),
    )
    total = connection.execute(select(func.count()).where(*wanted)).scalar_one()
    found = select(*_COLUMNS).where(*wanted).order_by(_LOG.received_at.desc()).limit(MOST)
    return total, connection.execute(found).all()


def _caused(connection: Connection, rows: Sequence[Any]) -> dict[str, list[Caused]]:
    """Correlation id -> the commands that something caused."""
    ids = [row.correlation_id for row in rows]
    caused = (_LOG.correlation_id.in_(ids), _LOG.causation_id.is_not(None))
    columns = _LOG.correlation_id, _LOG.command_id, _LOG.causation_id, _LOG.stream, _LOG.events
    found = select(*columns).where(*caused)
    commands = defaultdict[str, list[Caused]](list)
    for row in connection.execute(found.where(_LOG.outcome == "succeeded")):
        one = Caused(row.command_id, row.causation_id, tuple(places_of(row)))
        commands[row.correlation_id].append(one)
    return commands
