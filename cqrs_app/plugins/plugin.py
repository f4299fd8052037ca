"""A package's declaration of its area."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from cqrs_app.kernel.messages.messages import Command, Event, Query
from cqrs_app.kernel.registry import Area
from cqrs_app.plugins.declaration import AlertRule, OrderEntry, Pages
from cqrs_app.plugins.derived import complete, with_counts

API = 1
"""Counted up when a package that was written for an earlier release has to be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An area from another package. `api` is the API that it was written for.

    `package` is the import name of the package; it may hold the folders templates, static, and
    migrations/read and migrations/write. `tables` are further tables than those of its projections;
    the names of all begin with the name of the area and an underscore. `timeline` says what an
    event is in the timeline of an order. `alerts` are watched. `demo` returns commands and when
    they were sent, up to the given time: a demo shop is opened with them. `web` names a module of
    views, imported where there are pages, whose WEB is a WebArea: see interfaces/web/areas/area.py.
    """

    api: int
    package: str
    area: Area
    pages: Sequence[Pages] = ()
    tables: Sequence[Table] = ()
    timeline: Mapping[type[Event], Callable[[Any], OrderEntry]] = field(default_factory=dict)
    alerts: Sequence[AlertRule] = ()
    demo: Callable[[datetime], Iterable[tuple[datetime, Command]]] | None = None
    web: str = ""
    view_counts: Mapping[str, type[Query]] = field(init=False)
    """Path of a list -> the query that counts its views, derived."""

    def __post_init__(self) -> None:
        pages, area = complete(self.pages, self.area)
        counts, area = with_counts(pages, area)
        object.__setattr__(self, "pages", pages)
        object.__setattr__(self, "area", area)
        object.__setattr__(self, "view_counts", counts)

    @property
    def name(self) -> str:
        return self.area.name

    @property
    def root(self) -> Path:
        """The folder of the package."""
        return Path(str(files(self.package)))

    @property
    def contracts(self) -> Path:
        """The folder with the contracts of its events."""
        return self.root / "contracts"

    def folder(self, name: str) -> Path | None:
        """The folder of this name in the package, if it has one."""
        found = self.root / name
        return found if found.is_dir() else None

    @property
    def all_tables(self) -> Iterator[Table]:
        """The tables of its projections, and the others."""
        yield from (table for each in self.area.projections for table in each.tables)
        yield from self.tables

    def owns(self, table: str) -> bool:
        """Whether a table of this name belongs to it."""
        return any(each.name == table for each in self.all_tables)

    def could_own(self, table: str) -> bool:
        """Whether the name of a table begins as those of this area do."""
        return table.startswith(f"{self.name}_")
