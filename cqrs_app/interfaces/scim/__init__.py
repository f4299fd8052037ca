"""SCIM 2.0 (RFC 7643, RFC 7644): an identity provider provisions operators and groups."""

from __future__ import annotations

from flask import Flask

from cqrs_app.interfaces.scim import doors, routes  # noqa: F401 - each adds to the blueprint
from cqrs_app.interfaces.scim.blueprint import bp


def init_app(app: Flask) -> None:
    """Bind it. Needs the services `provisioning` and `tokens`, and the limits of the API."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
