"""The web server, forked by the supervisor: gunicorn, configured by gunicorn_conf."""

from __future__ import annotations

from flask import Flask
from gunicorn.app.base import Application

from cqrs_app import create_app, logs
from cqrs_app.settings import Settings


class WebServer(Application):  # type: ignore[misc]  # it has no types
    """Like `gunicorn -c python:cqrs_app.processes.gunicorn_conf app:app` without a command line.
    Its workers share what this process has loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(prog="gunicorn")

    def load_config(self) -> None:
        self.load_config_from_module_name_or_filename("python:cqrs_app.processes.gunicorn_conf")

    def load(self) -> Flask:
        app = create_app(self._settings)
        logs.configure(self._settings)
        return app
