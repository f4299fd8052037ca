"""A batch: frozen, checked, sent, paused, cancelled, retried; one outcome for each item."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import update

from cqrs_app.areas.customers.commands import DeactivateCustomer, RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct, ReceiveStock
from cqrs_app.areas.orders.commands import AddOrderNote, AddOrderTag, ApproveOrder, HoldOrder
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.batches import items as batch_rows
from cqrs_app.platform.batches.commands import (
    CancelBatch,
    CreateBatch,
    PauseBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)
from cqrs_app.platform.batches.items import Chosen, Items, Result
from cqrs_app.platform.batches.queries import GetBatch
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.batches.words import BatchState, Outcome
from cqrs_app.platform.operators.commands import ChangeOperatorRole, ChangeRole, DefineRole
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.batches.conftest import MARIA, SAM, Shop
from tests.services.statements import statements

HOLD = HoldReason.PAYMENT_CHECK
SYSTEM = Actor("system", frozenset[str]().union(*ROLES.values()))


def test_a_batch_is_checked_by_the_rules_before_anything_is_sent(shop: Shop) -> None:
    shop.place("A-1", "A-2", "A-3")
    shop.run(ApproveOrder(order_id="A-2"))
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2", "A-3", "A-4"])
    shop.work(batch_id)
    batch = shop.batch(batch_id)
    assert batch.row.state is BatchState.READY
    assert batch.counts == {Outcome.DONE: 2, Outcome.REFUSED: 2}
    assert [(each.items, each.outcome) for each in batch.groups] == [(1, "refused"), (1, "refused")]
    assert [(each.outcome, each.currency, each.amount) for each in batch.worth] == [
        (Outcome.DONE, "EUR", Decimal(10)),
        (Outcome.REFUSED, "EUR", Decimal(5)),
    ]
    assert shop.events("A-1") == ["OrderPlaced"]
    assert set(shop.outcomes(batch_id).values()) == {"waiting"}


def test_started_it_sends_one_command_for_each_item(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2", "A-1"])
    shop.work(batch_id)
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done"}
    assert shop.events("A-1") == ["OrderPlaced", "OrderApproved"]
    batch = shop.batch(batch_id)
    assert (batch.row.state, batch.row.finished) == (BatchState.ENDED, 2)
    item = shop.items(batch_id)["A-2"]
    entry = shop.kernel.log.find(item.command_id)
    assert entry is not None
    assert (entry.type, entry.operator, entry.channel) == ("ApproveOrder", "maria", "batch")
    assert entry.causation_id == batch_id


def test_fields_are_shared_and_a_reason_is_needed_where_the_command_needs_one(shop: Shop) -> None:
    shop.place("A-1")
    with pytest.raises(Invalid, match="reason"):
        shop.create("HoldOrder", ["A-1"])
    with pytest.raises(Invalid, match="order_id"):
        shop.create("HoldOrder", ["A-1"], fields={"reason": HOLD, "order_id": "A-1"})
    batch_id = shop.create("HoldOrder", ["A-1"], fields={"reason": HOLD}, start=True)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done"}


def test_what_would_be_refused_can_be_left_out(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    shop.run(ApproveOrder(order_id="A-2"))
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"])
    with pytest.raises(Refused, match="still being checked") as early:
        shop.decide(StartBatch(batch_id=batch_id, leave_out=True))
    assert early.value.code == "not_checked"
    shop.work(batch_id)
    shop.decide(StartBatch(batch_id=batch_id, leave_out=True))
    shop.work(batch_id)
    items = shop.items(batch_id)
    assert {name: str(each.outcome) for name, each in items.items()} == {
        "A-1": "done",
        "A-2": "skipped",
    }
    assert "approved" in items["A-2"].sentence
    assert shop.kernel.log.find(f"{batch_id}.2.1") is None


def test_an_item_that_changed_since_it_was_seen_is_not_touched_and_can_be_sent_again(
    shop: Shop,
) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"])
    shop.run(AddOrderNote(order_id="A-1", note="Call before delivery."))
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "conflicted", "A-2": "done"}
    assert "OrderApproved" not in shop.events("A-1")
    shop.decide(RetryBatchItems(batch_id=batch_id, outcome="conflicted"))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done"}
    assert shop.items(batch_id)["A-1"].attempt == 2
    assert shop.items(batch_id)["A-2"].attempt == 1
    assert shop.batch(batch_id).row.state is BatchState.ENDED


def test_all_that_match_are_frozen_when_it_is_created(shop: Shop) -> None:
    shop.place("A-1", "A-2", price=5)
    shop.place("B-1", price=500)
    filters = {"max_total": ["100"], "stage": ["needs_approval"]}
    batch_id = shop.create("ApproveOrder", filters=filters, start=True)
    shop.place("A-3", price=5)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-2": "done", "A-1": "done"}
    assert shop.batch(batch_id).row.source == "All with Total to: 100; Stage: Needs approval"
    with pytest.raises(Invalid, match="No items match"):
        shop.create("ApproveOrder", filters={"min_total": ["9999"]})
    with pytest.raises(Invalid, match="no_such_filter"):
        shop.create("ApproveOrder", filters={"no_such_filter": ["1"]})


def test_a_batch_larger_than_allowed_is_not_created(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place("A-1", "A-2")
    monkeypatch.setattr(services_of(shop.app).batches, "_most", 1)
    with pytest.raises(Invalid, match="at most 1 items"):
        shop.create("ApproveOrder", ["A-1", "A-2"], batch_id=str(uuid.UUID(int=1)))
    assert shop.ask(batch_query(str(uuid.UUID(int=1)))) is None


def batch_query(batch_id: str):  # type: ignore[no-untyped-def]
    from cqrs_app.platform.batches.queries import GetBatch

    return GetBatch(batch_id=batch_id)


def test_paused_it_sends_nothing_until_it_is_resumed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_rows, "CHUNK", 1)
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], start=True)
    shop.decide(PauseBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert set(shop.outcomes(batch_id).values()) == {"waiting"}
    shop.decide(ResumeBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert set(shop.outcomes(batch_id).values()) == {"done"}


def test_cancelled_it_sends_what_was_taken_and_nothing_else(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], start=True)
    rows = Items(shop.kernel.engines.write)
    rows_sent = rows.send(batch_id)
    assert len(rows_sent) == 2
    shop.decide(CancelBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert set(shop.outcomes(batch_id).values()) == {"done"}
    with pytest.raises(Refused, match="cancelled"):
        shop.decide(PauseBatch(batch_id=batch_id))

    other = shop.create("HoldOrder", ["A-1", "A-2"], fields={"reason": HOLD}, start=True)
    shop.decide(CancelBatch(batch_id=other))
    shop.work(other)
    assert set(shop.outcomes(other).values()) == {"cancelled"}
    assert "OrderHeld" not in shop.events("A-1")
    shop.decide(RetryBatchItems(batch_id=other, outcome="cancelled"))
    shop.work(other)
    assert set(shop.outcomes(other).values()) == {"done"}


def test_what_a_dead_process_had_taken_is_sent_once(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], start=True)
    rows = Items(shop.kernel.engines.write)
    assert rows.take(batch_id) is not None
    rows.send(batch_id)
    # It sent one of them, and died.
    context = Context(
        actor=MARIA, channel="batch", command_id=f"{batch_id}.1.1", expected_version=1
    )
    shop.kernel.commands.execute(ApproveOrder(order_id="A-1"), context)
    assert rows.due() == []
    assert rows.take(batch_id) is None
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(batches).values(lease_until=None))
    assert rows.due() == [batch_id]
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done"}
    assert shop.events("A-1") == ["OrderPlaced", "OrderApproved"]


def test_a_batch_is_through_although_another_is_still_being_sent(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    first, other = (
        shop.create("ApproveOrder", [order_id], start=True) for order_id in ("A-1", "A-2")
    )
    rows = Items(shop.kernel.engines.write)
    for batch_id in (first, other):
        assert rows.has_waiting(batch_id)
        assert len(rows.send(batch_id)) == 1
        assert not rows.has_waiting(batch_id)
    assert [each.subject for each in rows.sending(first)] == ["A-1"]
    rows.finished(first, [Result(1, Outcome.DONE)])
    assert rows.sending(first) == []
    assert [rows.renew(each).sending for each in (first, other)] == [False, True]
    assert shop.outcomes(other) == {"A-2": "sending"}


def test_a_retry_is_not_lost_while_the_rows_lag_behind_the_decisions(shop: Shop) -> None:
    shop.place("A-1")
    shop.run(ApproveOrder(order_id="A-1"))
    batch_id = shop.create("ApproveOrder", ["A-1"], start=True)
    task = shop.kernel.registry.tasks["batches"]
    while task.work(shop.kernel, batch_id):
        pass
    shop.run(RetryBatchItems(batch_id=batch_id, outcome="refused"), MARIA)
    while task.work(shop.kernel, batch_id):
        pass
    shop.decide(PauseBatch(batch_id=batch_id))
    assert shop.outcomes(batch_id) == {"A-1": "waiting"}
    shop.decide(ResumeBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.items(batch_id)["A-1"].attempt == 2
    assert shop.outcomes(batch_id) == {"A-1": "refused"}
    assert shop.batch(batch_id).row.state is BatchState.ENDED


def test_nothing_is_easier_in_bulk_than_one_by_one(shop: Shop) -> None:
    shop.place("A-1")
    viewer = Actor("vera", ROLES["viewer"])
    with pytest.raises(NotAllowed):
        shop.create("ApproveOrder", ["A-1"], actor=viewer)
    with pytest.raises(NotAllowed):
        shop.create("EraseCustomer", ["C-1"], actor=MARIA, fields={"reason": "Asked for it."})
    batch_id = shop.create("ApproveOrder", ["A-1"])
    only_batches = Actor("bob", frozenset({"batches.run"}))
    with pytest.raises(NotAllowed):
        shop.decide(StartBatch(batch_id=batch_id), only_batches)
    with pytest.raises(Refused, match="maria created this batch") as refused:
        shop.decide(StartBatch(batch_id=batch_id), SAM)
    assert refused.value.code == "not_yours"
    assert shop.events("A-1") == ["OrderPlaced"]


@pytest.mark.parametrize("unusable", ["A" * 201, "A\x001", "A\ud800"])
def test_an_id_that_no_store_can_hold_is_refused(shop: Shop, unusable: str) -> None:
    shop.place("A-1")
    with pytest.raises(Invalid, match=r"cannot be an id\. Nothing was created\."):
        shop.create("ApproveOrder", ["A-1", unusable])


def test_personal_data_is_not_stored_with_a_batch(shop: Shop) -> None:
    shop.place("A-1")
    address = {"line1": "Rue Haute 5", "city": "Lille", "country": "FR"}
    batch_id = str(uuid.uuid4())
    with pytest.raises(Invalid, match="cannot share personal data"):
        shop.create(
            "ChangeShippingAddress", ["A-1"], fields={"address": address}, batch_id=batch_id
        )
    assert Items(shop.kernel.engines.write).commands_of(batch_id) == ()
    found = shop.create("ApproveOrder", filters={"q": ["A-1"], "max_total": ["100"]})
    assert shop.batch(found).row.source == "All with a search text; Total to: 100"


@pytest.mark.parametrize("loss", ["role", "permission", "account", "token"])
def test_items_are_refused_once_their_creator_may_not_send_them(
    shop: Shop, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One item is sent before that, two after it."""
    services = services_of(shop.app)
    services.accounts.create("lena", "operator", "a long enough passphrase")
    if loss == "permission":
        allowed = ("orders.view", "orders.approve", "batches.run")
        shop.run(DefineRole(role="approver", based_on=Role.OPERATOR, permissions=allowed), SYSTEM)
        shop.run(ChangeOperatorRole(operator="lena", role="approver"), SYSTEM)
    creator = services.accounts.get("lena").actor
    if loss == "token":
        token = services.tokens.find(services.tokens.create("wms", "operator", made_by="lena"))
        assert token
        creator = token.actor
    shop.place("A-1", "A-2", "A-3")

    def lose() -> None:
        match loss:
            case "role":
                shop.run(ChangeOperatorRole(operator="lena", role="viewer"), SYSTEM)
            case "permission":
                shop.run(
                    ChangeRole(role="approver", permissions=("orders.view", "batches.run")), SYSTEM
                )
            case "account":
                services.accounts.disable("lena")
            case "token":
                services.tokens.revoke("wms", "sam")

    batch_id = shop.create("ApproveOrder", ["A-1", "A-2", "A-3"], actor=creator, start=True)
    send, sent = Items.send, []

    def sending(items: Items, key: str) -> list[batch_rows.Item]:
        if len(sent) == 1:
            lose()
        sent.append(key)
        return send(items, key)

    monkeypatch.setattr(batch_rows, "CHUNK", 1)
    monkeypatch.setattr(Items, "send", sending)
    shop.work(batch_id)
    assert shop.batch(batch_id).row.state is BatchState.ENDED
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "refused", "A-3": "refused"}
    item = shop.items(batch_id)["A-2"]
    assert item.code == "not_allowed"
    assert item.sentence.startswith(f"{creator.name} does not have the permission to do this any")
    assert shop.events("A-2") == ["OrderPlaced"]
    logged = [shop.kernel.log.find(f"{batch_id}.{number}.1") for number in (1, 2, 3)]
    assert [each and each.outcome for each in logged] == ["succeeded", "refused", "refused"]


