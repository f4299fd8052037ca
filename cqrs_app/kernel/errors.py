"""Why a command or query failed: one exception class per reason.

Every error has a `code` for programs and a `sentence` for people; callers never match on text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class BusError(Exception):
    """A command or query was not carried out. Nothing has changed."""

    code = "failed"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Refused(BusError):
    """A business rule refused the command. `why` is the reason alone: for a flag on what is
    accepted all the same, and for a command that is not offered."""

    def __init__(self, code: str, sentence: str, why: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.why = why or sentence

    @classmethod
    def because(cls, code: str, why: str, instead: str = "") -> Refused:
        """Refused for this reason, with what to do instead."""
        return cls(code, " ".join(filter(None, (why, "Nothing was changed.", instead))), why)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason for which a rule refuses a command: its code, and when it applies (for the
    catalogue). `field` is the field of the command that has to be another one, if it is one;
    `occurred_at` is the time that is given for history.

    Calling it with the sentence for one case returns the exception to raise or yield; `because`
    takes the reason and what to do instead, and is for what may be flagged.
    """

    code: str
    when: str
    field: str = ""

    def __call__(self, sentence: str) -> Refused:
        return Refused(self.code, sentence)

    def because(self, why: str, instead: str = "") -> Refused:
        return Refused.because(self.code, why, instead)


class NotAllowed(BusError):
    """The operator lacks the permission."""

    code = "not_allowed"

    def __init__(self, what: str, permission: str, *, sender: str = "") -> None:
        """`sender` is who lacks it, where that is not whoever reads the sentence."""
        lacks = (
            f"{sender} does not have the permission to do this any more"
            if sender
            else "You do not have the permission to do this"
        )
        super().__init__(
            f"{lacks} ({what}). Nothing was changed. "
            f"Ask an administrator for the right “{permission}”."
        )
        self.permission = permission


class Invalid(BusError):
    """The message has invalid fields; `problems` maps field to sentence."""

    code = "invalid"

    def __init__(self, name: str, problems: Mapping[str, str]) -> None:
        listed = "; ".join(f"{field}: {problem}" for field, problem in problems.items())
        super().__init__(f"{name} has values that cannot be used. {listed}")
        self.problems = dict(problems)


class UnknownMessage(BusError):
    """No command or query of this name is registered."""

    code = "unknown"


class UndeclaredEvent(BusError):
    """An aggregate yielded an event that no area declares, so it could not be read back."""

    code = "undeclared_event"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The event {name} is declared by no area. Nothing was changed. "
            "Add it to the events of its area."
        )


class VersionConflict(BusError):
    """The stream has a newer version than the one that the operator, or this decision, read.

    `actual` is None when another writer committed while the command was being decided.
    """

    code = "changed_meanwhile"
    happened = "This has changed since you looked at it."

    def __init__(self, stream: str, expected: int, actual: int | None) -> None:
        super().__init__(
            f"{self.happened} Nothing was overwritten. Look at what changed, then decide again."
        )
        self.stream = stream
        self.expected = expected
        self.actual = actual


class CommandReused(BusError):
    """The command id was already used for another command or by another operator."""

    code = "command_id_reused"

    def __init__(self, command_id: str) -> None:
        super().__init__(
            f"The command id {command_id} was already used for something else. "
            "Nothing was changed. Send the command again with a new id."
        )


class Busy(BusError):
    """There are more concurrent messages than the settings allow."""

    code = "busy"

    def __init__(self, what: str) -> None:
        super().__init__(f"Too many {what} at once. Nothing was changed. Try again in a moment.")


class SwitchedOff(BusError):
    """Maintenance mode: a setting has switched the command bus off."""

    code = "switched_off"

    def __init__(self) -> None:
        super().__init__(
            "The console is in maintenance mode. Nothing was changed. Pages can be read; queued "
            "actions wait until it is over."
        )


class Unavailable(BusError):
    """A database did not answer. The message was carried out completely or not at all."""

    code = "unavailable"


class TooStale(BusError):
    """No answer is as fresh as was asked for, also after the wait. `position` and `lag_seconds` are
    those of the one there is."""

    code = "too_stale"

    def __init__(self, sentence: str, position: int, lag_seconds: float) -> None:
        super().__init__(sentence)
        self.position = position
        self.lag_seconds = lag_seconds


class BeyondHead(BusError):
    """A position was given that the log does not have."""

    code = "beyond_head"

    def __init__(self, position: int, head: int) -> None:
        super().__init__(
            f"The log ends at position {head}: there is no position {position}. "
            "If the write store was restored from a backup, begin again without a position."
        )


class TimedOut(BusError):
    """A message took longer than its timeout."""

    code = "timed_out"

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(
            f"{what} took longer than {seconds:g} seconds and was stopped. "
            "Nothing was changed. Try again, or ask for less at once."
        )


class AlreadyRecorded(Exception):
    """The store holds a finished command with this id. The caller answers with its receipt."""
