from __future__ import annotations

import time

import argon2
import pytest

from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.errors import WeakPassword
from tests.platform.operators.conftest import PASSWORD

MEGABYTE = "a" * 1_000_000


@pytest.fixture(autouse=True)
def one_hash_per_password() -> None:
    """Here every password is hashed each time."""


def test_the_hash_is_argon2id_at_least_as_costly_as_owasp_asks() -> None:
    parameters = argon2.extract_parameters(passwords.hash_of(PASSWORD))
    assert parameters.type is argon2.Type.ID
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2
    assert parameters.parallelism >= 1


def test_two_hashes_of_one_password_differ() -> None:
    assert passwords.hash_of(PASSWORD) != passwords.hash_of(PASSWORD)


@pytest.mark.parametrize("length", [0, 1, 11, 129, 1_000_000])
def test_a_password_of_the_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(WeakPassword, match=r"too short|too long"):
        passwords.require_strong("aB3$xyz9Qw" * (length // 10) + "k" * (length % 10), "mia")


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PassWord1234",
        "Welcome12345",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "abcdefghijklmnop",
        "qwertyuiopas",
        "098765432109",
        "houseboathouseboat",
        "countersign123",
        "mia.lundmia.lund12",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="guessed first"):
        passwords.require_strong(password, "mia.lund")


@pytest.mark.parametrize(
    "password", [PASSWORD, "Grün ist die Heide", "x7!" * 3 + "kQ9zz", "密码" * 2 + "horse-wagon"]
)
def test_other_passwords_are_accepted_and_match(password: str) -> None:
    passwords.require_strong(password, "mia")
    assert passwords.matches(password, passwords.hash_of(password))


def test_every_generated_password_is_strong_and_new() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.require_strong(password, "admin")


def test_a_password_of_a_megabyte_costs_nothing() -> None:
    stored = passwords.hash_of(PASSWORD)
    started = time.perf_counter()
    for _ in range(20):
        assert not passwords.matches(MEGABYTE, stored)
        with pytest.raises(WeakPassword):
            passwords.require_strong(MEGABYTE, "mia")
    assert time.perf_counter() - started < 0.1, "it was hashed before it was measured"


def test_an_unknown_account_does_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = passwords.hash_of(PASSWORD)
    passwords.matches("warm up", None)
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counting(self: argon2.PasswordHasher, hashed: str, password: bytes) -> bool:
        verified.append(hashed.rsplit("$", 2)[0])
        return bool(verify(self, hashed, password))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting)
    assert not passwords.matches("wrong", stored)
    assert not passwords.matches("wrong", None)
    assert len(verified) == 2
    assert verified[0] == verified[1], "other parameters take another time"


def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    assert passwords.matches(
        "Gru\u0308n ist die Heide", passwords.hash_of("Gr\u00fcn ist die Heide")
    )


def test_a_broken_hash_matches_nothing() -> None:
    assert not passwords.matches(PASSWORD, "not a hash")
    assert not passwords.matches("\ud800" * 12, passwords.hash_of(PASSWORD))
