"""Whatever is done in whatever order: nothing runs without enough valid signatures on exactly that
payload and those versions, nothing runs twice, and nothing that is approved is lost."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.orders.commands import AddOrderNote, CancelOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.approvals.commands import (
    RUN,
    DelegateSignatures,
    EndDelegation,
    OverrideApproval,
    RecordOutcome,
    ResubmitRequest,
    ReviewOverride,
    SignRequest,
    WithdrawRequest,
)
from cqrs_app.platform.approvals.delegation import Delegation
from cqrs_app.platform.approvals.events import (
    ApprovalOverridden,
    ApprovalOverrideReviewed,
    ApprovalSigned,
)
from cqrs_app.platform.approvals.queries import ApprovalRequestView
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import (
    ApprovalStage,
    OverrideVerdict,
    RequestState,
    SignDecision,
)
from tests.console import consoles_on
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import Shop, with_people
from tests.services.stores import Templates

TINA, ADA = ("tina", "approve", True), ("ada", "approve", True)
NAMES = st.sampled_from(["sam", "tina", "ada", "olga"])
STEPS = st.one_of(
    st.sampled_from([TINA, ADA]),
    st.sampled_from(
        ["ask", "change", "work", "kill", "withdraw", "again", "expire", "erase", "stricter"]
    ),
    st.tuples(
        NAMES, st.sampled_from(["approve", "approve", "bulk", "refuse", "return"]), st.booleans()
    ),
    st.tuples(st.sampled_from(["override", "review"]), NAMES),
    st.tuples(st.just("delegate"), NAMES, NAMES, st.integers(0, 1)),
)
PAIR = ApprovalStage(approvals=2)
ENDS = Counter[str]()
"""How the stories ended."""


@dataclass
class Story:
    """One order and what happens to its request. `seen` are the digest and the version that signers
    have looked at last, which may be out of date; `before_erasure` are the requests that were made
    before the customer was erased."""

    shop: Shop
    order_id: str
    request_id: str = ""
    seen: tuple[str, int] | None = None
    requests: list[str] = field(default_factory=list)
    before_erasure: tuple[str, ...] = ()

    def do(self, step: object) -> None:
        with suppress(BusError):
            if isinstance(step, str):
                getattr(self, step)()
            elif isinstance(step, tuple) and step[0] in ("override", "review", "delegate"):
                getattr(self, step[0])(*step[1:])
            elif isinstance(step, tuple):
                self.sign(*step)

    def ask(self) -> None:
        cancel = CancelOrder(order_id=self.order_id, reason=CancelReason.CUSTOMER_REQUEST)
        self.request_id = self.shop.ask(cancel)
        self.requests.append(self.request_id)

    def change(self) -> None:
        self.shop.run(AddOrderNote(order_id=self.order_id, note="Something new."))

    def work(self) -> None:
        release(self.shop)
        self.shop.work()

    def kill(self) -> None:
        """The process dies between carrying out and recording that it did."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(self.task, "_record", lambda *rest: None)
            release(self.shop)
            self.task.work(self.shop.kernel, self.request_id)

    def withdraw(self) -> None:
        self.shop.run(WithdrawRequest(request_id=self.request_id))

    def again(self) -> None:
        self.shop.run(ResubmitRequest(request_id=self.request_id))

    def expire(self) -> None:
        """What the worker does once the time to decide is over."""
        version = self.shop.view(self.request_id).version
        over = RecordOutcome(request_id=self.request_id, after=version, state=RequestState.EXPIRED)
        if self.shop.state(self.request_id) == RequestState.OPEN:
            actor = Actor("approvals", frozenset({RUN}))
            self.shop.kernel.commands.execute(over, Context(actor=actor, channel="approval"))

    def sign(self, name: str, decision: str, looks: bool) -> None:
        digest, version = self.look(again=looks)
        if decision != "bulk":
            self.shop.sign(self.request_id, name, decision, comment="Because.", digest=digest)
            return
        blind = SignRequest(request_id=self.request_id, decision=SignDecision.APPROVE)
        self.shop.run(blind, name, channel="batch", expected_version=version)
        catch_up(self.shop.app)

    def look(self, *, again: bool) -> tuple[str, int]:
        if again or self.seen is None:
            view = self.shop.view(self.request_id)
            self.seen = view.digest, view.version
        return self.seen

    def override(self, name: str) -> None:
        digest, _ = self.look(again=False)
        reason = "The shop is closed."
        self.shop.run(
            OverrideApproval(request_id=self.request_id, digest=digest, reason=reason), name
        )
        catch_up(self.shop.app)

    def review(self, name: str) -> None:
        verdict = OverrideVerdict.JUSTIFIED
        review = ReviewOverride(request_id=self.request_id, verdict=verdict, comment="Fine.")
        self.shop.run(review, name)

    def delegate(self, owner: str, delegate: str, days: int) -> None:
        """For days, or so briefly that it is over once somebody signs."""
        until = self.shop.kernel.clock() + (timedelta(days=days) or timedelta(milliseconds=20))
        self.shop.run(DelegateSignatures(operator=owner, delegate=delegate, until=until), owner)
        catch_up(self.shop.app)

    def stricter(self) -> None:
        """The policy asks for another stage from now on."""
        self.shop.policy("CancelOrder", stages=(PAIR, ApprovalStage(role=Role.OPERATOR)), bulk=True)

    def erase(self) -> None:
        erased = EraseCustomer(customer_id=f"C-{self.order_id}", reason="Asked for it.")
        self.shop.run(erased, "ada")
        self.before_erasure = (*self.requests,)

    @property
    def task(self) -> BackgroundTask:
        return self.shop.kernel.registry.tasks["approvals"]

    def check(self) -> None:
        release(self.shop)
        self.shop.work()
        done = self.shop.events(f"order-{self.order_id}").count("OrderCancelled")
        views = [self.shop.view(each) for each in self.requests]
        executed = [each for each in views if each.state == "executed"]
        assert done == len(executed) <= 1
        assert not [each for each in views if each.state == "approved"]
        for view in views:
            assert not (view.request_id in self.before_erasure and view.state.pending)
        for view in executed:
            self._check_signatures(view)
        ENDS.update(str(each.state) for each in views)

    def _check_signatures(self, view: ApprovalRequestView) -> None:
        stored = self.shop.kernel.store.events_of(f"approval-{view.request_id}")
        events = [self.shop.kernel.registry.codec.decode(each).event for each in stored]
        overridden = [each for each in events if isinstance(each, ApprovalOverridden)]
        signed = [
            (event, entry.occurred_at)
            for event, entry in zip(events, stored, strict=True)
            if isinstance(event, ApprovalSigned) and event.digest == view.digest
        ]
        seats = {self._seat(*each) for each in signed}
        needed = sum(each.approvals for each in view.stages)
        assert overridden or len(seats) >= needed
        assert {each.person for each in overridden} <= {"ada"}
        assert len(seats) == len(signed)
        assert view.asker not in seats | {each.person for each, _ in signed}
        for each in events:
            if isinstance(each, ApprovalOverrideReviewed):
                assert overridden
                assert each.person not in (view.asker, "ada")
        [entry] = [
            each
            for each in self.shop.kernel.store.events_of(f"order-{self.order_id}")
            if each.type == "OrderCancelled"
        ]
        assert entry.version == view.versions[0].version + 1
        assert entry.operator == view.asked_by

    def _seat(self, signature: ApprovalSigned, at: datetime) -> str:
        """Whose signature it is: of somebody else only while they let this person sign."""
        owner = signature.on_behalf_of or signature.person
        if signature.on_behalf_of:
            delegation = Delegation()
            for each in self.shop.kernel.store.events_of(Delegation.stream_of(owner)):
                if each.occurred_at <= at:
                    event = self.shop.kernel.registry.codec.decode(each).event
                    delegation.evolve(event, each.occurred_at)
            assert delegation.signs_for(signature.person, at)
        return owner


