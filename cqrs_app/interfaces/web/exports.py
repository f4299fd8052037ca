"""Whole lists as downloads, and the links that pass on a page's filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, abort, g, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.interfaces.web.typed import read_here
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.subjects import subjects_of
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.platform.transfer.exports.lists import Listing, listings, question_of
from cqrs_app.platform.transfer.exports.rows import PERMISSION, authorise, pages
from cqrs_app.services import kernel, services


@bp.get("/exports/<name>.<ending>")
def export(name: str, ending: str) -> ResponseReturnValue:
    """The whole list with the URL's filters, streamed. An error after the first rows aborts the
    connection: the server then never sends the end of the response, and the browser reports a
    failed download.
    """
    listing = listings(kernel.registry).get(name)
    if listing is None or ending not in FORMATS:
        abort(404, f"There is no export called {name}.{ending}.")
    wanted = FORMATS[ending]
    authorise(kernel.queries, listing.query, g.operator.actor)
    question = question_of(listing, request.args.to_dict(flat=False))
    streams = subjects_of(question, kernel.registry.aggregates.values())
    if streams and not kernel.store.versions_of(streams):
        abort(404, "There is nothing of this name or number. Look at the address again.")
    if listing.query.declaration.step_up and (asked := step_up()):
        return asked
    # The stream outlives the request's context, so it gets the query bus itself.
    queries = services.kernel.queries
    rows = pages(queries, question, g.operator.actor)
    services.audit.record(Kind.EXPORTED, g.operator.name, listing.name, detail=ending)
    file_name = f"{listing.name}-{business_day():%Y-%m-%d}.{wanted.extension}"
    return Response(
        wanted.write(listing.columns, rows, services.settings.locale),
        content_type=wanted.mimetype,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def downloads(query: type[Query], given: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    """For the downloads macro: {label, url} per format of the list on this page, with its present
    filters or those given; none for those who may not."""
    if not may(PERMISSION):
        return []
    listing: Listing = listings(kernel.registry)[query.__name__]
    named = _given_here(query) if given is None else given
    filters: dict[str, Any] = {
        name: value for name, value in named.items() if name in listing.filters
    }
    return [
        {
            "label": each.label,
            "url": url_for("web.export", name=query.__name__, ending=ending, **filters),
        }
        for ending, each in FORMATS.items()
    ]


def _given_here(query: type[Query]) -> dict[str, Any]:
    """The filters of the present address, as programs write them."""
    lists = dict(request.args.lists())
    return lists | read_here(
        query, {name: texts[0] for name, texts in lists.items() if len(texts) == 1}
    )
