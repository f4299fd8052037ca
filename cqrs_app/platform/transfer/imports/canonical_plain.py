"""The plain values of canonical documents, and the commands that they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.documents import Step

Plain = dict[str, Any]
Moments = Mapping[str, tuple[type[Event], type[Command]]]
"""What can happen -> the event that records it, and the command that repeats it."""


class Unusable(ValueError):
    """The plain values are no canonical document."""


def shared_fields(event: Event, command: type[Command], leave_out: str = "") -> Plain:
    """The fields of the command, which the event has too."""
    return {name: getattr(event, name) for name in hints_of(command) if name != leave_out}


def moment_of(each: Recorded, what: str, moments: Moments, number: str) -> Plain:
    """What happened, as plain values; `number` is the field that the document has."""
    _, command = moments[what]
    return {"what": what, "at": each.occurred_at} | shared_fields(each.event, command, number)


def step_of(plain: Mapping[str, Any], moments: Moments, prefix: str, **number: str) -> Step:
    """The inverse; the name of the step begins with the prefix. Raises Unusable or Invalid."""
    rest = dict(plain)
    what, at = rest.pop("what", ""), rest.pop("at", "")
    if not isinstance(what, str) or what not in moments:
        raise Unusable(f"{what!r} is no moment, of which there are {', '.join(moments)}")
    return Step(time_of(at), parse(moments[what][1], rest | number), f"{prefix}-{what}")


def time_of(value: Any) -> datetime:
    """Raises Unusable, or ValueError with a sentence."""
    if not isinstance(value, str):
        raise Unusable(f"{value!r} is no time")
    return moment(value)


def objects(value: Any, name: str) -> list[Mapping[str, Any]]:
    """A list of objects, each of this name. Raises Unusable."""
    if not isinstance(value, list):
        raise Unusable(f"{name}s is a list")
    if not all(isinstance(each, Mapping) for each in value):
        raise Unusable(f"a {name} is an object")
    return value
