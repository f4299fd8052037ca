"""What happens to the accounts, webhooks, requests, batches, ... of one: each command of the
platform, in an order in which it is carried out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.platform.approvals.queries import GetApprovalRequest
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.failures.queries import ListFailures
from cqrs_app.platform.runtime.generations import KEY
from cqrs_app.platform.transfer.imports.background import carry_out
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.transfer.uploads.work import Work
from tests.neighbours.console import EVERYTHING, REGISTRY, SOMEDAY, Console, Somebody, Step


def people(me: Somebody) -> Iterator[Step]:
    do, name = me.do, me.name
    yield do("DefineRole", role=name, based_on="viewer", permissions=["orders.view"])
    yield do("ChangeRole", role=name, permissions=["orders.view", "customers.view"])
    yield do("InviteOperator", operator=name, role="supervisor", email=f"{name}@shop.example")
    yield do("ChangeOperatorRole", operator=name, role="admin")
    yield do("ChangeOperatorTeam", operator=name, team=name)
    yield do("ChangeOperatorDetails", operator=name, display_name=name)
    yield do("DisableOperator", operator=name)
    yield do("EnableOperator", operator=name)
    yield lambda console: console.services.sessions.open(name, "10.0.0.1", "Firefox")
    yield do("EndSessions", operator=name)
    yield do("ResetPassword", operator=name)
    yield do("RecordPassword", operator=name)
    yield do("RecordEmail", operator=name, email=f"{name}@new.example")
    yield do("ResetSecondFactor", operator=name, reason="Lost.")
    yield do("RecordOperator", operator=me.named("2"), role="viewer", created_at=SOMEDAY)


def views_and_files(me: Somebody) -> Iterator[Step]:
    do = me.do
    view = {"owner": "ana", "list": "orders", "view": me.named("v")}
    yield do("SaveView", **view, query="status=placed")
    yield do("RenameView", **view, new_name=me.named("w"))
    yield do("SaveView", **view, query="status=placed")
    yield do("DeleteView", **view)
    macro = {"owner": "ana", "macro": me.named("m")}
    yield do("SaveMacro", **macro, steps=["AddOrderNote?note=Call"])
    yield do("RenameMacro", **macro, new_name=me.named("o"))
    yield do("SaveMacro", **macro, steps=["AddOrderNote?note=Call"])
    yield do("DeleteMacro", **macro)
    content = (
        '{"columns":{"number":"Order","at":"Date","sku":"Article","quantity":"Pieces",'
        '"unit_price":"Price","country":"Land"},"fixed":{"currency":"EUR"}}'
    )
    yield do("SaveImportMapping", mapping=me.named("mapping"), content=content)
    yield do("DeleteImportMapping", mapping=me.named("mapping"))
    yield upload(me)
    yield lambda console: take_in(console, me.uuid(80))


def upload(me: Somebody) -> Step:
    def step(console: Console) -> None:
        head = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
        row = f"{me.name},{me.named('s')},Lamp,1,2010-12-01 08:26,2.5,{me.named('c')},France"
        content = io.BytesIO(f"{head}\n{row}\n".encode())
        files = Files(console.kernel.engines.write)
        received = files.receive(
            me.uuid(80), "online-retail", f"{me.name}.csv", content, "ana", 1_000_000
        )
        console.run(received.task, "ana", me.named("import"))

    return step


def take_in(console: Console, import_id: str) -> None:
    """What the process of an import does."""
    engine = console.kernel.engines.write
    attempt, task = Work(engine).take(import_id), Files(engine).task_of(import_id)
    assert attempt is not None
    assert task is not None
    carry_out(console.kernel, task, attempt)


def webhooks(me: Somebody) -> Iterator[Step]:
    do, webhook = me.do, {"webhook_id": me.named("hook")}
    where = {"url": f"https://{me.name}.example.com/", "event_types": ["OrderNoteAdded"]}
    yield do("AddWebhook", **webhook, **where)
    yield do("AddOrderNote", order_id=me.named("1"), note="For webhooks.")
    yield do("ChangeWebhook", **webhook, **where | {"event_types": ["OrderNoteAdded", "OrderHeld"]})
    yield do("TestWebhook", **webhook)
    yield do("RotateWebhookSecret", **webhook)
    yield do("ReplayWebhook", **webhook, after_position=1)
    yield do("PauseWebhook", **webhook, reason="Moves house.")
    yield do("ResumeWebhook", **webhook)
    view = {"owner": "ana", "list": "orders", "view": me.named("x")}
    yield do("SaveView", **view, query="status=placed")
    schedule = {"schedule": me.named("schedule"), "list": "orders", "view": view["view"]}
    yield do("ScheduleExport", **schedule, at="06:00", webhook_id=me.named("hook"))


def approvals(me: Somebody) -> Iterator[Step]:
    do = me.do
    if me.name == "alder":
        yield do("UseRecommendedPolicies", policy="recommended", over="1000000", currency="EUR")
    else:
        yield lambda console: None
    command = "RenameProduct" if me.name == "alder" else "SetLowStockLevel"
    policy = {"policy": me.named("policy")}
    yield do("SetApprovalPolicy", **policy, commands=[command])
    yield do("DelegateSignatures", me.name, operator=me.name, delegate="tina", until=SOMEDAY)
    yield do("EndDelegation", me.name, operator=me.name)

    asked: list[str] = []

    def request(console: Console) -> None:
        command_id = me.next_id()
        fields = {"description": me.named("lamp")} if me.name == "alder" else {"low_below": me.sent}
        cls = REGISTRY.commands[command]
        receipt = console.run(parse(cls, {"sku": me.named("s"), **fields}), "ana", command_id)
        assert receipt.status == "requested", receipt
        asked.append(request_id_of(command_id))
        me.words.add(asked[-1])

    def answer(name: str, by: str = "tina", **fields: Any) -> Step:
        def step(console: Console) -> None:
            more = dict(fields)
            if "digest" in more:
                more["digest"] = console.ask(GetApprovalRequest(request_id=asked[-1])).digest
            me.do(name, by, request_id=asked[-1], **more)(console)

        return step

    yield request
    yield answer("RemindSigners")
    yield answer("SignRequest", decision="return", comment="Why?", digest="")
    yield answer("ResubmitRequest", "ana")
    yield answer("SignRequest", decision="approve", digest="")
    yield request
    yield answer("WithdrawRequest", "ana")
    yield request
    yield answer("OverrideApproval", digest="", reason="Urgent.")
    yield answer("ReviewOverride", me.name, verdict="justified", comment="Yes.")
    yield do("RemoveApprovalPolicy", **policy)


def batches(me: Somebody) -> Iterator[Step]:
    def create(number: int, command: str = "AddOrderNote") -> Step:
        def step(console: Console) -> None:
            new = NewBatch(
                batch_id=me.uuid(number),
                command=command,
                fields={"note": "From a batch."} if command == "AddOrderNote" else {},
                macro="",
                named=[(me.named(each), None) for each in "789"],
                filters=None,
                start=False,
            )
            console.services.batches.create(new, Actor("ana", EVERYTHING), "test")

        return step

    def work(number: int) -> Step:
        return lambda console: console.work("batches", me.uuid(number))

    do, one, two = me.do, {"batch_id": me.uuid(1)}, {"batch_id": me.uuid(2)}
    yield create(1)
    yield work(1)
    yield do("StartBatch", **one)
    yield do("PauseBatch", **one)
    yield do("ResumeBatch", **one)
    yield work(1)
    yield create(2, "ReleaseOrder")
    yield work(2)
    yield do("StartBatch", **two)
    yield work(2)
    yield do("RetryBatchItems", **two, outcome="refused")
    yield do("CancelBatch", **two)


def alerts_and_failures(me: Somebody) -> Iterator[Step]:
    do, alert = me.do, {"alert_id": f"parked.{me.name}"}
    raised = {"rule": "parked", "severity": "critical", "title": me.name, "since": SOMEDAY}
    yield do("RaiseAlert", **alert, **raised)
    yield do("AcknowledgeAlert", **alert)
    until = {"until": SOMEDAY, "reason": "The supplier fixes it."}
    yield do("SilenceAlert", **alert, **until)
    yield do("EndSilence", **alert)
    yield do("ResolveAlert", **alert)
    broken = {"order_id": me.named("8")}
    failure_id = ""

    def fail(console: Console) -> None:
        nonlocal failure_id
        before = {each.failure_id for each in console.ask(ListFailures())}
        console.broken = True
        me.do("AddOrderTag", **broken, tag="broken")(console)
        console.settle()
        (failure_id,) = {each.failure_id for each in console.ask(ListFailures())} - before
        me.words.add(failure_id)

    def about(name: str, **fields: Any) -> Step:
        return me.do(name, failure_id=failure_id, **fields)

    parked = {"projection": "orders", "stream": "order-" + me.named("8")}
    yield fail
    yield do("RetryParkedEvents", **parked)
    yield about("ResolveFailure")
    yield about("ReopenFailure")
    yield about("IgnoreFailure", until=SOMEDAY)
    yield about("RetryFailure")
    yield do("SkipParkedEvent", **parked, reason="Adds nothing.")


def security(me: Somebody) -> Iterator[Step]:
    event = {"kind": "signed_in", "since": SOMEDAY, "who": me.name, "account": me.name}
    yield me.do("RecordSecurityEvent", recorder=me.uuid(70), **event)


def of_a_rule(me: Somebody) -> Iterator[Step]:
    """What happens to a rule of alerts, whose name it has."""
    do, rule = me.do, {"rule": me.name}
    terms = {"raise_at": 1, "clear_at": 0, "pending_seconds": 9, "severity": "warning"}
    yield do("ChangeAlertRule", **rule, **terms)
    yield do("SilenceAlertRule", **rule, until=SOMEDAY, reason="The supplier fixes it.")
    yield do("EndAlertRuleSilence", **rule)


def of_a_projection(me: Somebody) -> Iterator[Step]:
    """What happens to a projection, whose name it has."""
    projection = {"projection": me.name}

    def build(command: str) -> Step:
        def step(console: Console) -> None:
            me.do(command, **projection)(console)
            console.settle()
            console.work("rebuilds", KEY)

        return step

    yield me.do("PauseProjection", **projection)
    yield me.do("ResumeProjection", **projection)
    yield build("RebuildBeside")
    yield build("CompareGenerations")
    for command in ("SwapProjection", "SwitchBack", "DropGeneration"):
        yield me.do(command, **projection)
    yield me.do("RepairProjection", **projection, only="everyones")
