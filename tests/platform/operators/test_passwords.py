from __future__ import annotations

import time

import argon2
import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

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
        "Mia Lund 2026!",
        "M1a.Lund-2026",
        "dnuL.aiM dnuL",
        "Northwind2026!",
        "northwind-traders",
        "N0rthw1nd-Trad3rs",
    ],
)
def test_a_common_password_a_pattern_and_a_name_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="easily guessed"):
        passwords.require_strong(password, "mia.lund", "Mia Lund", "Northwind Traders")


@pytest.mark.parametrize(
    "password", [PASSWORD, "Grün ist die Heide", "x7!kQ9zz#b2Wn", "密码" * 2 + "horse-wagon"]
)
def test_other_passwords_are_accepted_and_match(password: str) -> None:
    passwords.require_strong(password, "mia")
    assert passwords.matches(password, passwords.hash_of(password))


def test_each_of_the_thirty_thousand_most_used_passwords_is_refused() -> None:
    listed = FREQUENCY_LISTS["passwords"]
    long_enough = [each for each in listed if len(each) >= passwords.SHORTEST]
    assert len(listed) == 30_000
    assert len(long_enough) == 229
    assert [each for each in long_enough if not passwords.is_easily_guessed(each)] == []
    assert [each for each in long_enough if not passwords.is_easily_guessed(each.title())] == []


@pytest.mark.parametrize("length", [64, 128])
def test_a_long_passphrase_of_any_characters_is_accepted(length: int) -> None:
    password = ("Übermut tut 🦩 selten gut, sagte 祖母 und lachte über den Teich hinweg! " * 2)[
        :length
    ]
    passwords.require_strong(password, "mia")
    assert passwords.matches(password, passwords.hash_of(password))
    assert not passwords.matches(password[:-1], passwords.hash_of(password))


def test_a_long_password_full_of_substitutions_takes_no_longer_than_a_short_one() -> None:
    password = "4@8({[<3&69!|1!|7$50%2+" * 3

    def seconds(length: int) -> float:
        started = time.process_time()
        passwords.is_easily_guessed(password[:length])
        return time.process_time() - started

    seconds(32)  # loads its lists
    assert min(seconds(64) for _ in range(3)) < 2 * min(seconds(32) for _ in range(3))


def test_no_kind_of_character_is_required() -> None:
    passwords.require_strong("lamplight gravel tuba", "mia")
    passwords.require_strong("84027519366240571", "mia")


def test_names_of_one_operator_do_not_count_for_another() -> None:
    with pytest.raises(WeakPassword):
        passwords.require_strong("zyxquorvel12", "zyxquorvel")
    passwords.require_strong("zyxquorvel12", "mia")


def test_every_generated_password_is_strong_and_new() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.require_strong(password, "admin")


def test_a_password_of_a_megabyte_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = passwords.hash_of(PASSWORD)
    monkeypatch.setattr(passwords, "_hasher", None)
    assert not passwords.matches(MEGABYTE, stored)
    with pytest.raises(WeakPassword):
        passwords.require_strong(MEGABYTE, "mia")


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
