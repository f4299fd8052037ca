"""Actions that wait some seconds before they are carried out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from cqrs_app.interfaces.web.ask import ask, may_act
from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.platform.runtime.pending import DelayedCommand, DelayedCommands
from cqrs_app.services import kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedAction:
    """An action that waits for `seconds` more, or was refused lately, with the sentence why."""

    command_id: str
    name: str
    label: str
    operator: str
    seconds: int
    may_undo: bool
    sentence: str


def delayed_actions(stream: str) -> list[DelayedAction]:
    """Those about this stream, in order."""
    return [_shown(each) for each in ask(DelayedCommands(stream=stream)).value]


def _shown(delayed: DelayedCommand) -> DelayedAction:
    command = kernel.registry.commands.get(delayed.type)
    left = (delayed.not_before - datetime.now(UTC)).total_seconds()
    return DelayedAction(
        command_id=delayed.command_id,
        name=delayed.type,
        label=command.declaration.label if command else event_words(delayed.type),
        operator=delayed.operator,
        seconds=max(math.ceil(left), 0),
        may_undo=command is not None and may_act(command.declaration.permission),
        sentence=delayed.sentence,
    )
