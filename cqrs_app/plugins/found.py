"""Finds the plug-in areas: the entry points of the group `countersign.areas`, and the modules that
AREAS names.

They are found once per process, since their tables and messages are defined when they are imported.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from cqrs_app.environment import SettingsError
from cqrs_app.plugins.declaration import Pages
from cqrs_app.plugins.plugin import API, Plugin
from cqrs_app.plugins.problems import problems_of

GROUP = "countersign.areas"
SETTING = "AREAS"
OLDEST = 1
"""The oldest API that is still accepted. A release that counts API up accepts the one before, with
a warning, and the next release no longer does."""


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
    if not OLDEST <= plugin.api <= API:
        raise SettingsError(
            f"{source} was written for API {plugin.api} of plug-in areas, and this release has "
            f"{API}. Install another release of its package."
        )
    if plugin.api < API:
        warnings.warn(
            f"{source} was written for API {plugin.api} of plug-in areas. This release still "
            f"accepts it, the next one will not: see the changelog for API {API}.",
            FutureWarning,
            stacklevel=2,
        )
    for problem in problems_of(plugin):
        raise SettingsError(f"{source}: {problem}")
    return plugin


def pages_of(plugins: Iterable[Plugin]) -> list[Pages]:
    """The pages of all of them."""
    return [pages for plugin in plugins for pages in plugin.pages]
