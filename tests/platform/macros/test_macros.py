"""Macros: the rules of one person's, and batches whose items are several commands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from flask import Flask

from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.commands import SubmitExpenseClaim
from cqrs_app.areas.orders.commands import AddOrderNote, HoldOrder
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused
from cqrs_app.kernel.testing import Scenarios
from cqrs_app.platform.approvals.commands import SetApprovalPolicy
from cqrs_app.platform.batches.commands import RetryBatchItems, StartBatch
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.batches.words import BatchState
from cqrs_app.platform.batches.work import _sent
from cqrs_app.platform.macros import macros_area
from cqrs_app.platform.macros.commands import DeleteMacro, RenameMacro, SaveMacro
from cqrs_app.platform.macros.events import MacroDeleted, MacroRenamed, MacroSaved
from cqrs_app.platform.macros.macros import MOST_MACROS, Macro
from cqrs_app.platform.macros.queries import ListMacros
from cqrs_app.platform.macros.steps import Step
from cqrs_app.platform.views.commands import TEAM
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.batches.conftest import MARIA, SAM, Shop

MACROS = Scenarios(macros_area(()), at=datetime(2026, 3, 2, 12, tzinfo=UTC))
HOLD, NOTE = "HoldOrder?reason=payment_check&note=Call", "AddOrderNote?note=Call+again"
STEPS = (HOLD, NOTE)


def saved(name: str, *steps: str) -> MacroSaved:
    return MacroSaved(owner=TEAM, macro=name, steps=steps or STEPS)


@pytest.fixture
def shop(console: Flask) -> Shop:
    return Shop(console)


def save(shop: Shop, *steps: str, name: str = "Hold and note", actor: Actor = MARIA) -> None:
    shop.run(SaveMacro(macro=name, owner=actor.name, steps=steps or STEPS), actor)


def test_a_macro_is_replaced_renamed_and_deleted_under_any_spelling() -> None:
    given = MACROS.given(saved("Hold"), saved("Other"))
    replaced = given.when(SaveMacro(macro="HOLD", owner=TEAM, steps=(NOTE,)))
    assert [each.name for each in replaced.then(saved("HOLD", NOTE)).saved] == ["HOLD", "Other"]
    rename = RenameMacro(owner=TEAM, macro="hold", new_name="Stop")
    renamed = MacroRenamed(owner=TEAM, macro="hold", new_name="Stop")
    given.when(rename).then(renamed)
    deleted = MacroDeleted(owner=TEAM, macro="stop")
    found = MACROS.given(saved("Hold"), renamed).when(DeleteMacro(owner=TEAM, macro="stop"))
    assert found.then(deleted).saved == []


def test_a_macro_is_not_renamed_to_the_name_of_another_and_has_to_be_there() -> None:
    given = MACROS.given(saved("A"), saved("B"))
    given.when(RenameMacro(owner=TEAM, macro="A", new_name="b")).refused("name_taken")
    given.when(RenameMacro(owner=TEAM, macro="C", new_name="D")).refused("no_such_macro")
    # Its own name in another spelling is no other's.
    given.when(RenameMacro(owner=TEAM, macro="A", new_name="a")).then(
        MacroRenamed(owner=TEAM, macro="A", new_name="a")
    )
    given.when(DeleteMacro(owner=TEAM, macro="C")).refused("no_such_macro")


def test_there_are_so_many_macros_at_most() -> None:
    full = MACROS.given(*(saved(f"Macro {number}") for number in range(MOST_MACROS)))
    full.when(SaveMacro(macro="More", owner=TEAM, steps=STEPS)).refused("too_many_macros")
    assert full.when(SaveMacro(macro="macro 3", owner=TEAM, steps=STEPS)).accepted


def test_macros_are_ones_own_and_those_of_the_team_need_a_supervisor(shop: Shop) -> None:
    save(shop)
    with pytest.raises(Refused, match="Only maria can see"):
        shop.ask(ListMacros(owner="maria"))
    with pytest.raises(Refused, match="It belongs to maria"):
        shop.run(DeleteMacro(owner="maria", macro="Hold and note"), SAM)
    of_team = SaveMacro(macro="Hold", owner=TEAM, steps=STEPS)
    with pytest.raises(NotAllowed, match=r"macros\.share"):
        shop.run(of_team, MARIA)
    shop.run(of_team, SAM)
    assert shop.ask(ListMacros()) == (Macro(name="Hold", steps=STEPS),)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (["NoSuchCommand"], "There is no action NoSuchCommand"),
        (["CreateBatch"], "There is no action CreateBatch"),
        (["HoldOrder"], "reason: "),
        (["HoldOrder?reason=bored"], "reason: "),
        (["ApproveOrder?order_id=A-1"], "cannot have order_id"),
        (["DeactivateCustomer?reason=Moved"], "personal data"),
        (["ApproveOrder", "RetireProduct"], "the same kind of thing"),
        (["ApproveExpenseClaim?further=owner"], "further.0"),
    ],
)
def test_a_step_that_could_not_be_carried_out_is_refused(
    shop: Shop, steps: list[str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        save(shop, *steps)
    assert refused.value.code == "unusable_step"


@pytest.mark.parametrize("further", ["director", "supervisor&further=director"])
def test_a_step_has_fields_that_are_lists(shop: Shop, further: str) -> None:
    step = f"ApproveExpenseClaim?further={further}&note=Fine"
    save(shop, step)
    assert str(Step.from_text(step)) == step
    claim = SubmitExpenseClaim(claim_id="E-1", purpose="Fair", amount=Decimal(5), currency="EUR")
    shop.run(claim, SAM)
    catch_up(shop.app)
    batch_id = shop.create(macro="Hold and note", named=["E-1"], start=True)
    shop.work(batch_id)
    [*_, approved] = shop.kernel.store.events_of(ExpenseClaim.stream_of("E-1"))
    assert shop.outcomes(batch_id) == {"E-1": "done"}
    assert msgspec.json.decode(approved.payload)["further"] == [
        each.partition("=")[2] or each for each in further.split("&")
    ]


def test_each_item_becomes_the_commands_of_the_macro_in_order(shop: Shop) -> None:
    shop.place("A-1", "A-2")
    save(shop)
    batch_id = shop.create(macro="hold and note", named=["A-1", "A-2"])
    shop.work(batch_id)
    view = shop.batch(batch_id)
    assert (view.row.state, view.row.macro, view.steps) == (
        BatchState.READY,
        "Hold and note",
        STEPS,
    )
    assert view.counts == {"done": 2}
    assert shop.events("A-1") == ["OrderPlaced"]
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done"}
    assert shop.events("A-1") == ["OrderPlaced", "OrderHeld", "OrderNoteAdded"]
    entries = [shop.kernel.log.find(f"{batch_id}.1.1{step}") for step in ("", ".2")]
    assert [(each.type, each.operator) for each in entries if each] == [
        ("HoldOrder", "maria"),
        ("AddOrderNote", "maria"),
    ]


def test_a_macro_that_is_changed_later_does_not_change_the_batch(shop: Shop) -> None:
    shop.place("A-1")
    save(shop)
    batch_id = shop.create(macro="Hold and note", named=["A-1"])
    save(shop, "CancelOrder?reason=other")
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.events("A-1") == ["OrderPlaced", "OrderHeld", "OrderNoteAdded"]


def test_an_outcome_says_which_step_was_refused_and_the_item_is_sent_again_from_there(
    shop: Shop,
) -> None:
    shop.place("A-1")
    save(shop, NOTE, "ReleaseOrder", "AddOrderTag?tag=late")
    batch_id = shop.create(macro="Hold and note", named=["A-1"])
    shop.work(batch_id)
    assert shop.batch(batch_id).counts == {"refused": 1}
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    item = shop.items(batch_id)["A-1"]
    assert (str(item.outcome), item.step) == ("refused", 2)
    assert item.sentence.startswith("Step 2 of 3, Release order: ")
    assert item.command_id == f"{batch_id}.1.1.2"
    assert shop.events("A-1") == ["OrderPlaced", "OrderNoteAdded"]
    shop.run(HoldOrder(order_id="A-1", reason=HoldReason.OTHER))
    shop.decide(RetryBatchItems(batch_id=batch_id, outcome="refused"))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done"}
    assert shop.events("A-1").count("OrderNoteAdded") == 1
    assert shop.events("A-1")[-2:] == ["OrderReleased", "OrderTagAdded"]


def test_a_change_since_the_order_was_seen_is_a_conflict_at_the_step_that_minds_it(
    shop: Shop,
) -> None:
    shop.place("A-1", "A-2")
    save(shop, NOTE, HOLD)
    batch_id = shop.create(macro="Hold and note", named=["A-1", "A-2"])
    shop.run(AddOrderNote(order_id="A-1", note="Somebody else was here."))
    shop.decide(StartBatch(batch_id=batch_id))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "conflicted", "A-2": "done"}
    assert "OrderHeld" not in shop.events("A-1")


def test_a_process_that_dies_between_two_steps_repeats_none(shop: Shop) -> None:
    shop.place("A-1")
    save(shop)
    batch_id = shop.create(macro="Hold and note", named=["A-1"], start=True)
    items = Items(shop.kernel.engines.write, shop.kernel.clock)
    batch = items.take(batch_id)
    assert batch is not None
    _sent(shop.kernel, batch, items.send(batch_id))
    items.release(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "sending"}
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done"}
    assert shop.events("A-1") == ["OrderPlaced", "OrderHeld", "OrderNoteAdded"]


def test_a_macro_needs_the_permission_of_each_of_its_commands(shop: Shop) -> None:
    shop.place("A-1")
    save(shop, NOTE, HOLD)
    clerk = Actor("maria", ROLES["operator"] - {"orders.hold"})
    with pytest.raises(NotAllowed, match=r"orders\.hold"):
        shop.create(macro="Hold and note", named=["A-1"], actor=clerk)
    batch_id = shop.create(macro="Hold and note", named=["A-1"])
    with pytest.raises(NotAllowed, match=r"orders\.hold"):
        shop.decide(StartBatch(batch_id=batch_id), clerk)


def test_nobody_puts_into_the_teams_macros_what_they_may_not_send(shop: Shop) -> None:
    sharing = Actor("nia", frozenset({"macros.save", "macros.share", "orders.note"}))
    admins = SaveMacro(macro="Hold and note", owner=TEAM, steps=STEPS)
    with pytest.raises(NotAllowed):
        shop.run(admins, sharing)
    shop.run(admins)
    with pytest.raises(NotAllowed):
        shop.run(RenameMacro(owner=TEAM, macro="hold AND note", new_name="Note"), sharing)
    mine = SaveMacro(macro="Hold and note", owner="nia", steps=STEPS)
    shop.run(mine, sharing)


def test_ones_own_macro_comes_before_that_of_the_team(shop: Shop) -> None:
    shop.place("A-1")
    shop.run(SaveMacro(macro="Hold and note", owner=TEAM, steps=(NOTE,)), SAM)
    save(shop, HOLD)
    batch_id = shop.create(macro="Hold and note", named=["A-1"], start=True)
    shop.work(batch_id)
    assert shop.events("A-1") == ["OrderPlaced", "OrderHeld"]
    with pytest.raises(Invalid, match="no macro named Nothing"):
        shop.create(macro="Nothing", named=["A-1"])
    with pytest.raises(Invalid, match="either a macro or a command"):
        shop.create("ApproveOrder", macro="Hold and note", named=["A-1"])


@pytest.fixture
def paid_shop(make_people: MakeConsole) -> Shop:
    """With a paid order A-1, and people who may sign."""
    shop = Shop(make_people())
    save(shop, NOTE, "CancelOrder?reason=other", name="Cancel", actor=SAM)
    return shop


def test_the_check_adds_up_what_would_follow_from_every_step(paid_shop: Shop) -> None:
    batch_id = paid_shop.create(macro="Cancel", named=["A-1"], actor=SAM)
    paid_shop.work(batch_id)
    alone = paid_shop.create("CancelOrder", ["A-1"], fields={"reason": "other"}, actor=SAM)
    paid_shop.work(alone)
    assert paid_shop.batch(batch_id).effects == paid_shop.batch(alone).effects != ()


def test_a_step_that_needs_approval_is_requested_and_no_later_one_is_carried_out(
    paid_shop: Shop,
) -> None:
    policy = SetApprovalPolicy(policy="cancel", commands=("CancelOrder",))
    paid_shop.run(policy, Actor("ada", ROLES["admin"]))
    save(paid_shop, NOTE, "CancelOrder?reason=other", "AddOrderTag?tag=gone", actor=SAM)
    batch_id = paid_shop.create(macro="Hold and note", named=["A-1"], actor=SAM)
    paid_shop.work(batch_id)
    assert paid_shop.batch(batch_id).counts == {"requested": 1}
    paid_shop.decide(StartBatch(batch_id=batch_id), SAM)
    paid_shop.work(batch_id)
    item = paid_shop.items(batch_id)["A-1"]
    assert (str(item.outcome), item.step) == ("requested", 2)
    assert item.sentence == (
        "Step 2 of 3, Cancel order, needs approval. Later steps are not carried out."
    )
    assert paid_shop.events("A-1")[-1] == "OrderNoteAdded"
