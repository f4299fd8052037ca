"""Settings: parsing, defaults, and refusals."""

import stat
import sys
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import text

from cqrs_app.database import connected
from cqrs_app.environment import SettingsError
from cqrs_app.settings import Settings


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
        ("PORT", "http", "PORT is 'http'; write a whole number from 1 to 65,535."),
        ("PORT", "80.5", "PORT is '80.5'; write a whole number from 1 to 65,535."),
        ("WORKERS", "-1", "WORKERS is '-1'; write a whole number from 0 to 256."),
        ("WEB_THREADS", "0", "WEB_THREADS is '0'; write a whole number from 1 to 256."),
        ("PROJECTION_BATCH", "0", "PROJECTION_BATCH is '0'; write a whole number from 1 to"),
        ("SWEEP_SECONDS", "nan", "SWEEP_SECONDS is 'nan'; write a number from 0.05 to"),
        ("COMMAND_TIMEOUT", "inf", "COMMAND_TIMEOUT is 'inf'; write a number from 0.05 to"),
        ("MAX_REQUEST_BYTES", "1", "MAX_REQUEST_BYTES is '1'; write a whole number of 16,384"),
        ("TIMEZONE", "Mars/Base", "TIMEZONE is 'Mars/Base', which is no known time zone."),
        ("TIMEZONE", "../passwd", "TIMEZONE is '../passwd', which is no known time zone."),
        ("LOCALE", "xx_YY", "LOCALE is 'xx_YY', which is no known locale."),
        ("LOCALE", "../de", "LOCALE is '../de', which is no known locale."),
        ("LOCALE", "C.UTF-8", "LOCALE is 'C.UTF-8', which is no known locale."),
        ("DATABASE_URL", "mysql://db/shop", "DATABASE_URL cannot be used: the console"),
        ("READ_DATABASE_URL", "nonsense", "READ_DATABASE_URL cannot be used: it is"),
        ("REDIS_URL", "http://cache", "REDIS_URL cannot be used: it is no address"),
        (
            "TRUSTED_HOSTS",
            "desk.example, http://x",
            "TRUSTED_HOSTS has 'http://x', which is no host",
        ),
        ("AMBER_LAG_SECONDS", "90", "AMBER_LAG_SECONDS (90) is more than RED_LAG_SECONDS (60)."),
        ("SECURE_COOKIES", "perhaps", "SECURE_COOKIES is 'perhaps'; write true or false."),
        ("COMMAND_BUS_TYPE", "magic", "COMMAND_BUS_TYPE is 'magic'; it must be one of"),
        ("WRITE_MODEL_DATABASE", "postgresql", "Set DATABASE_URL and READ_DATABASE_URL"),
        ("HOST", "0.0.0.0", "HOST is '0.0.0.0', which others can reach."),  # noqa: S104
        ("HOST", "::", "HOST is '::', which others can reach."),
        ("HOST", "desk.example", "HOST is 'desk.example', which others can reach."),
        ("ROLE_NETWORKS", "admin=10.0.0.1/8", "ROLE_NETWORKS cannot be used: 10.0.0.1/8 has host"),
        ("ROLE_NETWORKS", "admin", "ROLE_NETWORKS names no network for a role."),
        ("ROLE_NETWORKS", "admin=10.0.0.0/8; viewer=", "ROLE_NETWORKS names no network"),
        ("OIDC_ISSUER", "https://id.example", "OIDC_ISSUER and OIDC_CLIENT_ID belong together"),
        ("OIDC_SCOPES", "profile", "OIDC_SCOPES must have openid."),
        ("LOCAL_SIGN_IN", "false", "LOCAL_SIGN_IN is false, but OIDC_ISSUER names no provider"),
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


def test_no_refusal_repeats_a_password() -> None:
    with pytest.raises(SettingsError) as refused:
        read(DATABASE_URL="mysql://shop:hunter22@db/shop")
    assert "hunter22" not in str(refused.value)


def test_every_number_has_a_lower_bound() -> None:
    hints = get_type_hints(Settings, include_extras=True)
    numbers = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint)}
    assert all(bounds.ge is not None for _, bounds in numbers.values())
    assert not [name for name, hint in hints.items() if hint in (int, float)]


def test_a_name_that_is_nearly_a_setting_is_pointed_out() -> None:
    environment = dict.fromkeys(("COMAND_TIMEOUT", "DATABASE_URI", "HOSTNAME", "PATH", "PORT"), "")
    assert Settings.misspelt(environment) == {
        "COMAND_TIMEOUT": "COMMAND_TIMEOUT",
        "DATABASE_URI": "DATABASE_URL",
    }


