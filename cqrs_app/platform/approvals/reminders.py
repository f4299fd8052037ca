"""When whoever can sign or review a request is reminded. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from cqrs_app.platform.approvals.request_fields import RequestFields
from cqrs_app.platform.approvals.types import RequestState

DAY = timedelta(days=1)


def remind_at(request: RequestFields) -> datetime | None:
    """When to remind of the deadline, or else of a review, once it is overdue."""
    return of_deadline(request) or (None if request.review_reminded else request.review_due)


def of_deadline(request: RequestFields) -> datetime | None:
    """After three quarters of the time, or a day before."""
    if request.state is RequestState.OPEN and request.due and not request.reminded:
        return request.due - min(DAY, timedelta(hours=request.last_begun.hours) / 4)
    return None
