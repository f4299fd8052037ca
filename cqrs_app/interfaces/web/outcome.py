"""What an operator hears of an action that was sent, on the page that shows it."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from flask import Response

from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.approvals.gate import REQUESTED
from cqrs_app.services import kernel

ANNOUNCE = "Announce"
"""The response header with a sentence that console.js puts into the page's live region."""


def title_of(cls: type[Command], identity: str, between: str = ": ") -> str:
    """The command with the thing it is about: "Approve order CS-1", "Change lines: order CS-1".
    What is no name for anybody is left out: a UUID, the owner of macros, a digest."""
    label, noun = cls.declaration.label, noun_of(cls)
    if not identity or is_uuid(identity) or not has_name(cls):
        return label
    return f"{label} {identity}" if names_noun(cls) else f"{label}{between}{noun} {identity}"


def submit_label_of(cls: type[Command], identity: str) -> str:
    """The command's label, with the thing's number where it names the thing."""
    return title_of(cls, identity) if names_noun(cls) else cls.declaration.label


def is_uuid(identity: str) -> bool:
    """Whether the identity was made by a program."""
    try:
        uuid.UUID(identity)
    except ValueError:
        return False
    return True


def names_noun(cls: type[Command]) -> bool:
    """Whether the label ends in what the command is about."""
    return cls.declaration.label.casefold().endswith(noun_of(cls))


def has_name(cls: type[Command]) -> bool:
    """Whether the identity names what the command is about: a stream of macros or policies holds
    many, and a delegation has the name of its operator."""
    aggregate = kernel.registry.routes[cls].aggregate
    many = aggregate.category.endswith("s")
    another = aggregate.identity != aggregate.category and (
        aggregate.identity in kernel.registry.aggregates
    )
    return names_noun(cls) or not (many or another)


def noun_of(cls: type[Command]) -> str:
    """What the command is about: "order", "product"."""
    aggregate = kernel.registry.routes[cls].aggregate
    name = aggregate.identity.removesuffix("_id").replace("_", " ")
    named = aggregate.identity.endswith("_id") or cls.declaration.label.casefold().endswith(name)
    return name if named else aggregate.category.replace("_", " ")


def outcome_of(cls: type[Command], identity: str, receipt: Receipt, undo_seconds: float) -> str:
    """A sentence on what became of the command; `undo_seconds` is 0 where it cannot be undone."""
    about = title_of(cls, identity, between=", ")
    if receipt.status == REQUESTED:
        return f"{about}: approval requested."
    if receipt.status == "queued":
        when = f"in {undo_seconds:g} seconds" if undo_seconds else "accepted, waiting for a worker"
        return f"{about}: {when}."
    return f"{event_words(receipt.events[0])}." if receipt.events else f"{about}: done."


def announcing(sentence: str, fragment: str, **headers: str) -> Response:
    """The fragment, and the sentence for whoever cannot see what changed."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(fragment, headers={ANNOUNCE: quote(sentence)} | given)
