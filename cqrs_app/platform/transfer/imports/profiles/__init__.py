"""Import profiles: one module per kind of file, and profiles from files of the shop."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path

from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.profiles import bpi2020, countersign, olist, online_retail

PROFILES: Mapping[str, Profile] = {
    each.PROFILE.name: each.PROFILE for each in (bpi2020, countersign, olist, online_retail)
}


class NoProfile(Exception):
    """There is no such profile. The text is one sentence."""


def profile_of(name: str) -> Profile:
    """The profile of this name, or PROFILE of a Python file, which is executed. Raises
    NoProfile."""
    if name in PROFILES:
        return PROFILES[name]
    if not name.endswith(".py"):
        raise NoProfile(
            f"There is no profile {name}. Choose {', '.join(sorted(PROFILES))}, or give the path "
            "of a Python file that defines one. Nothing was imported."
        )
    if not Path(name).is_file():
        raise NoProfile(f"There is no file {name}. Nothing was imported.")
    profile = runpy.run_path(name).get("PROFILE")
    if not isinstance(profile, Profile):
        raise NoProfile(f"{name} defines no PROFILE. Nothing was imported.")
    return profile
