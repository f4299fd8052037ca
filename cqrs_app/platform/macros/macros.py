"""The macros of one person, or of the team. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.search_words import fold
from cqrs_app.platform.macros.commands import DeleteMacro, RenameMacro, SaveMacro
from cqrs_app.platform.macros.events import MacroDeleted, MacroRenamed, MacroSaved

MOST_MACROS = 50
NO_SUCH_MACRO = Refusal("no_such_macro", "There is no macro of this name.")
NAME_TAKEN = Refusal("name_taken", "Another macro has the new name.")
TOO_MANY_MACROS = Refusal("too_many_macros", f"There are {MOST_MACROS} macros already.")
NOT_YOURS = Refusal("not_yours", "It is the macro of somebody else.")
UNUSABLE_STEP = Refusal("unusable_step", "A macro cannot have this step.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """`steps` are as in `MacroSaved`."""

    name: str
    steps: tuple[str, ...]

    def has(self, name: str) -> bool:
        return fold(self.name) == fold(name)


@dataclass
class Macros(Aggregate):
    """In the order in which they were first saved."""

    category: ClassVar[str] = "macros"
    identity: ClassVar[str] = "owner"

    saved: list[Macro] = field(default_factory=list)

    @handles(SaveMacro, refusals=[NOT_YOURS, TOO_MANY_MACROS, UNUSABLE_STEP])
    def save(self, command: SaveMacro) -> Iterator[Event]:
        if len(self.saved) >= MOST_MACROS and not self.find(command.macro):
            raise TOO_MANY_MACROS(
                f"There are {MOST_MACROS} macros already. Nothing was saved. Delete one that is no "
                "longer used."
            )
        yield MacroSaved(owner=command.owner, macro=command.macro, steps=command.steps)

    @handles(RenameMacro, refusals=[NOT_YOURS, NO_SUCH_MACRO, NAME_TAKEN])
    def rename(self, command: RenameMacro) -> Iterator[Event]:
        found, taken = self._require(command.macro), self.find(command.new_name)
        if taken and taken is not found:
            raise NAME_TAKEN.because(f"There is a macro named {taken.name} already.")
        yield MacroRenamed(owner=command.owner, macro=command.macro, new_name=command.new_name)

    @handles(DeleteMacro, refusals=[NOT_YOURS, NO_SUCH_MACRO])
    def delete(self, command: DeleteMacro) -> Iterator[Event]:
        self._require(command.macro)
        yield MacroDeleted(owner=command.owner, macro=command.macro)

    def find(self, name: str) -> Macro | None:
        return next((each for each in self.saved if each.has(name)), None)

    def _require(self, name: str) -> Macro:
        if found := self.find(name):
            return found
        raise NO_SUCH_MACRO.because(f"There is no macro named {name}.")

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case MacroSaved():
                new = Macro(name=event.macro, steps=event.steps)
                if self.find(event.macro):
                    self.saved = [new if each.has(event.macro) else each for each in self.saved]
                else:
                    self.saved = [*self.saved, new]
            case MacroRenamed():
                self.saved = [
                    replace(each, name=event.new_name) if each.has(event.macro) else each
                    for each in self.saved
                ]
            case MacroDeleted():
                self.saved = [each for each in self.saved if not each.has(event.macro)]
