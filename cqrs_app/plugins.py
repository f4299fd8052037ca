"""Areas that come in packages of their own: how they are declared, and how they are found.

Found are the entry points of the group `countersign.areas`, and the modules that AREAS names. They
are found once per process, since their tables and messages are defined when they are imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import get_args, get_type_hints

from sqlalchemy import Table

from cqrs_app.environment import SettingsError
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.fields import required_of
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.registry import Area

GROUP = "countersign.areas"
SETTING = "AREAS"
API = 1
"""Counted up when a package that was written for an earlier release has to be changed."""

_NAME = re.compile(r"[a-z][a-z0-9_]{1,29}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of things of one kind, made from their messages: `/PATH` and `/PATH/IDENTITY`.

    `list` is a ListQuery whose rows have the identity of the aggregate; each of its other fields
    becomes a filter. `get` takes the identity and nothing else, and answers with what the page of
    one thing shows, or None; `actions` likewise with `actions_of(aggregate)`. `choose` selects
    things for a batch. `starts` are the commands that create one, offered above the list; `batched`
    those for several rows. `one` is the noun for one thing, in lower case; `icon` is one of
    static/icons.svg; `key` opens the list after "g".

    A template PATH/list.html or PATH/one.html of the package replaces the page, and may extend
    records/list.html and records/one.html.
    """

    aggregate: type[Aggregate]
    path: str
    title: str
    one: str
    list: type[Query]
    get: type[Query]
    actions: type[Query]
    choose: type[Query] | None = None
    starts: Sequence[type[Command]] = ()
    batched: Sequence[type[Command]] = ()
    icon: str = "stack-2"
    key: str = ""

    @property
    def identity(self) -> str:
        return self.aggregate.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An area from another package. `api` is the API that it was written for.

    `package` is the import name of the package; it may hold the folders templates, static, and
    migrations/read and migrations/write. The names of its tables begin with the name of the area
    and an underscore. `web` names a module of views, imported where there are pages, whose WEB is a
    WebArea: see interfaces/web/areas/area.py.
    """

    api: int
    package: str
    area: Area
    pages: Sequence[Pages] = ()
    web: str = ""

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

    def owns(self, table: str) -> bool:
        """Whether a table of this name belongs to it."""
        return table.startswith(f"{self.name}_")

    @property
    def tables(self) -> Iterator[Table]:
        """The tables of its projections."""
        return (table for each in self.area.projections for table in each.tables)


@cache
def installed() -> tuple[Plugin, ...]:
    """The plug-in areas of this process. Raises SettingsError with a sentence if one cannot be
    used."""
    return found_in(os.environ)


def found_in(environment: Mapping[str, str]) -> tuple[Plugin, ...]:
    """The same for an environment, in order of their names."""
    found: dict[str, Plugin] = {}
    for source in _sources(environment):
        plugin = _checked(source)
        if found.setdefault(plugin.name, plugin) is not plugin:
            raise SettingsError(f"{source}: another package has an area called {plugin.name}.")
    return tuple(found[name] for name in sorted(found))


def _sources(environment: Mapping[str, str]) -> list[str]:
    """Where plug-ins are declared, as MODULE or MODULE:NAME; each once."""
    points = [each.value for each in entry_points(group=GROUP)]
    named = environment.get(SETTING, "").replace(",", " ").split()
    places = (place if ":" in place else f"{place}:PLUGIN" for place in (*points, *named))
    return [*dict.fromkeys(places)]


def _checked(source: str) -> Plugin:
    module, _, name = source.partition(":")
    try:
        plugin = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"{source} cannot be loaded ({error}). Install it, or remove it from {SETTING}."
        ) from error
    if not isinstance(plugin, Plugin):
        raise SettingsError(f"{source} is no Plugin: see docs/areas.md.")
    if plugin.api != API:
        raise SettingsError(
            f"{source} was written for API {plugin.api} of plug-in areas, and this release has "
            f"{API}. Install another release of its package."
        )
    for problem in problems_of(plugin):
        raise SettingsError(f"{source}: {problem}")
    return plugin


def problems_of(plugin: Plugin) -> Iterator[str]:
    """What is wrong with how an area is declared, a sentence each."""
    if not _NAME.fullmatch(plugin.name):
        yield (
            f"the area is called {plugin.name!r}; write 2 to 30 small letters, digits and "
            "underscores, a letter first."
        )
    for table in plugin.tables:
        if not plugin.owns(table.name):
            yield f"its table {table.name} must be called {plugin.name}_{table.name}."
    for pages in plugin.pages:
        yield from _problems_of(pages, plugin.area)


def _problems_of(pages: Pages, area: Area) -> Iterator[str]:
    if pages.aggregate not in area.aggregates:
        yield f"the pages of {pages.path} are about {pages.aggregate.__name__}, not of this area."
    for query in filter(None, (pages.list, pages.get, pages.actions, pages.choose)):
        if query not in area.answers:
            yield f"{query.__name__}, of the pages of {pages.path}, has no answer in this area."
    for query in (pages.get, pages.actions):
        if required_of(query) != {pages.identity}:
            yield f"{query.__name__} must need {pages.identity} and nothing else."


def row_of(pages: Pages, area: Area) -> type:
    """The type of the rows of the list."""
    answer = area.answers[pages.list]
    found: type = get_args(get_type_hints(answer.handler)["return"])[0]  # type: ignore[union-attr]
    return found


def pages_of(plugins: Iterable[Plugin]) -> list[Pages]:
    """The pages of all of them."""
    return [pages for plugin in plugins for pages in plugin.pages]
