"""A security event in the Open Cybersecurity Schema Framework, version 1.3. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cqrs_app.platform.audit.entries import AuditEntry
from cqrs_app.platform.audit.kinds import KINDS, Kind

VERSION = "1.3.0"
INFORMATIONAL, MEDIUM = (1, "Informational"), (3, "Medium")
SUCCESS, FAILURE = (1, "Success"), (2, "Failure")


def ocsf(entry: AuditEntry, *, console: str, release: str) -> dict[str, Any]:
    """The event as a JSON object. `console` identifies the console; times are in milliseconds."""
    kind = KINDS[Kind(entry.kind)]
    severity_id, severity = INFORMATIONAL if entry.success else MEDIUM
    status_id, status = SUCCESS if entry.success else FAILURE
    found: dict[str, Any] = {
        "metadata": {
            "version": VERSION,
            "uid": entry.event_id,
            "product": {"name": "Countersign", "vendor_name": "Countersign", "version": release},
            "log_provider": console,
        },
        "class_uid": kind.ocsf.uid,
        "class_name": kind.ocsf.name,
        "category_uid": kind.ocsf.category,
        "category_name": kind.ocsf.category_name,
        "activity_id": kind.activity,
        "activity_name": kind.activity_name,
        "type_uid": kind.ocsf.uid * 100 + kind.activity,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": kind.label,
        "time": _milliseconds(entry.at),
        "start_time": _milliseconds(entry.since),
        "count": entry.count,
        "unmapped": {
            "kind": entry.kind,
            "about": entry.about,
            "channel": entry.channel,
            "detail": entry.detail,
        },
    }
    if entry.who:
        found["actor"] = {"user": {"name": entry.who}}
        if entry.session:
            found["actor"]["session"] = {"uid": entry.session}
    if account := entry.account or entry.who:
        found["user"] = {"name": account}
    if entry.address:
        found["src_endpoint"] = {"ip": entry.address}
    return found


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
