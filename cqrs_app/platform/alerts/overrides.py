"""Approvals that were overridden, until somebody else has reviewed them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections.projection import snake
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.alerts.sources import Source
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.runtime.problems import Problem

_ROW = approval_requests.c
MOST = 1_000
"""The oldest so many have an alert each, the others one together."""


def of_overrides(kernel: Kernel) -> Iterator[Problem]:
    """One problem for each unreviewed override, and another once its review is overdue."""
    now = kernel.clock()
    found = select(_ROW.request_id, _ROW.command, _ROW.stream, _ROW.asked_by, _ROW.review_due)
    unreviewed = _ROW.review_due.is_not(None)
    found = found.where(unreviewed).order_by(_ROW.review_due, _ROW.request_id).limit(MOST)
    with reader_of(kernel.engines.write).connect() as connection:
        rows = connection.execute(found).all()
        count = select(func.count()).select_from(approval_requests).where(unreviewed)
        more = connection.execute(count).scalar_one() - MOST
    for row in rows:
        action = snake(row.command).replace("_", " ").capitalize()
        yield Problem(
            kind="override",
            subject=row.request_id,
            level="warn",
            title=f"An approval was overridden: {action}, requested by {row.asked_by}",
            cost="It was carried out without the signatures that it needs.",
            since=None,
            remedy="Somebody else reviews the request, and says whether it was justified.",
        )
        overdue = (now - row.review_due).total_seconds()
        if overdue > 0:
            yield Problem(
                kind="override_overdue",
                subject=row.request_id,
                level="bad",
                title=f"The review of an override is overdue: {action}",
                cost="Nobody else has looked at what was carried out without signatures.",
                since=row.review_due,
                remedy="Review the request now.",
                value=overdue,
                limit=0,
            )

    if more > 0:
        yield Problem(
            kind="override",
            subject="more",
            level="warn",
            title=f"{more:,} more {'approval was' if more == 1 else 'approvals were'} overridden",
            cost="They were carried out without the signatures that they need.",
            since=None,
            remedy="Somebody else reviews the requests, and says whether they were justified.",
            value=more,
        )


OVERRIDES = Source(frozenset({"override", "override_overdue"}), of_overrides)
