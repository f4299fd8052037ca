"""Every address, and the view that answers. A view is imported when it is first asked for: the
models of SCIM take as long to import as the whole web framework, and most consoles are never
provisioned."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Response
from werkzeug.utils import import_string

from cqrs_app.interfaces.scim.blueprint import bp

ROUTES = (
    ("GET", "/ServiceProviderConfig", "discovery.config"),
    ("GET", "/ResourceTypes", "discovery.resource_types"),
    ("GET", "/ResourceTypes/<key>", "discovery.resource_type"),
    ("GET", "/Schemas", "discovery.schemas"),
    ("GET", "/Schemas/<key>", "discovery.schema"),
    ("POST", "/.search", "discovery.search"),
    ("GET", "/Users", "users.users"),
    ("POST", "/Users/.search", "users.users"),
    ("POST", "/Users", "users.create_user"),
    ("GET", "/Users/<name>", "users.user"),
    ("PUT", "/Users/<name>", "users.replace_user"),
    ("PATCH", "/Users/<name>", "users.patch_user"),
    ("DELETE", "/Users/<name>", "users.delete_user"),
    ("GET", "/Groups", "groups.groups"),
    ("POST", "/Groups/.search", "groups.groups"),
    ("POST", "/Groups", "groups.create_group"),
    ("GET", "/Groups/<group_id>", "groups.group"),
    ("PUT", "/Groups/<group_id>", "groups.replace_group"),
    ("PATCH", "/Groups/<group_id>", "groups.patch_group"),
    ("DELETE", "/Groups/<group_id>", "groups.delete_group"),
)


@cache
def _imported_later(name: str) -> Callable[..., Response]:
    def view(**values: Any) -> Response:
        found: Callable[..., Response] = import_string(f"{__package__}.{name}")
        return found(**values)

    return view


for method, rule, name in ROUTES:
    bp.add_url_rule(rule, name.rpartition(".")[2], _imported_later(name), methods=[method])
