"""What is wrong with how an area is declared, a sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import MetaData

from cqrs_app.kernel.messages.fields import required_of
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.store.tables import read_tables, write_tables
from cqrs_app.plugins.declaration import Pages
from cqrs_app.plugins.plugin import Plugin

_NAME = re.compile(r"[a-z][a-z0-9_]{1,29}")
_PATH = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_PATH = 40


def problems_of(plugin: Plugin) -> Iterator[str]:
    """What is wrong with the declaration."""
    if not _NAME.fullmatch(plugin.name):
        yield (
            f"the area is called {plugin.name!r}; write 2 to 30 small letters, digits and "
            "underscores, a letter first."
        )
    for table in plugin.all_tables:
        if not plugin.could_own(table.name):
            yield f"its table {table.name} must be called {plugin.name}_{table.name}."
    for rule in plugin.alerts:
        if not plugin.could_own(rule.name):
            yield f"its alert {rule.name} must be called {plugin.name}_{rule.name}."
    for event in plugin.timeline:
        if event not in plugin.area.event_types:
            yield f"its timeline has {event.__name__}, which is no event of this area."
    for pages in plugin.pages:
        yield from _problems_of(pages, plugin.area)


def _problems_of(pages: Pages, area: Area) -> Iterator[str]:
    if not _PATH.fullmatch(pages.path) or len(pages.path) > LONGEST_PATH:
        yield (
            f"the path {pages.path!r} cannot be one; write at most {LONGEST_PATH} small letters "
            "and digits, a letter first, words with a hyphen between them."
        )
    if pages.aggregate not in area.aggregates:
        yield f"the pages of {pages.path} are about {pages.aggregate.__name__}, not of this area."
    if pages.list not in area.answers:
        yield f"{pages.list.__name__}, of the pages of {pages.path}, has no answer in this area."
        return
    for query in (pages.get, pages.actions):
        if query not in area.answers:
            yield f"{query.__name__}, of the pages of {pages.path}, has no answer in this area."
        elif required_of(query) != {pages.identity}:
            yield f"{query.__name__} must need {pages.identity} and nothing else."


def shared_names(plugin: Plugin) -> Iterator[str]:
    """Which tables begin as those of this area do, and are not declared by it."""
    metadata: tuple[MetaData, ...] = (read_tables, write_tables)
    others = sorted(
        name
        for each in metadata
        for name in each.tables
        if plugin.could_own(name) and not plugin.owns(name)
    )
    if others:
        yield (
            f"the area {plugin.name} does not declare the tables {', '.join(others)}, which have "
            "its name. Rename the area if they are not its own; otherwise name them in "
            "Plugin(tables=...)."
        )
