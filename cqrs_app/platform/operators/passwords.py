"""Passwords: which are accepted, how they are hashed and verified."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cqrs_app.platform.operators.errors import WeakPassword

SHORTEST = 12
LONGEST = 128
PRODUCT = "countersign"
ESTIMATED_CHARACTERS = 32
"""As many are estimated: no password gets weaker by having more. The time grows with the square of
their number; 64 characters full of substitutions (4@8({[<3) take two seconds."""
UNGUESSABLE = 4
"""The score that zxcvbn gives to what takes 10**10 guesses or more."""
_estimating = Lock()

# Argon2id above OWASP's minimum (19 MiB, two passes); about 70 ms on a small server.
_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
# Without characters that are easily confused.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def require_strong(password: str, *names: str) -> None:
    """Raise WeakPassword with the reason. Fast for a password of any length. `names`: of the
    account, its operator, the shop, which are guessed first.

    The rules are those of NIST SP 800-63B-4, 3.1.1.2: length, no composition rules, nothing that is
    common, expected or compromised.
    """
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password is too short: use at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"The password is too long: use at most {LONGEST} characters.")
    if is_easily_guessed(password, names):
        raise WeakPassword(
            "The password is easily guessed: it is a common one, or close to one, a pattern, or a "
            "name. Choose another, such as four unrelated words."
        )


def is_easily_guessed(password: str, names: Iterable[str] = ()) -> bool:
    """Whether fewer than 10**10 guesses find it, of which the common passwords, words, names,
    dates, repetitions, keyboard patterns and `names` come first. The estimate and its lists are
    zxcvbn's (Wheeler, USENIX Security 2016)."""
    # Imported here, since its lists take 30 ms to load and few processes need them.
    from zxcvbn import zxcvbn

    known = [PRODUCT, *(part for name in names for part in _parts(name))]
    with _estimating:  # it keeps `known` in a global variable
        estimate = zxcvbn(password[:ESTIMATED_CHARACTERS], known)
    return int(estimate["score"]) < UNGUESSABLE


def _parts(name: str) -> set[str]:
    """A name, its words, and its words joined as people do."""
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    joined = {between.join(words) for between in ("", " ", ".", "-", "_")}
    return {name.casefold(), *joined, *(word for word in words if len(word) > 2)} - {""}


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
