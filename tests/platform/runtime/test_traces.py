"""One trace from a request of another system to the last effect of its command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import traces
from cqrs_app.kernel.tracing.spans import caller_of, trace_id_of
from cqrs_app.platform.runtime.causes import Link
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.platform.runtime.traces import GetTrace, TraceView
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.webhooks.conftest import Clock, Shop
from tests.platform.webhooks.receiver import Receiver, listening

ADA = Actor("ada", ROLES["admin"])
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def shop(make_console: Callable[..., Flask]) -> Shop:
    return Shop(make_console(webhook_allowed_networks="127.0.0.0/8"), Clock())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


def sent(shop: Shop, command: str, traceparent: str = "", **fields: Any) -> str:
    """Send a command over the API; returns its id."""
    secret = services_of(shop.app).tokens.create("shop", "admin", made_by="test")
    answer = shop.app.test_client().post(
        f"/api/v1/commands/{command}",
        json=fields,
        headers={"Authorization": f"Bearer {secret}", "traceparent": traceparent},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json["command_id"])  # type: ignore[index]


def trace_of(shop: Shop, command_id: str) -> TraceView:
    shop.kernel.wake_ups.flush()
    shop.kernel.traces.flush()
    found: TraceView = shop.ask(GetTrace(command_id=command_id))
    return found


def below(trace: TraceView, name: str) -> list[str]:
    """The names of the spans directly below the first one with this name."""
    steps = list(trace.steps)
    at = next(number for number, each in enumerate(steps) if each.name == name)
    found = []
    for each in steps[at + 1 :]:
        if each.depth <= steps[at].depth:
            break
        if each.depth == steps[at].depth + 1:
            found.append(each.name)
    return found


def test_a_trace_leads_from_the_request_to_every_read_model(shop: Shop) -> None:
    order_id = shop.place()
    command_id = sent(shop, "ApproveOrder", order_id=order_id)
    catch_up(shop.app)
    trace = trace_of(shop, command_id)
    assert trace.steps[0].name == "POST /api/v1/commands/<name>"
    assert trace.steps[0].attributes["http.response.status_code"] == 200
    assert below(trace, "POST /api/v1/commands/<name>") == ["ApproveOrder"]
    assert below(trace, "ApproveOrder") == [
        "decide",
        "commit",
        "wake up workers",
        "publish OrderApproved",
    ]
    assert {"process orders", "process order_timeline", "process fulfilment_process"} <= set(
        below(trace, "publish OrderApproved")
    )
    assert [each.name for each in trace.steps if each.current] == ["ApproveOrder"]
    assert trace.trace_id == trace_id_of(command_id)


def test_a_trace_tells_when_each_read_model_showed_the_change(shop: Shop) -> None:
    order_id = shop.place()
    catch_up(shop.app)
    command_id = sent(shop, "ApproveOrder", order_id=order_id)
    shop.kernel.runner.advance("orders")
    found = {each.subscription: each for each in trace_of(shop, command_id).reached}
    assert (found["orders"].visible_ms or 0) > (found["orders"].took_ms or 0) > 0
    assert found["order_timeline"].visible_ms is None
    assert "products" not in found
    assert trace_of(shop, command_id).visible_ms is None
    catch_up(shop.app)
    trace = trace_of(shop, command_id)
    of_projections = [each.visible_ms for each in trace.reached if each.is_projection]
    assert trace.visible_ms == max(of_projections)  # type: ignore[type-var]


def test_a_command_joins_the_trace_of_its_caller(shop: Shop) -> None:
    order_id = shop.place()
    command_id = sent(shop, "ApproveOrder", f"00-{TRACE}-{SPAN}-01", order_id=order_id)
    catch_up(shop.app)
    entry = shop.kernel.log.find(command_id)
    assert entry is not None
    assert (entry.correlation_id, entry.causation_id) == (TRACE, SPAN)
    events = shop.kernel.store.events_of(f"order-{order_id}")
    assert (events[-1].correlation_id, events[-1].causation_id) == (TRACE, SPAN)
    trace = trace_of(shop, command_id)
    assert trace.trace_id == TRACE
    assert "process orders" in [each.name for each in trace.steps]


def test_what_follows_from_a_command_is_in_its_trace_and_its_chain(shop: Shop) -> None:
    order_id = shop.place()
    catch_up(shop.app)
    command_id = sent(shop, "ApproveOrder", f"00-{TRACE}-{SPAN}-01", order_id=order_id)
    catch_up(shop.app)
    trace = trace_of(shop, command_id)
    assert "AdvanceFulfilment" in below(trace, "publish OrderApproved")
    links = {each.type: each for each in trace.chain}
    assert links["ApproveOrder"].caused_by is None
    assert links["AdvanceFulfilment"].caused_by == command_id
    chain: tuple[Link, ...] = shop.ask(GetCommand(command_id=command_id)).chain
    assert chain == trace.chain


def test_a_webhook_tells_its_receiver_the_trace(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver, "OrderApproved")
    order_id = shop.place()
    command_id = sent(shop, "ApproveOrder", f"00-{TRACE}-{SPAN}-01", order_id=order_id)
    shop.deliver()
    [message] = receiver.received
    caller = caller_of(message.headers["traceparent"])
    assert caller is not None
    assert caller.trace_id == TRACE
    trace = trace_of(shop, command_id)
    assert "POST webhook" in below(trace, "publish OrderApproved")
    [step] = [each for each in trace.steps if each.name == "POST webhook"]
    assert step.attributes["http.response.status_code"] == 204


def test_a_failing_webhook_has_its_error_in_the_trace(shop: Shop, receiver: Receiver) -> None:
    receiver.answer = lambda received: 503
    shop.add(receiver, "OrderApproved")
    order_id = shop.place()
    command_id = sent(shop, "ApproveOrder", order_id=order_id)
    shop.deliver()
    [step] = [each for each in trace_of(shop, command_id).steps if each.name == "POST webhook"]
    assert step.error == "The receiver answered 503 Service Unavailable."


def test_a_queued_command_is_traced_from_the_queue_on(shop: Shop) -> None:
    order_id = shop.place()
    context = Context(actor=ADA, channel="test")
    shop.kernel.commands.enqueue(ApproveOrder(order_id=order_id), context)
    shop.kernel.commands.run_queued(context.command_id)
    catch_up(shop.app)
    trace = trace_of(shop, context.command_id)
    assert below(trace, "queue ApproveOrder") == ["ApproveOrder"]
    assert "commit" in below(trace, "ApproveOrder")
    ran = next(each.started_ms for each in trace.steps if each.current)
    assert 0 < ran < (trace.visible_ms or 0)


def test_a_command_without_a_trace_still_has_its_facts(shop: Shop) -> None:
    order_id = shop.place()
    context = Context(actor=ADA, channel="test")
    shop.kernel.commands.execute(ApproveOrder(order_id=order_id), context)
    assert trace_of(shop, context.command_id).steps
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(delete(traces))
    trace = trace_of(shop, context.command_id)
    assert (trace.steps, trace.visible_ms) == ((), None)
    assert trace.took_ms
    assert {each.visible_ms for each in trace.reached} == {None}


def test_there_is_no_trace_of_a_command_that_was_never_sent(shop: Shop) -> None:
    answer = shop.kernel.queries.ask(GetTrace(command_id="none"), QueryContext(actor=ADA))
    assert answer.value is None
