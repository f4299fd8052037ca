"""A security event as it is shown, exported and sent on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.platform.audit.events import SecurityEventRecorded, SettingsChanged
from cqrs_app.platform.audit.kinds import Kind

EVENTS = (SecurityEventRecorded, SettingsChanged)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`count` of them happened from `since` until they were recorded `at`; see
    SecurityEventRecorded."""

    event_id: str
    at: datetime
    since: datetime
    kind: str
    success: bool
    who: str
    account: str
    about: str
    channel: str
    address: str
    session: str
    detail: str
    count: int


def entry_of(recorded: Recorded) -> AuditEntry:
    """Of one of EVENTS."""
    event, event_id, at = recorded.event, recorded.stored.id, recorded.recorded_at
    if isinstance(event, SettingsChanged):
        return AuditEntry(
            event_id=event_id,
            at=at,
            since=at,
            kind=str(Kind.SETTINGS_CHANGED),
            success=True,
            who=recorded.stored.operator,
            account="",
            about="settings",
            channel="system",
            address="",
            session="",
            detail=", ".join(event.changed) or "First start with this log",
            count=1,
        )
    assert isinstance(event, SecurityEventRecorded)  # noqa: S101 - see EVENTS
    return AuditEntry(
        event_id=event_id,
        at=at,
        since=event.since,
        kind=event.kind,
        success=event.success,
        who=event.who,
        account=event.account,
        about=event.about,
        channel=event.channel,
        address=event.address,
        session=event.session,
        detail=event.detail,
        count=event.count,
    )
