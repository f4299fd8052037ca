"""Expense claims on the pages, without scripts: submitted, returned, signed by each role, paid."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page, send


def words(soup: BeautifulSoup) -> str:
    return " ".join(soup.get_text(" ").split()).replace("\N{NO-BREAK SPACE}", " ")


def shown(client: FlaskClient, address: str) -> str:
    return words(page(client, address))


def offered(client: FlaskClient) -> list[str]:
    links = page(client, "/expenses/E1").find_all("a", href=re.compile("^/commands/"))
    return [str(link["href"]).split("/")[2].partition("?")[0] for link in links]


def act(client: FlaskClient, task: str, **values: str) -> int:
    link = page(client, "/expenses/E1").find("a", href=re.compile(f"^/commands/{task}"))
    assert link is not None, f"{task} is not offered"
    return send(client, str(link["href"]), **values).status_code


def submit(client: FlaskClient, **more: Any) -> int:
    values = {"claim_id": "E1", "purpose": "Train to Lyon", "amount": "120", "currency": "EUR"}
    return send(client, "/commands/SubmitExpenseClaim", **(values | more)).status_code


@pytest.fixture
def clients(console: Flask) -> dict[str, FlaskClient]:
    return {role: client_in(console, role) for role in ("viewer", "operator", "supervisor")} | {
        "admin": client_in(console, "admin")
    }


def test_a_claim_is_returned_resubmitted_approved_in_stages_and_paid(
    console: Flask, clients: dict[str, FlaskClient]
) -> None:
    owner, ann, ben = clients["operator"], clients["supervisor"], clients["admin"]
    assert "No expense claims yet" in shown(owner, "/expenses")
    assert submit(owner) == 303
    text = shown(owner, "/expenses/E1")
    assert "In approval waits for the administration" in text
    assert offered(owner) == ["WithdrawExpenseClaim", "AddExpenseNote"]
    assert "Nobody signs or pays a claim of their own" in text
    form = "/commands/ApproveExpenseClaim?claim_id=E1&expected_version=1"
    assert send(owner, form).status_code == 422
    assert act(ann, "RequestRevision", changes="The receipt, please.") == 303
    assert "The receipt, please." in shown(owner, "/expenses/E1")
    assert act(owner, "ResubmitExpenseClaim", note="It is here.") == 303
    assert act(ann, "ApproveExpenseClaim") == 303
    assert "waits for the supervisor" in shown(owner, "/expenses/E1")
    # One person signs for one stage only.
    assert act(ann, "ApproveExpenseClaim") == 422
    assert act(ben, "ApproveExpenseClaim") == 303
    assert act(ann, "RequestExpensePayment") == 303
    assert act(ann, "PayExpenseClaim", reference="Transfer 7") == 303
    text = shown(owner, "/expenses/E1")
    assert "EUR 120.00 paid" in text
    assert "Transfer 7" in text
    assert offered(owner) == ["AddExpenseNote"]
    catch_up(console)
    assert "submitted 2 times" in shown(owner, "/expenses")
    flow = shown(owner, "/expenses/-/flow")
    assert "Submitted more than once 1" in flow
    assert "Payment requested Paid 1" in flow
    assert "Administration 1" in flow


def test_the_list_has_filters_and_says_when_none_match(
    console: Flask, clients: dict[str, FlaskClient]
) -> None:
    owner = clients["operator"]
    submit(owner)
    submit(owner, claim_id="E2", amount="900", kind="permit")
    catch_up(console)
    for query, found in {
        "q=e1": ["E1"],
        "q=operator": ["E1", "E2"],
        "stage=supervisor": ["E2"],
        "status=submitted&kind=permit": ["E2"],
        "show=open": ["E1", "E2"],
        "show=flagged": [],
        "status=paid": [],
    }.items():
        rows = page(owner, f"/expenses?{query}").select("tbody th a")
        assert sorted(each.get_text() for each in rows) == found, query
    assert "No claims match" in shown(owner, "/expenses?status=paid")
    flow = shown(owner, "/expenses/-/flow?kind=permit")
    assert "In approval Supervisor 1" in flow
    assert "Administration 1" not in flow


def test_a_viewer_looks_and_is_offered_nothing(clients: dict[str, FlaskClient]) -> None:
    submit(clients["operator"])
    assert offered(clients["viewer"]) == []
    assert "Submit claim" not in shown(clients["viewer"], "/expenses")


def test_the_form_says_for_which_stage_it_signs(clients: dict[str, FlaskClient]) -> None:
    submit(clients["operator"])
    link = page(clients["admin"], "/expenses/E1").find(id="do-ApproveExpenseClaim")
    assert link is not None
    chosen = page(clients["admin"], str(link["href"])).select_one("#stage option[selected]")
    assert chosen is not None
    assert chosen["value"] == "administration"


def test_a_role_that_does_not_sign_for_a_stage_reads_so(clients: dict[str, FlaskClient]) -> None:
    submit(clients["admin"], kind="permit")
    assert offered(clients["operator"]) == ["AddExpenseNote"]
    sentence = "Your role does not sign for the supervisor"
    assert sentence in shown(clients["operator"], "/expenses/E1")
    form = "/commands/ApproveExpenseClaim?claim_id=E1&expected_version=1"
    answer = send(clients["operator"], form)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_a_claim_nobody_knows_is_not_found(clients: dict[str, FlaskClient]) -> None:
    assert clients["viewer"].get("/expenses/E404").status_code == 404
