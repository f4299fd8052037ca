"""The Flask extensions, unbound: create_app binds them."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
"""Holds the engines of the stores. Tables are plain SQLAlchemy ones (docs/decisions/0002)."""
