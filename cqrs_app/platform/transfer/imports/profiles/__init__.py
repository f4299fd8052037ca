"""Import profiles: one module or mapping per kind of file, and profiles from files of the shop."""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Mapping
from pathlib import Path

from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.mapping import (
    BadMapping,
    ColumnMapping,
    mapping_file,
    profile_from,
)
from cqrs_app.platform.transfer.imports.profiles import bpi2020, countersign, olist, online_retail

MAPPINGS: Mapping[str, ColumnMapping] = {
    path.stem: mapping_file(path) for path in sorted(Path(__file__).parent.glob("*.toml"))
}
"""The mappings that ship with the console, by name."""
PROFILES: Mapping[str, Profile] = {
    each.PROFILE.name: each.PROFILE for each in (bpi2020, countersign, olist, online_retail)
} | {name: profile_from(mapping, name) for name, mapping in MAPPINGS.items()}


class NoProfile(Exception):
    """There is no such profile. The text is one sentence."""


def profile_of(name: str) -> Profile:
    """The profile of this name, the mapping in a TOML file, or PROFILE of a Python file, which is
    executed. Raises NoProfile."""
    if name in PROFILES:
        return PROFILES[name]
    if not name.endswith((".py", ".toml")):
        raise NoProfile(
            f"There is no profile {name}. Choose {', '.join(sorted(PROFILES))}, or give the path "
            "of a TOML file with a mapping or a Python file with a profile. Nothing was imported."
        )
    path = Path(name)
    if not path.is_file():
        raise NoProfile(f"There is no file {name}. Nothing was imported.")
    if path.suffix == ".toml":
        try:
            return profile_from(mapping_file(path), path.stem)
        except BadMapping as error:
            raise NoProfile(str(error)) from error
    return _executed(path)


def line_of(error: BaseException, path: Path) -> int:
    """The last line of this file that an error came through; 0 if it came through none."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.lineno or 0 for each in reversed(frames) if each.filename == str(path)), 0)


def _executed(path: Path) -> Profile:
    try:
        profile = runpy.run_path(str(path)).get("PROFILE")
    except Exception as error:
        kind = type(error).__name__
        raise NoProfile(
            f"{path}, line {line_of(error, path)}: {kind}: {error}. Nothing was imported."
        ) from error
    if not isinstance(profile, Profile):
        raise NoProfile(f"{path} defines no PROFILE. Nothing was imported.")
    return profile
