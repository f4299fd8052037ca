"""The fields of a command as they were recorded, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.kernel.messages.description import Field, fields_of
from cqrs_app.services import kernel


@dataclass(frozen=True, slots=True)
class RecordedField:
    """One field of a command; `nested` values are shown as they were recorded."""

    name: str
    label: str
    value: Any
    nested: bool


@bp.app_template_global()
def recorded_fields(command: str, payload: Mapping[str, Any]) -> list[RecordedField]:
    """The fields under their titles, with the labels of codes. A field or a code that this release
    does not know is shown as it is."""
    cls = kernel.registry.commands.get(command)
    known = {field.name: field for field in fields_of(cls)} if cls else {}
    found = []
    for name, recorded in payload.items():
        field = known.get(name)
        value = _with_labels(field, recorded) if field else recorded
        label = field.title if field else name.replace("_", " ").capitalize()
        nested = isinstance(value, list | dict) and bool(value)
        found.append(RecordedField(name, label, value, nested))
    return found


def _with_labels(field: Field, value: Any) -> Any:
    if not (isinstance(field.kind, type) and issubclass(field.kind, StrEnum)) or not value:
        return value
    labels: dict[Any, str] = {
        str(each): getattr(each, "label", str(each).capitalize()) for each in field.kind
    }
    if isinstance(value, list):
        return ", ".join(labels.get(each, str(each)) for each in value)
    return labels.get(value, value)
