"""Countersign: an operations console where a team works its orders."""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask

from cqrs_app.settings import Settings

# redis-py imports the metrics of the OpenTelemetry SDK where that is installed. They are not used
# here, and importing them takes 55 ms, which every verb of the command line would pay.
sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]

PROJECT = Path(__file__).parent.parent
"""The folder with app.py, pages, migrations and docs, whatever the working directory."""


def create_app(settings: Settings | None = None, *, pages: bool = True) -> Flask:
    """The application, from settings (default: the environment). Opens no connection.

    `pages` off: without pages and API, for processes that serve none.

    Raises SettingsError when a setting cannot be used.
    """
    # Imported here, so that supervisor and settings work without loading the application.
    from cqrs_app.composition import compose

    return compose(settings or Settings.from_environment(), pages=pages)
