"""Permissions, and the default role of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """From the least privileged to the most. Each may also do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Permission(str):
    """The name of a permission, such as "orders.hold". `role` is the least privileged role that has
    it; None for no person, only processes that act under their own name."""

    __slots__ = ("role",)
    role: Role | None

    def __new__(cls, name: str, role: Role | None) -> Permission:
        made = super().__new__(cls, name)
        made.role = role
        return made


def permissions_by_role(permissions: Iterable[Permission]) -> Mapping[str, frozenset[str]]:
    """Role -> all its permissions, from the least privileged role to the most.

    Raises ValueError if a permission is declared with two roles.
    """
    roles: dict[str, Role | None] = {}
    for each in permissions:
        if roles.setdefault(str(each), each.role) is not each.role:
            raise ValueError(f"the permission {each} belongs to two roles")
    ranked = list(Role)
    return MappingProxyType(
        {
            str(role): frozenset(
                name
                for name, least in roles.items()
                if least is not None and ranked.index(least) <= ranked.index(role)
            )
            for role in ranked
        }
    )