def test_the_name_of_a_release_is_short_and_plain() -> None:
    assert read(RELEASE="2026-03.1+abc").release == "2026-03.1+abc"
    with pytest.raises(SettingsError, match="RELEASE is 'two words'"):
        read(RELEASE="two words")


@pytest.mark.parametrize(
    ("issuer", "usable"),
    [
        ("https://id.example/realms/shop", True),
        ("http://127.0.0.1:8080/", True),
        ("http://localhost", True),
        ("http://id.example", False),
        ("http://localhost.evil.example", False),
        ("https://id.example?tenant=1", False),
        ("https://me:secret@id.example", False),
        ("id.example", False),
    ],
)
def test_a_provider_is_reached_over_https_unless_it_is_on_this_machine(
    issuer: str, usable: bool
) -> None:
    if usable:
        assert read(OIDC_ISSUER=issuer, OIDC_CLIENT_ID="desk").oidc_issuer == issuer
    else:
        with pytest.raises(SettingsError, match="OIDC_ISSUER cannot be used"):
            read(OIDC_ISSUER=issuer, OIDC_CLIENT_ID="desk")


def test_only_named_accounts_sign_in_locally_where_it_is_off() -> None:
    assert read().lets_in_locally("mia")
    settings = read(
        LOCAL_SIGN_IN="false",
        BREAK_GLASS_OPERATORS="boss, night",
        OIDC_ISSUER="https://id.example",
        OIDC_CLIENT_ID="desk",
    )
    allowed = [name for name in ("boss", "night", "mia", "") if settings.lets_in_locally(name)]
    assert allowed == ["boss", "night"]


@pytest.mark.parametrize(
    "others",
    [
        {"SECURE_COOKIES": "true", "TRUSTED_HOSTS": "desk.example"},
        {"ALLOW_INSECURE_HOST": "true"},
    ],
)
def test_the_console_meets_a_network_over_https_or_by_a_named_exception(
    others: dict[str, str],
) -> None:
    host = "0.0.0.0"  # noqa: S104 - nothing is bound
    assert read(HOST=host, **others).host == host
    for name in others:
        with pytest.raises(SettingsError, match="which others can reach"):
            read(HOST=host, **{each: text for each, text in others.items() if each != name})
    for only_here in ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"):
        assert read(HOST=only_here).host == only_here


KEY = "0123456789abcdef0123456789abcdef"


def test_the_key_of_personal_data_comes_from_a_file_or_a_command(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    command = f"{sys.executable} -c 'print(\"{KEY}\")'"
    for setting, value in (
        ("PERSONAL_DATA_KEY", KEY),
        ("PERSONAL_DATA_KEY_FILE", str(file)),
        ("PERSONAL_DATA_KEY_COMMAND", command),
    ):
        settings = read(DATA_DIR=str(tmp_path / "data"), **{setting: value})
        assert settings.personal_data_keys() == (KEY,)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("PERSONAL_DATA_KEY_FILE", "/no/such/file", "PERSONAL_DATA_KEY_FILE cannot be read"),
        ("PERSONAL_DATA_KEY_FILE", "/dev/null", "PERSONAL_DATA_KEY_FILE gives fewer than 16"),
        ("PERSONAL_DATA_KEY_COMMAND", "false", "PERSONAL_DATA_KEY_COMMAND ended with status 1."),
        ("PERSONAL_DATA_KEY_COMMAND", "true", "PERSONAL_DATA_KEY_COMMAND gives fewer than 16"),
        ("PERSONAL_DATA_KEY_COMMAND", "/no/such", "PERSONAL_DATA_KEY_COMMAND cannot be run"),
        ("PERSONAL_DATA_KEY_COMMAND", "echo 'x", "PERSONAL_DATA_KEY_COMMAND cannot be run"),
    ],
)
def test_a_key_that_cannot_be_had_stops_the_start(
    tmp_path: Path, setting: str, value: str, sentence: str
) -> None:
    settings = read(DATA_DIR=str(tmp_path), **{setting: value})
    with pytest.raises(SettingsError, match=sentence):
        settings.personal_data_keys()
    assert list(tmp_path.iterdir()) == []


def test_one_source_of_the_key_is_named() -> None:
    with pytest.raises(SettingsError, match="Set one of them only"):
        read(PERSONAL_DATA_KEY=KEY, PERSONAL_DATA_KEY_FILE="/a/file")


def test_a_new_data_folder_is_for_its_user_only(tmp_path: Path) -> None:
    settings = read(DATA_DIR=str(tmp_path / "data"))
    settings.ensure_secret_key()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    for store in ("write", "read"):
        with connected(settings, store) as connection:
            connection.execute(text("CREATE TABLE something (value TEXT)"))
            files = list((tmp_path / "data").iterdir())
            assert f"{store}.sqlite3-wal" in {each.name for each in files}
            assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
