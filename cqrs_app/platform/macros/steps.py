"""The steps of a macro: commands for the same thing, each with its fields but for that thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.privacy.personal import personal_fields, texts_in
from cqrs_app.platform.macros.macros import UNUSABLE_STEP

Routes = Mapping[str, tuple[type[Command], Handler]]
"""The commands that a macro may have, by name."""
ANY_ID = "1"


@dataclass(frozen=True, slots=True)
class Step:
    """A command's name and its fields, without that of the thing it is about."""

    command: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Step:
        """As in `MacroSaved`: the values of the fields are texts, or lists of texts."""
        name, _, query = text.partition("?")
        found = parse_qs(query)
        return cls(name, {key: each[0] if len(each) == 1 else each for key, each in found.items()})

    def __str__(self) -> str:
        filled = {name: each for name, each in self.fields.items() if each not in ("", [])}
        query = urlencode(filled, doseq=True)
        return f"{self.command}?{query}" if query else self.command


def check_steps(texts: Iterable[str], routes: Routes) -> None:
    """Refuse what could not be sent to many things one after the other."""
    identities = set()
    for text in texts:
        step = Step.from_text(text)
        if step.command not in routes:
            raise UNUSABLE_STEP(
                f"There is no action {step.command} for a macro. Nothing was saved."
            )
        cls, handler = routes[step.command]
        identity = handler.aggregate.identity
        identities.add(identity)
        if identity in step.fields:
            raise UNUSABLE_STEP(
                f"{step.command} cannot have {identity} in a macro, which is for any. Nothing was "
                "saved. Leave it out."
            )
        if any(any(texts_in(step.fields.get(name))) for name in personal_fields(cls)):
            raise UNUSABLE_STEP(
                f"{step.command} cannot have personal data in a macro, because no erasure would "
                "reach it here. Nothing was saved."
            )
        try:
            parse(cls, {**step.fields, identity: ANY_ID}, from_text=True)
        except Invalid as invalid:
            found = "; ".join(f"{name}: {each}" for name, each in invalid.problems.items())
            raise UNUSABLE_STEP(
                f"{step.command} cannot have these fields. Nothing was saved. {found}"
            ) from invalid
    if len(identities) > 1:
        raise UNUSABLE_STEP(
            "The steps of a macro have to be about the same kind of thing. Nothing was saved."
        )
