"""Time travel: what the rules knew at a version or a moment, and what changed since another."""

from __future__ import annotations

from typing import Any, cast

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask, may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.errors import status_of
from cqrs_app.interfaces.web.forms import question_form, question_from
from cqrs_app.interfaces.web.places import about
from cqrs_app.kernel.errors import Invalid, NotAllowed
from cqrs_app.platform.runtime.past import Difference, StateDifference


@bp.get("/past")
def past() -> ResponseReturnValue:
    """Any stream as it was, and its difference to another version or moment."""
    if not may(StateDifference.declaration.permission):
        # Said before anyone fills in a form.
        raise NotAllowed(StateDifference.declaration.label, StateDifference.declaration.permission)
    form = question_form(cast("Any", StateDifference))(request.args if request.args else None)
    if not request.args:
        return _page(form)
    try:
        answer = ask(question_from(form, StateDifference))
    except Invalid as invalid:
        return _page(form, errors=list(invalid.problems.values())), status_of(invalid)
    found: Difference | None = answer.value
    if found is None:
        abort(404, f"There is nothing called {form.stream.data}.")
    return _page(form, found=found, freshness=answer.freshness, **_ways_on(found))


def _page(form: Any, **shown: Any) -> str:
    return render_template("past/past.html", **{"form": form, "errors": [], "found": None} | shown)


def _ways_on(found: Difference) -> dict[str, Any]:
    stream, version = found.after.stream, found.after.version
    return {
        "about": about(stream),
        "earlier_url": _at(stream, version - 1) if version > 0 else "",
        "later_url": _at(stream, version + 1) if version < found.after.newest else "",
    }


def _at(stream: str, version: int) -> str:
    return url_for("web.past", stream=stream, version=version)
