"""Who is responsible for orders: forms, and who has how much."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from cqrs_app.areas.assignments.commands import AssignOrder
from cqrs_app.areas.desk.queries.workload import Workloads
from cqrs_app.areas.desk.words import NEEDS_ACTION
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.order_summary import order_summary
from cqrs_app.interfaces.web.areas.orders import order_list, queueing
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms_derived import with_options
from cqrs_app.services import services


@bp.get("/workload")
def workload() -> ResponseReturnValue:
    """The orders that need action, by assignee."""
    answer = ask(Workloads())
    return render_template(
        "orders/workload.html",
        rows=answer.value,
        freshness=answer.freshness,
        stages=[
            stage
            for stage in NEEDS_ACTION
            if any(each.stages.get(stage.value) for each in answer.value)
        ],
        waiting=[stage.value for stage in NEEDS_ACTION],
    )


def _operators() -> tuple[str, ...]:
    return tuple(services.assignees.all())


def _teams() -> tuple[str, ...]:
    return tuple(sorted({*services.assignees.all().values()} - {""}))


ASSIGNMENTS = WebArea(
    places={
        "assignment": Place(
            "orders",
            "web.orders",
            "web.order",
            summary=order_summary,
            list_fragment=order_list.list_fragment,
            after=queueing.after_action,
            waits=True,
        )
    },
    form_fields={
        (AssignOrder, "operator"): with_options("operator", _operators),
        (AssignOrder, "team"): with_options("team", _teams),
    },
)
