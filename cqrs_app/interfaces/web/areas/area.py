"""What an area declares for the generic pages: command forms, search and Home."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from cqrs_app.interfaces.web.choices import Lookup
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.kernel.messages.messages import Command, Event

FROM = "from"
"""The parameter with the address that a form or a button was on, with its filters."""

Suggest = Callable[[Mapping[str, str]], dict[str, Any]]
"""From the fields given in a URL to the values of other fields."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things of one kind are shown.

    `tab` is the entry in the navigation, `all` the endpoint of the list, `one` that of a single
    thing by its identity, `also` that of another page of its identity that offers its commands.
    `fragment` renders again what a command changes on the page of one: the element whose id is the
    category; `list_fragment` what it changes in the list, the element `TAB-table`. `summary` shows
    one in a form. `names` says in words what identities stand for, where they are ids of programs.
    `after` leads elsewhere after a command, unless empty. `waits`: pages cannot mark a change as
    pending, so the answer to a command waits a moment until they show it.
    """

    tab: str
    all: str
    one: str = ""
    also: str = ""
    fragment: Callable[[str], str] | None = None
    summary: Callable[[str], Markup] | None = None
    names: Callable[[Iterable[str]], Mapping[str, str]] = lambda identities: {}
    list_fragment: Callable[[], str] | None = None
    after: Callable[[Any], str] = lambda command: ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """One reading of the health strip; `tone` is good, warn, bad or idle. `trend` are its values of
    the last hour."""

    label: str
    value: str
    tone: str
    url: str = ""
    trend: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result. `exact`: its number is what was typed."""

    text: str
    url: str
    details: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds things of one kind. `find` takes the typed text and the number of results to show;
    `all` is the endpoint of the whole list, whose parameter `q` takes the same text.
    """

    title: str
    icon: str
    permission: str
    find: Callable[[str, int], Iterable[Hit]]
    all: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebArea:
    """What one area declares for the pages. `places` are by the category of streams; `suggestions`
    fill in forms; `summaries` show what a form is about, from the fields in its address;
    `form_fields` replace derived ones, by command and field; `lookups` find the values of fields,
    by the name in their `Meta`. `home_panels` return what `home/_NAME.html` needs; `home_signs`
    what the health strip shows to the operator; `finders` what the search covers; `starts` are
    commands that create something, which the search offers first; `batched` those that lists offer
    for several rows; `confirmed` tells which of these commands need a proof of identity for what
    they are about; `warnings` what an operator reads after an action that ended in such an
    event, and `several` the words for several of one; `remarks` a sentence for the form of a
    command, from the command as it is filled in.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    suggestions: Mapping[type[Command], Suggest] = field(default_factory=dict)
    summaries: Mapping[type[Command], Callable[[Mapping[str, str]], Markup]] = field(
        default_factory=dict
    )
    form_fields: Mapping[tuple[type[Command], str], Callable[[type[Command]], Any]] = field(
        default_factory=dict
    )
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    home_panels: Mapping[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    home_signs: Callable[[], list[Sign]] = list
    finders: tuple[Finder, ...] = ()
    starts: tuple[type[Command], ...] = ()
    batched: tuple[type[Command], ...] = ()
    confirmed: Mapping[type[Command], Callable[[Any], bool]] = field(default_factory=dict)
    warnings: Mapping[type[Event], str] = field(default_factory=dict)
    several: Mapping[type[Event], str] = field(default_factory=dict)
    remarks: Mapping[type[Command], Callable[[Any], str]] = field(default_factory=dict)


def free_number(name: str, prefix: str) -> Suggest:
    """Suggest a number for the field `name`.

    Not counted up: two people who open the form at once must not get the same one.
    """

    def suggest(given: Mapping[str, str]) -> dict[str, Any]:
        number = f"{business_day():%y%m%d}-{secrets.randbelow(1_000_000):06d}"
        return {name: prefix + number}

    return suggest
