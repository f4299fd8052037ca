"""A console with the real authentication, and a few test pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g, jsonify, request
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from redis import Redis
from sqlalchemy import Engine, create_engine
from werkzeug.test import TestResponse

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.auth import background, public
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.gate import init_auth
from cqrs_app.interfaces.web.html import register_html
from cqrs_app.interfaces.web.security import init_security
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.engines import configure
from cqrs_app.platform.audit.recorder import AuditRecorder
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.identities import Identities
from cqrs_app.platform.operators.passkeys import Passkeys
from cqrs_app.platform.operators.rates import Rates, SignInRates
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import Throttle
from cqrs_app.settings import Settings
from tests.services.operators import accounts_on
from tests.services.stores import Templates, migrate

PASSWORD = "seven brown herons"
KEY = "for tests only"
COOKIE = f"countersign-{Settings(personal_data_key=KEY).console_id()}"
PROJECT = Path(__file__).parents[3]
PLAIN_TEMPLATES = {
    "auth/sign_in.html": "{% if error %}<p role=alert>{{ error }}</p>{% endif %}"
    "<form method=post>{{ form.csrf_token }}{{ form.next }}{{ form.name }}{{ form.password }}"
    "</form>",
}


@pytest.fixture
def engine(templates: Templates, tmp_path: Path) -> Iterator[Engine]:
    """A write store on SQLite."""
    with templates.copy("sqlite", migrate, tmp_path) as databases:
        engine = create_engine(databases.write_url)
        configure(engine, durable=False, read_only=False, timeout=10)
        yield engine
        engine.dispose()


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    accounts = accounts_on(engine)
    accounts.create("mia", "operator", PASSWORD, "Mia Lund")
    return accounts


@pytest.fixture
def make_app(engine: Engine, accounts: Accounts, tmp_path: Path) -> Callable[..., Flask]:
    """Builds a console from settings."""

    def make(**others: Any) -> Flask:
        values: dict[str, Any] = {"personal_data_key": KEY, **others}
        settings = Settings(data_dir=tmp_path, **values)
        app = Flask("cqrs_app", root_path=str(PROJECT))
        app.testing = True
        app.extensions["services"] = SimpleNamespace(
            settings=settings,
            audit=AuditRecorder(Actor("audit"), lambda: datetime.now(UTC), enabled=False),
            accounts=accounts,
            second_factors=SecondFactors(engine, Vault(engine, lambda: [KEY], "test"), "Test shop"),
            passkeys=Passkeys(engine, "Test shop"),
            identities=Identities(engine, "single sign-on", accounts),
            openid_provider=None,
            sessions=Sessions(engine, ROLES, settings.session_idle_seconds, settings.session_hours),
            throttle=Throttle(engine, settings.sign_in_attempts, settings.sign_in_pause_seconds),
            sign_in_rates=SignInRates(
                Rates(Redis.from_url("redis://127.0.0.1:9")),  # none: counted in this process
                per_address=settings.sign_in_attempts_per_address,
                in_all=settings.sign_in_attempts_in_all,
            ),
        )
        init_auth(app)
        init_security(app)
        register_html(app, formats_of(settings.locale))
        _add_pages(app)
        app.register_blueprint(bp)
        assert app.jinja_loader
        app.jinja_loader = ChoiceLoader([app.jinja_loader, DictLoader(PLAIN_TEMPLATES)])
        return app

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def mia(app: Flask) -> FlaskClient:
    """A client in which Mia is signed in."""
    client = app.test_client()
    assert sign_in(client).status_code == 303
    return client


def sign_in(
    client: FlaskClient, name: str = "mia", password: str = PASSWORD, **rest: Any
) -> TestResponse:
    """Fill in and send the form, like a browser."""
    token = token_in(client.get("/sign-in", **_origin_of(rest)).text)
    data = {"name": name, "password": password, "csrf_token": token, **rest.pop("data", {})}
    return client.post("/sign-in", data=data, **rest)


def token_in(page: str) -> str:
    """The form token in a page."""
    for tag in re.findall(r"<input[^>]*>", page):
        if 'csrf_token"' in tag:
            found = re.search(r'value="([^"]+)"', tag)
            assert found
            return found[1]
    raise AssertionError(f"no form token in {page}")


def _origin_of(request: dict[str, Any]) -> dict[str, Any]:
    return {name: request[name] for name in ("base_url", "environ_overrides") if name in request}


def _add_pages(app: Flask) -> None:
    @app.get("/who")
    def who() -> Any:
        return jsonify(name=g.operator.name, may=sorted(g.operator.actor.permissions))

    @app.get("/polled")
    @background
    def polled() -> str:
        return "fresh"

    @app.get("/open")
    @public
    def anyone() -> str:
        return "open"

    @app.route("/change", methods=["POST", "PUT", "PATCH", "DELETE"])
    def change() -> str:
        app.config["CHANGED"] = app.config.get("CHANGED", 0) + 1
        return "changed"

    @app.get("/form")
    def form() -> str:
        return app.jinja_env.from_string(
            '<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">'
        ).render()

    @app.get("/address")
    @public
    def address() -> Any:
        return jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host)

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("secret detail")
