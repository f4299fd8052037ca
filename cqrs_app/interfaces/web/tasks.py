"""The tasks that a page offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cqrs_app.interfaces.web import asking
from cqrs_app.services import kernel


def offered(names: Iterable[str]) -> list[dict[str, Any]]:
    """{name, label, risky} of each of these commands that the operator may send."""
    found = ((name, kernel.registry.command(name).declaration) for name in names)
    return [
        {"name": name, "label": said.label, "risky": said.risky}
        for name, said in found
        if asking.may(said.permission)
    ]
