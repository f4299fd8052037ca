"""Whatever is done in whatever order: nothing runs without enough valid signatures on exactly that
payload and those versions, nothing runs twice, and nothing that is approved is lost."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from cqrs_app.areas.orders.commands import AddOrderNote, CancelOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.approvals.commands import (
    RUN,
    RecordOutcome,
    ResubmitRequest,
    WithdrawRequest,
)
from cqrs_app.platform.approvals.queries import ApprovalRequestView
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import ApprovalStage, RequestState
from tests.console import consoles_on
from tests.platform.approvals.conftest import Shop, with_people
from tests.services.stores import Templates

TINA, ADA = ("tina", "approve", True), ("ada", "approve", True)
STEPS = st.one_of(
    st.sampled_from([TINA, ADA]),
    st.sampled_from(["ask", "change", "work", "kill", "withdraw", "again", "expire"]),
    st.tuples(
        st.sampled_from(["sam", "tina", "ada", "olga"]),
        st.sampled_from(["approve", "approve", "refuse", "return"]),
        st.booleans(),
    ),
)
ENDS = Counter[str]()
"""How the stories ended."""


@dataclass
class Story:
    """One order and what happens to its request. `seen` is the digest that signers have looked at
    last, which may be out of date."""

    shop: Shop
    order_id: str
    request_id: str = ""
    seen: str = ""
    requests: list[str] = field(default_factory=list)

    def do(self, step: object) -> None:
        with suppress(BusError):
            if isinstance(step, str):
                getattr(self, step)()
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
        if looks or not self.seen:
            self.seen = self.shop.view(self.request_id).digest
        self.shop.sign(self.request_id, name, decision, comment="Because.", digest=self.seen)

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
        for view in executed:
            self._check_signatures(view)
        ENDS.update(str(each.state) for each in views)

    def _check_signatures(self, view: ApprovalRequestView) -> None:
        stored = self.shop.kernel.store.events_of(f"approval-{view.request_id}")
        events = [self.shop.kernel.registry.codec.decode(each).event for each in stored]
        signed = [each for each in events if type(each).__name__ == "ApprovalSigned"]
        valid = {each.person for each in signed if each.digest == view.digest}  # type: ignore[attr-defined]
        assert len(valid - {view.asker}) >= 2
        [entry] = [
            each
            for each in self.shop.kernel.store.events_of(f"order-{self.order_id}")
            if each.type == "OrderCancelled"
        ]
        assert entry.version == view.versions[0].version + 1
        assert entry.operator == view.asked_by


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
        shop.policy("CancelOrder", stages=(ApprovalStage(approvals=2),))

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(STEPS, min_size=3, max_size=14))
        @example([TINA, ADA, "kill"])
        @example([TINA, "change", ADA])
        @example([TINA, ("ada", "refuse", True), ADA])
        @example([TINA, ("ada", "return", True)])
        @example(["withdraw"])
        @example([TINA, "expire", ADA])
        @example([TINA, "change", ADA, "again", ADA, "work"])
        @example([TINA, ADA, "change", "work", "again", TINA, ADA, "kill", "kill"])
        def run(steps: list[object]) -> None:
            story = Story(shop, f"I-{next(count)}")
            line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
            shop.run(
                PlaceOrder(order_id=story.order_id, country="FR", currency="EUR", lines=(line,))
            )
            for step in ["ask", *steps]:
                story.do(step)
            story.check()

        ENDS.clear()
        run()
        assert ENDS.keys() >= {"executed", "stale", "refused", "expired", "withdrawn", "returned"}
