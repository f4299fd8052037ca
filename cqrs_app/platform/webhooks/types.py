"""The value types of webhook commands, with their limits and labels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.patterns import LINES, ONE_LINE

WebhookId = Annotated[
    str,
    Meta(
        title="Webhook",
        examples=["warehouse"],
        description="A short name, such as warehouse: small letters, digits and hyphens.",
        # The look-ahead is needed because `$` also matches before a trailing newline.
        pattern=r"^[a-z0-9][a-z0-9\-]*(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]
Address = Annotated[
    str,
    Meta(
        title="Address",
        examples=["https://example.com/hooks/orders"],
        description="Where the events go, such as https://example.com/hooks/orders.",
        pattern=ONE_LINE,
        min_length=1,
        max_length=500,
        extra={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"},
    ),
]
EventTypes = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...],
    Meta(
        title="Event types",
        examples=[["OrderApproved", "OrderCancelled"]],
        description="One per line, such as OrderPlaced. Empty: all of them.",
        max_length=100,
        extra={"spellcheck": "false"},
    ),
]
Description = Annotated[
    str,
    Meta(
        title="Description",
        description="Who receives this and what for.",
        pattern=LINES,
        max_length=500,
        extra={"widget": "textarea"},
    ),
]
Reason = Annotated[
    str,
    Meta(
        title="Reason",
        examples=["The warehouse moves house until Monday."],
        description="Stays with the webhook for whoever asks later.",
        pattern=LINES,
        min_length=1,
        max_length=500,
        extra={"widget": "textarea"},
    ),
]
Position = Annotated[
    int,
    Meta(
        title="After position",
        description="Events after this position of the log are sent again. 0: all there are.",
        ge=0,
        le=10**15,
    ),
]
