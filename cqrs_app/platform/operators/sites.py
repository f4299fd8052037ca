"""Where passkeys are valid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """`domain`: what passkeys belong to. `origin`: of the present page, such as
    https://desk.example."""

    domain: str
    origin: str


def site_of(host: str, scheme: str, trusted_hosts: Iterable[str]) -> Site:
    """The site of a request to this host, which is one of the trusted ones if there are any. A
    trusted `.desk.example` makes passkeys valid for all names below desk.example."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    above = (
        trusted[1:]
        for trusted in trusted_hosts
        if trusted.startswith(".") and name.endswith(trusted)
    )
    return Site(next(above, name), f"{scheme}://{host}")