def test_what_the_log_says_of_an_item_counts_when_its_worker_is_killed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also once the creator is disabled."""
    accounts = services_of(shop.app).accounts
    lena = accounts.create("lena", "operator", "a long enough passphrase").actor
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], actor=lena, start=True)
    shop.run(AddOrderTag(order_id="A-2", tag="gift"))

    def killed(*given: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patched:
        patched.setattr(Items, "finished", killed)
        with pytest.raises(ConnectionAbortedError):
            shop.work(batch_id)
    accounts.disable("lena")
    services_of(shop.app).batches._items.release(batch_id)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "conflicted"}


def test_a_batch_needs_items_and_is_created_once(shop: Shop) -> None:
    shop.place("A-1")
    unknown = CreateBatch(batch_id=str(uuid.uuid4()), command="ApproveOrder", total=1)
    with pytest.raises(Refused, match="No items were chosen"):
        shop.run(unknown, MARIA)
    batch_id = shop.create("ApproveOrder", ["A-1"])
    again = CreateBatch(batch_id=batch_id, command="ApproveOrder", total=1)
    with pytest.raises(Refused, match="created already"):
        shop.run(again, SAM)
    # The same form sent twice gets the same receipt.
    assert shop.create("ApproveOrder", ["A-1"], batch_id=batch_id) == batch_id


def test_a_fault_of_the_program_fails_its_item_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cqrs_app.areas.orders.order import Order

    shop.place("A-1", "A-2", "A-3")
    honest = Order.evolve

    def broken(self: Order, event: object, at: object) -> None:
        if type(event).__name__ == "OrderApproved" and getattr(event, "order_id", "") == "A-2":
            raise ZeroDivisionError
        honest(self, event, at)  # type: ignore[arg-type]

    batch_id = shop.create("ApproveOrder", ["A-1", "A-2", "A-3"], start=True)
    monkeypatch.setattr(Order, "evolve", broken)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "failed", "A-3": "done"}
    monkeypatch.undo()
    shop.decide(RetryBatchItems(batch_id=batch_id, outcome="failed"))
    shop.work(batch_id)
    assert shop.outcomes(batch_id)["A-2"] == "done"


def test_items_nobody_made_a_batch_of_are_deleted_and_old_ones_too(shop: Shop) -> None:
    shop.place("A-1")
    kept = shop.create("ApproveOrder", ["A-1"])
    rows = Items(shop.kernel.engines.write)
    stray = str(uuid.uuid4())
    rows.freeze(
        stray,
        "ApproveOrder",
        {},
        "1 chosen",
        [batch_rows.Chosen("A-1")],
        creator=MARIA,
    )
    rows.forget_strays()
    assert rows.commands_of(stray) == ("ApproveOrder",)
    later = shop.kernel.clock() + batch_rows.STRAYS_KEPT * 2
    Items(shop.kernel.engines.write, lambda: later).forget_strays()
    assert rows.commands_of(stray) == ()
    assert rows.commands_of(kept) == ("ApproveOrder",)
    shop.decide(CancelBatch(batch_id=kept))
    assert rows.forget_before(shop.kernel.clock()) == 1
    assert rows.commands_of(kept) == ()


def test_an_order_may_be_in_two_batches(shop: Shop) -> None:
    shop.place("A-1")
    first = shop.create("ApproveOrder", ["A-1"], start=True)
    second = shop.create("ApproveOrder", ["A-1"], start=True)
    shop.work(first)
    shop.work(second)
    assert shop.outcomes(first) == {"A-1": "done"}
    assert shop.outcomes(second)["A-1"] in ("refused", "conflicted")
    assert shop.events("A-1").count("OrderApproved") == 1


def test_a_held_order_stays_untouched_in_the_other_batch(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1"])
    other = shop.create("ApproveOrder", ["A-2"])
    shop.work(batch_id)
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    shop.work(other)
    assert shop.outcomes(other) == {"A-2": "waiting"}
    assert shop.batch(other).row.state is BatchState.READY
    shop.run(HoldOrder(order_id="A-2", reason=HOLD))


def counted(shop: Shop, batch_id: str, *, foreseen: bool = False) -> dict[str, int]:
    """By outcome, from the rows of the items."""
    items = shop.items(batch_id).values()
    shown = ((each.expected or "waiting") if foreseen else each.outcome for each in items)
    return dict(Counter(map(str, shown)))


def test_counts_are_kept_through_every_step(shop: Shop) -> None:
    shop.place("A-1", "A-2", "A-3", "A-4")
    shop.decide(HoldOrder(order_id="A-2", reason=HoldReason.OTHER), SAM)
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2", "A-3", "A-4"])

    def check(worth: dict[str, str], *, foreseen: bool = False) -> None:
        view = shop.batch(batch_id)
        assert view.counts == counted(shop, batch_id, foreseen=foreseen)
        assert {str(each.outcome): str(round(each.amount, 2)) for each in view.worth} == worth

    check({}, foreseen=True)
    shop.work(batch_id)
    check({"done": "15.00", "refused": "5.00"}, foreseen=True)
    shop.decide(StartBatch(batch_id=batch_id, leave_out=True))
    check({"skipped": "5.00"})
    items = services_of(shop.app).batches._items
    assert len(items.send(batch_id)) == 3
    check({"sending": "15.00", "skipped": "5.00"})
    shop.work(batch_id)
    check({"done": "15.00", "skipped": "5.00"})
    shop.decide(RetryBatchItems(batch_id=batch_id, outcome="skipped"))
    check({"done": "15.00"})
    shop.decide(CancelBatch(batch_id=batch_id))
    check({"cancelled": "5.00", "done": "15.00"})


def test_items_are_taken_in_order_and_none_is_compared_with_each_of_the_others(
    shop: Shop,
) -> None:
    """PostgreSQL knows nothing of a batch that is new to it."""
    batch_id = shop.create("ApproveOrder", [f"A-{number}" for number in range(2_000)], start=True)
    with statements() as sent:
        taken = services_of(shop.app).batches._items.send(batch_id)
    assert [each.number for each in taken] == [*range(1, batch_rows.CHUNK + 1)]
    engine = shop.kernel.engines.write
    if engine.dialect.name == "postgresql":
        [update] = [each for each in sent if each.sql.startswith("UPDATE batch_items")]
        with engine.connect() as connection:
            lines = connection.exec_driver_sql(f"EXPLAIN {update.sql}", update.parameters)
            plan = "\n".join(line for (line,) in lines)
        assert "Loop" not in plan, plan
        assert "Join" not in plan, plan


def test_following_a_batch_adds_up_no_items(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], start=True)
    with statements() as sent:
        shop.batch(batch_id)
    assert not any("batch_items" in str(each) for each in sent), list(map(str, sent))


def test_the_page_says_why_somebody_paused_it(shop: Shop) -> None:
    shop.place("A-1")
    batch_id = shop.create("ApproveOrder", ["A-1"], start=True)
    shop.decide(PauseBatch(batch_id=batch_id, reason="Stocktaking until noon."), SAM)
    assert shop.batch(batch_id).paused_because == "Stocktaking until noon."


def test_items_that_nobody_made_a_batch_of_are_frozen_anew_under_their_id(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = str(uuid.uuid4())
    items = services_of(shop.app).batches._items
    stray = {"creator": SAM, "chosen": [Chosen("A-1")]}
    items.freeze(batch_id, "HoldOrder", {"reason": "other"}, "1 chosen", **stray)  # type: ignore[arg-type]
    shop.create("ApproveOrder", ["A-2"], batch_id=batch_id, start=True)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-2": "done"}
    assert shop.batch(batch_id).row.created_by == "maria"


def test_nobody_creates_a_batch_under_the_id_of_anothers(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    batch_id = shop.create("ApproveOrder", ["A-1"])
    with pytest.raises(Invalid, match="Another batch has this id"):
        shop.create("ApproveOrder", ["A-2"], batch_id=batch_id, actor=SAM)
    assert list(shop.items(batch_id)) == ["A-1"]


def test_a_batch_that_is_never_started_is_deleted_in_the_end_and_cannot_be_started(
    shop: Shop,
) -> None:
    shop.place("A-1")
    batch_id = shop.create("ApproveOrder", ["A-1"])
    shop.work(batch_id)
    assert Items(shop.kernel.engines.write).forget_before(datetime.now(UTC)) == 1
    assert shop.ask(GetBatch(batch_id=batch_id)) is None
    with pytest.raises(Refused, match="its items were deleted") as refused:
        shop.decide(StartBatch(batch_id=batch_id))
    assert refused.value.code == "no_such_batch"


LEAD = Actor("lead", ROLES["admin"])


def test_products_are_chosen_by_the_filters_of_their_list(shop: Shop) -> None:
    for sku, stock in (("LAMP", 0), ("VASE", 9), ("CARD 1/2@3", 0)):
        shop.run(AddProduct(sku=sku, description=sku, low_below=5))
        if stock:
            shop.run(ReceiveStock(sku=sku, quantity=stock, reference="R1"))
    catch_up(shop.app)
    batch_id = shop.create("RetireProduct", filters={"show": ["out"]}, actor=LEAD, start=True)
    # It is not about those that match later.
    shop.run(AddProduct(sku="LATER", description="Later"))
    catch_up(shop.app)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"LAMP": "done", "CARD 1/2@3": "done"}


def test_customers_are_chosen_by_the_filters_of_their_list_or_named(shop: Shop) -> None:
    for number in ("C1", "C2", "C3"):
        shop.run(RegisterCustomer(customer_id=number, name=number), LEAD)
    for number in ("C1", "C2"):
        gone = DeactivateCustomer(customer_id=number, reason="Moved to another shop.")
        shop.run(gone, LEAD)
    catch_up(shop.app)
    filters = {"status": ["deactivated"]}
    batch_id = shop.create("ReactivateCustomer", filters=filters, actor=LEAD)
    assert {name: each.version for name, each in shop.items(batch_id).items()} == {"C1": 2, "C2": 2}
    named = shop.create("ReactivateCustomer", ["C1", "C3"], actor=LEAD, start=True)
    shop.work(named)
    assert shop.outcomes(named) == {"C1": "done", "C3": "refused"}
    shop.decide(StartBatch(batch_id=batch_id), LEAD)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"C1": "conflicted", "C2": "done"}
