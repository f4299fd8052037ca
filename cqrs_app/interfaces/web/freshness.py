"""The freshness mark of a panel that is not refreshed itself."""

from __future__ import annotations

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.kernel.messages.fields import WHOLE_NUMBER
from cqrs_app.services import kernel


@bp.get("/freshness")
@background
def freshness() -> ResponseReturnValue:
    """The mark of an answer given at `position`, from projections that were `shown` then."""
    position, shown = request.args.get("position", ""), request.args.getlist("shown")
    names = {each.partition(":")[0] for each in shown}
    if not WHOLE_NUMBER.fullmatch(position) or not names <= kernel.registry.projections.keys():
        abort(404, "There is no such panel.")
    found, changed = kernel.queries.freshness_of(shown, int(position))
    return fragment(render_template("components/_freshness.html", freshness=found, changed=changed))
