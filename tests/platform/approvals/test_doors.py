"""Pages, API, command line, batch and queue ask alike, whoever sends the command."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
from flask.testing import FlaskClient

from cqrs_app.areas.payments.commands import RefundPayment
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import BusError, NotAllowed
from cqrs_app.platform.approvals.commands import SignRequest
from cqrs_app.platform.batches.commands import RetryBatchItems, StartBatch
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.macros.commands import SaveMacro
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import PEOPLE, REFUND, Shop

FIELDS = {"payment_id": "P-1", "amount": "12", "reason": "Scratched."}
Door = Callable[[Shop, str], object]


def page(shop: Shop, name: str) -> None:
    client = signed_in(shop, name)
    shop.app.config["WTF_CSRF_ENABLED"] = False
    form = {**FIELDS, "command_id": str(uuid.uuid4())}
    client.post("/commands/RefundPayment", data=form)


def signed_in(shop: Shop, name: str) -> FlaskClient:
    client = shop.app.test_client()
    token = services_of(shop.app).sessions.open(name, "127.0.0.1", "test")
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client


def program(shop: Shop, name: str) -> Program:
    tokens = services_of(shop.app).tokens
    secret = tokens.create(f"of-{name}-{uuid.uuid4().hex[:8]}", PEOPLE[name], made_by=name)
    return Program(shop.app.test_client(), secret)


def api(shop: Shop, name: str) -> None:
    program(shop, name).do("RefundPayment", **FIELDS)


def api_batch(shop: Shop, name: str) -> None:
    body = {"commands": [{"command": "RefundPayment", "fields": FIELDS}]}
    program(shop, name).post("/commands", body)


def command_line(shop: Shop, name: str) -> None:
    words = [f"--{key.replace('_', '-')}={text}" for key, text in FIELDS.items()]
    shop.app.test_cli_runner().invoke(args=["command", "RefundPayment", *words, "--as", name])


def batch(shop: Shop, name: str, *, start: bool = True) -> str:
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command="RefundPayment",
        fields={"amount": "12", "reason": "Scratched."},
        named=[("P-1", None)],
        start=start,
    )
    services_of(shop.app).batches.create(new, shop.actor(name), "form")
    work(shop, new.batch_id)
    return new.batch_id


def work(shop: Shop, batch_id: str) -> None:
    """What a worker does for a batch."""
    catch_up(shop.app)
    task = shop.kernel.registry.tasks["batches"]
    while task.work(shop.kernel, batch_id):
        pass
    catch_up(shop.app)


def macro(shop: Shop, name: str) -> None:
    steps = ("RefundPayment?amount=12&reason=Scratched.",)
    shop.run(SaveMacro(macro="Refund", owner=name, steps=steps), name)
    new = NewBatch(batch_id=str(uuid.uuid4()), macro="Refund", named=[("P-1", None)], start=True)
    services_of(shop.app).batches.create(new, shop.actor(name), "form")
    work(shop, new.batch_id)


def retry(shop: Shop, name: str) -> None:
    """An item that was refused is sent again: the payment of then has been recorded since."""
    payment_id = f"P-{name}"
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command="RefundPayment",
        fields={"amount": "12", "reason": "Scratched."},
        named=[(payment_id, None)],
        start=True,
    )
    services_of(shop.app).batches.create(new, shop.actor(name), "form")
    work(shop, new.batch_id)
    assert not [each for each in shop.view_all() if each.stream == f"payment-{payment_id}"]
    shop.pay(payment_id, order_id=f"A-{name}")
    shop.run(RetryBatchItems(batch_id=new.batch_id, outcome="refused"), name)
    work(shop, new.batch_id)


def queue(shop: Shop, name: str) -> None:
    context = Context(actor=shop.actor(name), channel="form")
    receipt = shop.kernel.commands.enqueue(REFUND, context)
    shop.kernel.commands.run_queued(receipt.command_id)


DOORS: list[Door] = [page, api, api_batch, command_line, batch, queue, macro, retry]


@pytest.mark.parametrize("door", DOORS)
def test_whatever_door_and_whoever_asks_nothing_runs_unsigned(shop: Shop, door: Door) -> None:
    shop.policy()
    for name in PEOPLE:
        before = shop.view_all()
        with suppress(NotAllowed):
            door(shop, name)
        catch_up(shop.app)
        known = {each.request_id for each in before}
        asked = [each for each in shop.view_all() if each.request_id not in known]
        assert len(asked) == (RefundPayment.declaration.permission in shop.actor(name).permissions)
        for each in asked:
            shop.sign(each.request_id, "ada" if name != "ada" else "tina", "refuse", comment="No.")
    assert not any(shop.refunds(each) for each in ("P-1", *(f"P-{name}" for name in PEOPLE)))


def test_the_api_answers_202_with_the_request_and_where_it_is(shop: Shop) -> None:
    shop.policy()
    answer = program(shop, "sam").do("RefundPayment", **FIELDS)
    assert (answer.status_code, answer.json["status"]) == (202, "awaiting_approval")
    request_id = answer.json["request_id"]
    signer = program(shop, "tina")
    place = answer.headers["Location"]
    view = signer.client.get(place, headers=signer.headers).json["value"]
    assert (view["state"], view["effects"][0]) == ("open", "Refund payment P-1.")
    state = signer.get(f"/commands/{answer.json['command_id']}").json
    assert (state["status"], state["request_id"]) == ("awaiting_approval", request_id)
    signed = signer.do(
        "SignRequest", request_id=request_id, decision="approve", digest=view["digest"]
    )
    assert signed.status_code == 200
    shop.work()
    [row] = signer.get("/queries/ListApprovalRequests").json["value"]["rows"]
    assert row["state"] == "executed"
    assert shop.refunds() == 1


def test_of_many_commands_the_api_says_which_await_approval(shop: Shop) -> None:
    shop.policy()
    note = {"command": "AddOrderNote", "fields": {"order_id": "A-1", "note": "Hello."}}
    body = {"commands": [note, {"command": "RefundPayment", "fields": FIELDS}]}
    first, second = program(shop, "sam").post("/commands", body).json["results"]
    assert (first["status"], first["receipt"]["status"]) == (200, "succeeded")
    assert (second["status"], second["receipt"]["status"]) == (202, "awaiting_approval")


def test_the_command_line_says_which_request_it_became(shop: Shop) -> None:
    shop.policy()
    words = [f"--{key.replace('_', '-')}={text}" for key, text in FIELDS.items()]
    run = shop.app.test_cli_runner().invoke
    said = json.loads(
        run(args=["command", "RefundPayment", *words, "--as", "sam", "--json"]).output
    )
    catch_up(shop.app)
    assert said["status"] == "awaiting_approval"
    digest = shop.view(said["request_id"]).digest
    named = ["--request-id", said["request_id"], "--digest", digest, "--decision", "approve"]
    own = run(args=["command", "SignRequest", *named, "--as", "sam"])
    assert "cannot sign what you asked for" in own.output
    nobody = run(args=["command", "SignRequest", *named])
    assert nobody.exit_code != 0
    assert run(args=["command", "SignRequest", *named, "--as", "tina"]).exit_code == 0


def test_items_of_a_batch_each_await_approval(shop: Shop) -> None:
    shop.policy()
    batch(shop, "sam")
    [asked] = shop.view_all()
    assert shop.view(asked.request_id).channel == "batch"


def test_the_check_of_a_batch_says_which_items_need_approval(shop: Shop) -> None:
    expected = batch(shop, "sam", start=False)
    client = signed_in(shop, "sam")
    assert "All 1 can be done." in client.get(f"/batches/{expected}").text
    shop.policy()
    expected = batch(shop, "sam", start=False)
    text = client.get(f"/batches/{expected}").text
    assert "All 1 can be requested. It needs approval by a second person." in text
    assert "Would need approval" in text
    assert not shop.view_all()
    shop.run(StartBatch(batch_id=expected, leave_out=True))
    catch_up(shop.app)
    task = shop.kernel.registry.tasks["batches"]
    while task.work(shop.kernel, expected):
        pass
    catch_up(shop.app)
    assert len(shop.view_all()) == 1


Signing = Callable[[Shop, str, str], object]


def sign_by_page(shop: Shop, name: str, request_id: str) -> None:
    shop.app.config["WTF_CSRF_ENABLED"] = False
    form = {"request_id": request_id, "decision": "approve", "comment": ""}
    form |= {"digest": shop.view(request_id).digest, "command_id": str(uuid.uuid4())}
    url = f"/commands/SignRequest?request_id={request_id}"
    signed_in(shop, name).post(url, data=form)


def sign_by_api(shop: Shop, name: str, request_id: str) -> None:
    given = {"request_id": request_id, "decision": "approve"}
    program(shop, name).do("SignRequest", **given, digest=shop.view(request_id).digest)


def sign_by_shell(shop: Shop, name: str, request_id: str) -> None:
    words = ["--request-id", request_id, "--digest", shop.view(request_id).digest]
    run = shop.app.test_cli_runner().invoke
    run(args=["command", "SignRequest", *words, "--decision", "approve", "--as", name])


def sign_by_batch(shop: Shop, name: str, request_id: str) -> None:
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command="SignRequest",
        fields={"decision": "approve"},
        named=[(request_id, shop.view(request_id).version)],
        start=True,
    )
    with suppress(BusError):
        services_of(shop.app).batches.create(new, shop.actor(name), "form")
        work(shop, new.batch_id)


def sign_by_queue(shop: Shop, name: str, request_id: str) -> None:
    command = SignRequest(
        request_id=request_id,
        decision="approve",  # type: ignore[arg-type]
        digest=shop.view(request_id).digest,
    )
    context = Context(actor=shop.actor(name), channel="form")
    with suppress(BusError):
        receipt = shop.kernel.commands.enqueue(command, context)
        shop.kernel.commands.run_queued(receipt.command_id)


SIGNING = [sign_by_page, sign_by_api, sign_by_shell, sign_by_queue, sign_by_batch]


@pytest.mark.parametrize("door", SIGNING)
def test_whatever_door_only_whom_the_policy_asks_signs(shop: Shop, door: Signing) -> None:
    shop.policy(bulk=True)
    request_id = shop.ask(name="sam")
    for name in ("victor", "olga", "sam"):
        door(shop, name, request_id)
        assert shop.view(request_id).signed == (), name
    door(shop, "tina", request_id)
    assert shop.view(request_id).signed == ("tina",)


def test_a_signature_is_checked_again_when_it_comes_from_the_queue(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    context = Context(actor=shop.actor("sam"), channel="form")
    command = SignRequest(
        request_id=request_id,
        decision="approve",  # type: ignore[arg-type]
        digest=shop.view(request_id).digest,
    )
    receipt = shop.kernel.commands.enqueue(command, context)
    with pytest.raises(Exception, match="cannot sign what you asked for"):
        shop.kernel.commands.run_queued(receipt.command_id)
