"""Asking a console whether it is up."""

import json
from collections.abc import Callable

import pytest
from flask import Flask, Response

from cqrs_app.processes.readiness import Readiness, address, ask
from cqrs_app.settings import Settings
from tests.processes.running import free_port

Serve = Callable[[Flask], str]


def console(serve: Serve, status: int, body: str) -> Settings:
    app = Flask("stand_in")
    app.add_url_rule("/readyz", view_func=lambda: Response(body, status))
    return Settings(port=int(serve(app).rsplit(":", 1)[1]))


def test_200_means_complete(serve: Serve) -> None:
    assert ask(console(serve, 200, "")).complete


@pytest.mark.parametrize("body", [["workers", "sweep"], {"missing": ["workers", "sweep"]}])
def test_503_names_what_is_missing(serve: Serve, body: object) -> None:
    assert ask(console(serve, 503, json.dumps(body))) == Readiness(True, ("workers", "sweep"))


def test_an_answer_of_another_kind_is_shown_as_it_is(serve: Serve) -> None:
    assert ask(console(serve, 500, "<h1>")) == Readiness(True, ("/readyz answers 500",))


def test_nobody_there_is_no_pages() -> None:
    assert ask(Settings(port=free_port())) == Readiness(False)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - nothing is bound
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_is_one_that_can_be_typed(host: str, shown: str) -> None:
    assert address(Settings(host=host)) == shown
