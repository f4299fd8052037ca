"""The words shown for the statuses of a customer."""

from __future__ import annotations

from enum import StrEnum


class CustomerStatus(StrEnum):
    """The values are stored."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    ERASED = "erased"
    MERGED = "merged"

    @property
    def label(self) -> str:
        return self.value.capitalize()
