"""Settings: what is read, what is filled in, what is refused and how."""

import stat
from pathlib import Path

import pytest

from cqrs_app.settings import Settings, SettingsError


def read(**environment: str) -> Settings:
    return Settings.from_environment(environment)


def test_nothing_set_means_two_files_in_the_data_folder(tmp_path: Path) -> None:
    settings = read(DATA_DIR=str(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path}/write.sqlite3"
    assert settings.read_database_url == f"sqlite:///{tmp_path}/read.sqlite3"


def test_on_postgresql_both_sides_are_one_database_unless_told() -> None:
    settings = read(DATABASE_URL="postgres://db/shop")
    assert settings.database_url == "postgresql+psycopg://db/shop"
    assert settings.read_database_url == settings.database_url


def test_an_empty_value_is_the_same_as_none() -> None:
    assert read(PORT="").port == 8000


@pytest.mark.parametrize("text", ["1", "true", "YES", "on"])
def test_a_switch_is_turned_on_by_any_usual_word(text: str) -> None:
    assert read(SECURE_COOKIES=text).secure_cookies is True


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("PORT", "http", "PORT is 'http'; write a number."),
        ("PORT", "80.5", "PORT is '80.5'; write a number."),
        ("WORKERS", "-1", "WORKERS is '-1'; it cannot be negative."),
        ("SECURE_COOKIES", "perhaps", "SECURE_COOKIES is 'perhaps'; write true or false."),
        ("COMMAND_BUS_TYPE", "magic", "COMMAND_BUS_TYPE is 'magic'; it must be one of"),
        ("WRITE_MODEL_DATABASE", "postgresql", "Set DATABASE_URL and READ_DATABASE_URL"),
        ("CQRS_EVENT_SOURCING", "false", "CQRS_EVENT_SOURCING cannot be switched off"),
    ],
)
def test_a_value_that_cannot_be_used_gets_one_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: text})
    assert sentence in str(refused.value)


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = read(DATA_DIR=str(tmp_path))
    key = settings.ensure_secret_key()
    assert len(key) == 64
    assert settings.ensure_secret_key() == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
