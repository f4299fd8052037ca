"""Caches password hashes of test operators, one per password and test process."""

from __future__ import annotations

from functools import cache

import pytest

from cqrs_app.platform.operators import passwords

_hash_of = cache(passwords.hash_of)


@pytest.fixture(autouse=True)
def one_hash_per_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is slow on purpose, and most tests only need somebody who can sign in."""
    monkeypatch.setattr(passwords, "hash_of", _hash_of)
