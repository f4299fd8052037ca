"""Areas that come in packages of their own: how they are declared, and how they are found.

An area of another package is made with `cqrs_app.kernel` and with what is imported here; both
together are the API of plug-in areas. See docs/areas.md.
"""

from __future__ import annotations

from cqrs_app.plugins.declaration import Alarm, AlertRule, OrderEntry, Pages
from cqrs_app.plugins.derived import row_of
from cqrs_app.plugins.found import GROUP, OLDEST, SETTING, found_in, installed, pages_of
from cqrs_app.plugins.plugin import API, Plugin
from cqrs_app.plugins.problems import problems_of, shared_names

__all__ = [
    "API",
    "GROUP",
    "OLDEST",
    "SETTING",
    "Alarm",
    "AlertRule",
    "OrderEntry",
    "Pages",
    "Plugin",
    "found_in",
    "installed",
    "pages_of",
    "problems_of",
    "row_of",
    "shared_names",
]
