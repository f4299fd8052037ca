"""What an operator hears of an action that was sent, on the page that shows it."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.messages.messages import Command

ANNOUNCE = "Announce"
"""The response header with a sentence that console.js puts into the page's live region."""


def outcome_of(cls: type[Command], identity: str, receipt: Receipt, undo_seconds: float) -> str:
    """A sentence on what became of the command; `undo_seconds` is 0 where it cannot be undone."""
    about = f"{cls.declaration.label} {identity}".strip()
    if receipt.status == "queued":
        when = f"in {undo_seconds:g} seconds" if undo_seconds else "accepted, waiting for a worker"
        return f"{about}: {when}."
    return f"{event_words(receipt.events[0])}." if receipt.events else f"{about}: done."


def announcing(sentence: str, fragment: str, **headers: str) -> Response:
    """The fragment, and the sentence for whoever cannot see what changed."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(fragment, headers={ANNOUNCE: quote(sentence)} | given)