def release(shop: Shop) -> None:
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(approval_requests).values(lease_until=None))


def test_nothing_runs_unsigned_or_twice_and_nothing_approved_is_lost(
    kind: str, templates: Templates, tmp_path: Path, redis_url: str
) -> None:
    with (
        templates.copy(kind, with_people, tmp_path) as databases,
        consoles_on(databases, redis_url) as make,
    ):
        shop, count = Shop(make()), iter(range(10_000))

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(STEPS, min_size=3, max_size=14))
        @example([TINA, ADA, "kill"])
        @example([TINA, "change", ADA])
        @example([TINA, ("ada", "refuse", True), ADA])
        @example([TINA, ("ada", "return", True)])
        @example(["withdraw"])
        @example([TINA, "expire", ADA])
        @example([TINA, "change", ADA, "again", ADA, "work"])
        @example([TINA, ADA, "change", "work", "again", TINA, ADA, "kill", "kill"])
        @example([("override", "ada"), "kill", ("review", "ada"), ("review", "tina"), "work"])
        @example([TINA, ("override", "ada"), "change", "work", "again", ("override", "ada")])
        @example([("delegate", "ada", "olga", 1), TINA, ("olga", "approve", True), ADA])
        @example([("delegate", "ada", "olga", 0), TINA, ("olga", "approve", True)])
        @example([("delegate", "sam", "olga", 1), TINA, ("olga", "bulk", True)])
        @example([TINA, "stricter", ("ada", "bulk", True), "work"])
        @example(["withdraw", "stricter", "ask", TINA, ADA, "work", ("olga", "approve", True)])
        @example([TINA, ADA, "erase", "work"])
        @example([TINA, "erase", ADA])
        def run(steps: list[object]) -> None:
            story = Story(shop, f"I-{next(count)}")
            line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
            for owner in ("sam", "tina", "ada", "olga"):
                with suppress(BusError):
                    shop.run(EndDelegation(operator=owner), owner)
            shop.policy("CancelOrder", stages=(PAIR,), bulk=True)
            customer_id = f"C-{story.order_id}"
            shop.run(RegisterCustomer(customer_id=customer_id))
            order = PlaceOrder(
                order_id=story.order_id,
                customer_id=customer_id,
                country="FR",
                currency="EUR",
                lines=(line,),
            )
            shop.run(order)
            for step in ["ask", *steps]:
                story.do(step)
            story.check()

        ENDS.clear()
        run()
        ended = {"executed", "stale", "refused", "expired", "withdrawn", "returned", "void"}
        assert ENDS.keys() >= ended
