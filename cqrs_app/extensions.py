"""The Flask extensions, not bound to an application: create_app binds them."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
"""Holds the engines of the stores. Tables are plain SQLAlchemy tables (docs/decisions/0002)."""
