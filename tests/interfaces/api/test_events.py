"""The event feed: what cannot be followed is an error, never an empty page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import events
from tests.interfaces.api.conftest import Program, order


@pytest.mark.parametrize("types", ["", ",", " , "])
def test_types_without_a_name_do_not_mean_all(admin: Program, types: str) -> None:
    answer = admin.get("/events", types=types)
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_event_type")
    assert answer.json["detail"] == "No event type is named. Leave types out for all events."


@pytest.mark.parametrize("types", ["OrderPlacedd", "OrderPlaced,Nothing", "orderplaced"])
def test_a_type_that_does_not_exist_is_an_error(admin: Program, types: str) -> None:
    admin.do("PlaceOrder", **order())
    answer = admin.get("/events", types=types)
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_event_type")
    assert answer.mimetype == "application/problem+json"
    unknown = types.removeprefix("OrderPlaced,")
    assert answer.json["detail"].startswith(f"There is no event type {unknown}.")


def test_types_are_repeated_or_separated_by_commas(admin: Program, kernel: Kernel) -> None:
    """Clients that are made from the description repeat the parameter."""
    admin.do("PlaceOrder", **order())
    admin.do("HoldOrder", order_id="A1", reason="other")
    admin.do("AddOrderNote", order_id="A1", note="x")
    kernel.store.place()
    for types in ("OrderPlaced,OrderHeld", ["OrderPlaced", "OrderHeld"]):
        found = admin.get("/events", types=types).json["events"]
        assert [each["type"] for each in found] == ["OrderPlaced", "OrderHeld"]


def test_a_position_beyond_the_log_is_an_error(admin: Program, kernel: Kernel) -> None:
    admin.do("PlaceOrder", **order())
    kernel.store.place()
    assert admin.get("/events", after=1).json["next"] == 1
    for types in ({}, {"types": "OrderPlaced"}):
        answer = admin.get("/events", after=2, **types)
        assert (answer.status_code, answer.json["code"]) == (400, "beyond_head")
        assert "the log ends at 1" in answer.json["detail"]


def test_a_position_that_was_given_out_is_never_refused(admin: Program, kernel: Kernel) -> None:
    """An answer from the write store counts events that have no position yet on PostgreSQL."""
    admin.do("PlaceOrder", **order())
    kernel.wake_ups.close()
    if kernel.engines.write.dialect.name == "postgresql":
        with kernel.engines.write.begin() as connection:
            connection.execute(update(events).values(position=None))
    given = admin.get("/queries/LogHead").json["position"]
    assert given == 1
    early = admin.get("/events", after=given)
    assert (early.status_code, early.json["events"]) == (200, [])
    assert (early.json["next"], early.json["head"]) == (1, 1)
    admin.do("ApproveOrder", order_id="A1")
    kernel.store.place()
    [event] = admin.get("/events", after=given).json["events"]
    assert event["type"] == "OrderApproved"


def test_permission_is_judged_before_what_is_asked_for(
    program_of: Callable[[str], Program], console: object
) -> None:
    for asked in ({"types": "Nothing"}, {"after": "x"}, {"after": "99"}):
        assert program_of("viewer").get("/events", **asked).status_code == 403


def test_there_is_one_feed(admin: Program) -> None:
    answer = admin.get("/queries/FollowEvents")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown")


@pytest.mark.parametrize("name", ["FulfilmentMoved", "FulfilmentStepSkipped", "SubjectErased"])
def test_fulfilment_can_be_followed_and_sent(admin: Program, name: str) -> None:
    assert admin.get("/events", types=name).status_code == 200
    assert name in {event.__name__ for event in SENDABLE}
    webhook = {
        "webhook_id": "partner",
        "url": "https://receiver.example.com/",
        "event_types": [name],
    }
    assert admin.do("AddWebhook", **webhook).status_code == 200


def test_a_webhook_names_only_what_is_sent(admin: Program) -> None:
    webhook = {"webhook_id": "partner", "url": "https://receiver.example.com/"}
    for name in ("Nothing", "ProjectionPaused"):
        answer = admin.do("AddWebhook", **webhook, event_types=[name])
        assert (answer.status_code, answer.json["code"]) == (422, "unknown_event_type")
    assert admin.get("/queries/GetWebhook", webhook_id="partner").status_code == 404


@pytest.mark.parametrize(
    "url", ["ftp://receiver.example/", "https://", "https://receiver.example:0/", "https://127.1/"]
)
def test_a_webhook_address_that_can_never_work_is_refused(admin: Program, url: str) -> None:
    answer = admin.do("AddWebhook", webhook_id="partner", url=url)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert [each["field"] for each in answer.json["errors"]] == ["url"]
