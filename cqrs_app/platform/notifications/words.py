"""The kinds of notifications."""

from __future__ import annotations

from enum import StrEnum


class NotificationKind(StrEnum):
    """Why an operator is notified; the values are stored."""

    MENTION = "mention"
    ASSIGNED = "assigned"
    TAKEN_OVER = "taken_over"
    BATCH = "batch"
    REQUEST = "request"
    APPROVAL = "approval"
    ALERT = "alert"

    @property
    def label(self) -> str:
        return {
            "mention": "somebody mentions me in a note",
            "assigned": "an order is assigned to me or my team",
            "taken_over": "somebody takes over an order that I have claimed",
            "batch": "my batch has finished",
            "request": "my request was decided, returned or overridden, or has expired",
            "approval": "a request needs my approval, or an override my review",
            "alert": "an alert that my team or I own is raised",
        }[self]
