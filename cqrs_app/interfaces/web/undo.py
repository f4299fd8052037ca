"""Undoing an action that waits some seconds before it is carried out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas import PLACES
from cqrs_app.interfaces.web.ask import command_context, is_fragment
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.outcome import announcing
from cqrs_app.interfaces.web.places import about, back_to
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Refused
from cqrs_app.services import kernel


@bp.post("/log/<command_id>/undo")
def undo(command_id: str) -> ResponseReturnValue:
    """Withdraw an action that waits, and show its thing again."""
    entry = kernel.log.find(command_id) if command_id.isprintable() else None
    if entry is None:
        abort(404, "There is no action with this id.")
    category, _, identity = entry.stream.partition("-")
    place = PLACES.get(category)
    lists = [url_for(place.all)] if place else []
    page = back_to(about(entry.stream)["url"], *lists)
    try:
        kernel.commands.withdraw(command_id, command_context(new_id(), None))
    except Refused as refusal:
        flash(refusal.sentence, "warn")
        if is_fragment():
            return Response(status=204, headers={"HX-Redirect": page})
        return redirect(page, 303)
    undone = f"{about(entry.stream)['text']}: undone."
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if place and place.list_fragment and is_fragment() and shown == url_for(place.all):
        return announcing(undone, place.list_fragment())
    if place and place.fragment and is_fragment():
        return announcing(undone, place.fragment(identity))
    return redirect(page, 303)
