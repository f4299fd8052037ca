"""The Flask extensions, unbound: create_app binds them."""

from __future__ import annotations

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from werkzeug.local import LocalProxy

from cqrs_app.kernel.assembly import Kernel

db = SQLAlchemy()
"""Holds the engines of the stores. Tables are plain SQLAlchemy ones (docs/decisions/0002)."""

kernel: Kernel = LocalProxy(lambda: current_app.extensions["kernel"])  # type: ignore[assignment]
"""The kernel of the current application."""
