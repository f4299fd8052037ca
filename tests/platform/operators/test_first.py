from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Context, Receipt
from cqrs_app.kernel.errors import SwitchedOff
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.first import ensure_first_operator
from cqrs_app.settings import Settings
from tests.platform.operators.conftest import PASSWORD


def test_the_first_operator_gets_a_password_that_is_told_once(accounts: Accounts) -> None:
    settings = Settings()
    password = ensure_first_operator(settings, accounts)
    assert password
    operator = accounts.verify("admin", password)
    assert operator is not None
    assert operator.role == "admin"
    assert ensure_first_operator(settings, accounts) is None
    assert accounts.verify("admin", password)


def test_a_password_from_the_settings_is_used_and_not_told(accounts: Accounts) -> None:
    settings = Settings(admin_name="boss", admin_password=PASSWORD)
    assert ensure_first_operator(settings, accounts) is None
    assert accounts.verify("boss", PASSWORD)


def test_the_first_password_must_be_changed_except_in_a_demo_shop(accounts: Accounts) -> None:
    ensure_first_operator(Settings(demo_orders=0), accounts)
    assert accounts.get("admin").must_change_password


def test_the_password_of_a_demo_shop_keeps_working(accounts: Accounts) -> None:
    ensure_first_operator(Settings(demo_orders=1), accounts)
    assert not accounts.get("admin").must_change_password


def test_where_someone_can_sign_in_nobody_is_added(accounts: Accounts) -> None:
    accounts.create("mia", "viewer", PASSWORD)
    assert ensure_first_operator(Settings(), accounts) is None
    assert [each.name for each in accounts.list()] == ["mia"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"admin_password": "short"}, "ADMIN_PASSWORD cannot be used. The password is too short"),
        ({"admin_password": "password1234"}, "ADMIN_PASSWORD cannot be used. "),
        ({"admin_name": "the boss"}, "ADMIN_NAME cannot be used. 'the boss'"),
    ],
)
def test_unusable_settings_stop_the_start_with_one_sentence(
    accounts: Accounts, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        ensure_first_operator(Settings(**settings), accounts)
    assert str(stopped.value).startswith(sentence)
    assert "\n" not in str(stopped.value)
    assert not accounts.any()


def test_in_maintenance_mode_the_start_stops_with_the_reason(engine: Engine) -> None:
    def switched_off(command: Command, context: Context) -> Receipt:
        raise SwitchedOff

    with pytest.raises(SystemExit, match="first operator cannot be created"):
        ensure_first_operator(Settings(), Accounts(engine, ROLES, switched_off))
