"""The kinds of files that can be imported, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cqrs_app.imports.documents import Profile
from cqrs_app.imports.online_retail import ONLINE_RETAIL

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (ONLINE_RETAIL,)}
)
