"""What is wrong with a plug-in area: the checks of `flask areas check`, and of its own tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cqrs_app.installed_areas import MONEY, build_registry
from cqrs_app.kernel.events import contracts
from cqrs_app.kernel.projections.projection import Projection, snake
from cqrs_app.kernel.registry import Area, Registry
from cqrs_app.plugins import Plugin, problems_of


@dataclass(frozen=True, slots=True)
class AreaFinding:
    """Something to mend; `rule` is a short name of its kind, `file` and `line` where it is."""

    rule: str
    sentence: str
    file: str = ""
    line: int = 0


def findings(plugin: Plugin) -> list[AreaFinding]:
    """Everything that is wrong with how the area is declared, the worst first."""
    declared = [AreaFinding("declaration", each) for each in problems_of(plugin)]
    registry, clashes = _registry_with(plugin.area)
    if registry is None:
        return [*declared, *clashes]
    return [
        *declared,
        *_of_messages(plugin.area),
        *_of_projections(plugin.area, registry),
        *_of_contracts(plugin, registry),
    ]


def _registry_with(area: Area) -> tuple[Registry | None, list[AreaFinding]]:
    """The console's registry with the area, unless their names clash."""
    others = [each for each in build_registry().areas if each.name not in (area.name, "erasure")]
    try:
        return Registry([*others, area], MONEY), []
    except ValueError as error:
        return None, [AreaFinding("name", f"A name is used twice: {error}.")]


def _of_messages(area: Area) -> Iterator[AreaFinding]:
    for command in area.handlers:
        if not (command.__doc__ or "").strip():
            yield _at(
                command, "help", f"{command.__name__} has no docstring: its form has no help."
            )


def _of_projections(area: Area, registry: Registry) -> Iterator[AreaFinding]:
    for projection in area.projections:
        cls = type(projection)
        if not projection.handlers:
            yield _at(cls, "projection", f"{cls.__name__} handles no event, so it stays empty.")
        known = {snake(each) for each in registry.events}
        for name, method in vars(cls).items():
            is_own = inspect.isfunction(method) and not hasattr(Projection, name)
            if is_own and not name.startswith("_") and name not in known:
                yield _at(method, "projection", f"{cls.__name__}.{name} is named after no event.")
        for table in projection.tables:
            if "applied_version" not in table.c:
                yield _at(
                    cls,
                    "version",
                    f"{table.name} has no column applied_version, so pages cannot tell whether a "
                    "row includes a change.",
                )


def _of_contracts(plugin: Plugin, registry: Registry) -> Iterator[AreaFinding]:
    for fault in contracts.faults(registry.codec, plugin.area.event_types, plugin.contracts):
        yield AreaFinding("contract", fault, str(plugin.contracts))


def _at(thing: Any, rule: str, sentence: str) -> AreaFinding:
    file = Path(inspect.getfile(thing))
    return AreaFinding(rule, sentence, str(file), inspect.getsourcelines(thing)[1])
