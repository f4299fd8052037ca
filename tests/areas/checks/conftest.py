"""Whole desks, with checks between areas."""

from __future__ import annotations

from tests.areas.fulfilment.conftest import make_desk

__all__ = ["make_desk"]
