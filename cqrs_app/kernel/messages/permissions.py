"""Permissions, and the role that has each by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """From the least to the most: each may also do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Permission(str):
    """The name of a permission, such as "orders.hold"; `role` is the least role that has it. None:
    no person has it, only processes that act under their own name."""

    __slots__ = ("role",)
    role: Role | None

    def __new__(cls, name: str, role: Role | None) -> Permission:
        made = super().__new__(cls, name)
        made.role = role
        return made


def permissions_by_role(permissions: Iterable[Permission]) -> Mapping[str, frozenset[str]]:
    """Role -> everything it may do, from the least role to the most.

    Raises ValueError where one permission names two roles.
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
