"""The timeline of an order's page: which kinds of entries, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from cqrs_app.areas.desk.queries.timeline import OrderTimeline, TimelineVersion
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.context import Answer

AT_FIRST = 8
"""Entries that a page shows, about as high as the panels beside them."""
MORE = 50
"""Entries that "Show earlier" adds."""
NAMES = ("kind", "newest")


def question_of(order_id: str, args: Mapping[str, str]) -> OrderTimeline:
    """The query for this URL. Raises Invalid with a sentence."""
    given = {"newest": str(AT_FIRST)} | {name: args[name] for name in NAMES if args.get(name)}
    try:
        return parse(OrderTimeline, {"order_id": order_id} | given, from_text=True)
    except Invalid as invalid:
        raise Invalid("The address of this page", invalid.problems) from invalid


def timeline_panel(
    question: OrderTimeline, more_args: Mapping[str, str], *, strong: bool
) -> tuple[dict[str, Any], Answer[int]]:
    """The panel's entries, and the order's version they include. With `strong`, and while no
    projection holds the order, they come from the order's events alone.
    """
    order_id, newest = question.order_id, question.newest or AT_FIRST
    version = ask(TimelineVersion(order_id=order_id), strong=strong)
    if not version.value:
        version, strong = ask(TimelineVersion(order_id=order_id), strong=True), True
    one_more = OrderTimeline(order_id=order_id, kind=question.kind, newest=newest + 1)
    answer = ask(one_more, strong=strong)
    notes = ask(OrderTimeline(order_id=order_id, kind=EntryKind.NOTE), strong=strong)
    kept = {name: value for name, value in more_args.items() if name not in NAMES}

    def url(**chosen: Any) -> str:
        return url_for("web.order", order_id=order_id, **kept | chosen)

    of_kind = {"kind": question.kind.value} if question.kind else {}
    panel = {
        "timeline": answer.value[::-1][:newest],
        "timeline_freshness": answer.freshness,
        "timeline_alone": strong,
        "timeline_kind": question.kind,
        "timeline_kinds": [
            {"id": "all", "label": "All", "url": url(), "chosen": question.kind is None},
            *(
                {
                    "id": kind.value,
                    "label": kind.label,
                    "url": url(kind=kind.value),
                    "chosen": question.kind is kind,
                }
                for kind in EntryKind
            ),
        ],
        "earlier_url": url(**of_kind, newest=newest + MORE) if len(answer.value) > newest else "",
        "notes": notes.value[::-1],
    }
    return panel, version
