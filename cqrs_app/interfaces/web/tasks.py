"""The tasks that a page offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cqrs_app.extensions import kernel
from cqrs_app.interfaces.web.ask import may


def offered(names: Iterable[str]) -> list[dict[str, Any]]:
    """{name, label, risky} of each of these commands that the operator may send."""
    found = ((name, kernel.registry.command(name).declaration) for name in names)
    return [
        {"name": name, "label": said.label, "risky": said.risky}
        for name, said in found
        if may(said.permission)
    ]
