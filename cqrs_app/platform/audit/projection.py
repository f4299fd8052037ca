"""Security events as they are listed."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.personal import erased
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.platform.audit.entries import AuditEntry, entry_of
from cqrs_app.platform.audit.events import SecurityEventRecorded, SettingsChanged
from cqrs_app.platform.audit.read_models import audit_entries
from cqrs_app.platform.operators.account import OperatorAccount

PERSON = OperatorAccount.stream_of("")


class AuditProjection(Projection):
    """A row per security event."""

    name: ClassVar[str] = "audit"
    tables: ClassVar[tuple[Table, ...]] = (audit_entries,)

    def security_event_recorded(
        self, event: SecurityEventRecorded, recorded: Recorded, rows: Rows
    ) -> None:
        _put(rows, recorded)

    def settings_changed(self, event: SettingsChanged, recorded: Recorded, rows: Rows) -> None:
        _put(rows, recorded)

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        if not event.subject.startswith(PERSON):
            return
        name = event.subject.removeprefix(PERSON)
        for whose in ({"who": name}, {"account": name, "who": ""}):
            for row in rows.where(audit_entries, **whose):
                row["address"] = erased(row["address"])


def _put(rows: Rows, recorded: Recorded) -> None:
    entry: Any = entry_of(recorded)
    values = {name: getattr(entry, name) for name in AuditEntry.__annotations__}
    rows.put(audit_entries, **values, applied_version=recorded.version)
