"""Passwords: which are accepted, how they are hashed and verified."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cqrs_app.platform.operators.errors import WeakPassword
from cqrs_app.platform.operators.weak_passwords import is_easily_guessed

SHORTEST = 12
LONGEST = 128

# Argon2id above OWASP's minimum (19 MiB, two passes); about 70 ms on a small server.
_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
# Without characters that are easily confused.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def require_strong(password: str, account: str) -> None:
    """Raise WeakPassword with the reason. Fast for a password of any length."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password is too short: use at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"The password is too long: use at most {LONGEST} characters.")
    if is_easily_guessed(password, account):
        raise WeakPassword(
            "The password is one of those that are guessed first: choose another, such as "
            "four words that have nothing to do with each other."
        )


def hash_of(password: str) -> str:
    """The text to store: an Argon2id hash with its parameters and a new salt."""
    return _hasher.hash(_bytes_of(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password matches the hash. Without a hash, returns False after the same work, so
    that the time does not reveal which accounts exist."""
    if len(password) > LONGEST:
        return False
    try:
        _hasher.verify(password_hash or _nobodys_hash(), _bytes_of(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than the current ones."""
    return _hasher.check_needs_rehash(password_hash)


def generate() -> str:
    """A random password of about 99 bits, in groups that can be read aloud."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_bytes(32))


def _bytes_of(password: str) -> bytes:
    # The same keys produce different characters on different systems. This makes them equal.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
