"""What claims of an OpenID provider mean here: names, roles, second factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnRules:
    """`roles`: a value of the claim `roles_claim` and the role it gives, the least privileged role
    first; empty: roles are assigned here. `default_role`: without such a value, or empty for none.
    `factors`: values of `amr` and `acr` that prove a second factor. `creates`: a person who is
    nobody's identity becomes a new operator."""

    name_claim: str = "preferred_username"
    roles_claim: str = "groups"
    roles: Sequence[tuple[str, str]] = ()
    default_role: str = ""
    factors: frozenset[str] = frozenset()
    creates: bool = False

    def role_of(self, claims: Mapping[str, Any]) -> str:
        """The most privileged role that the claims give; empty for none."""
        values = set(_texts(_at(claims, self.roles_claim)))
        given = [role for value, role in self.roles if value in values]
        return given[-1] if given else self.default_role

    def proves_second_factor(self, claims: Mapping[str, Any]) -> bool:
        methods = {*_texts(claims.get("amr")), *_texts(claims.get("acr"))}
        return not self.factors.isdisjoint(methods)


def _at(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, which may be a path such as realm_access.roles."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    below = claims.get(outer)
    return _at(below, inner) if inner and isinstance(below, Mapping) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))
