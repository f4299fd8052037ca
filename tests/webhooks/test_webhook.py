"""What may be done with a webhook, as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.kernel.commands.aggregate import decide
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks import events as was
from cqrs_app.platform.webhooks import webhooks_area
from cqrs_app.platform.webhooks.webhook import Webhook

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THE = "warehouse"
URL = "https://receiver.example/hook"
[METHODS] = webhooks_area(SENDABLE, ()).handles.values()

ADDED = was.WebhookAdded(webhook_id=THE, url=URL, event_types=("OrderPlaced",), description="")
PAUSED = was.WebhookPaused(webhook_id=THE, reason="They move house.")
ROTATED = was.WebhookSecretRotated(webhook_id=THE)
REMOVED = was.WebhookRemoved(webhook_id=THE)

ANY: tuple[Command, ...] = (
    do.ChangeWebhook(webhook_id=THE, url=URL),
    do.PauseWebhook(webhook_id=THE, reason="They move house."),
    do.ResumeWebhook(webhook_id=THE),
    do.ReplayWebhook(webhook_id=THE, after_position=3),
    do.TestWebhook(webhook_id=THE),
    do.RotateWebhookSecret(webhook_id=THE),
    do.RemoveWebhook(webhook_id=THE),
)


@dataclass(frozen=True)
class Given:
    events: Sequence[Event]

    def webhook(self) -> Webhook:
        made = Webhook()
        for event in self.events:
            made.evolve(event, NOON)
        return made

    def when(self, command: Command) -> tuple[Event, ...]:
        return decide(self.webhook(), METHODS[type(command)], command, NOON).events


def given(*events: Event) -> Given:
    return Given(events)


def test_it_is_added_once_and_its_name_stays_taken() -> None:
    add = do.AddWebhook(webhook_id=THE, url=URL, event_types=("OrderPlaced", "OrderPlaced"))
    assert given().when(add) == (ADDED,)
    with pytest.raises(Refused, match="is there already"):
        given(ADDED).when(add)
    with pytest.raises(Refused, match="was removed; its name stays taken"):
        given(ADDED, REMOVED).when(add)


@pytest.mark.parametrize("command", ANY, ids=lambda command: type(command).__name__)
def test_nothing_can_be_done_with_one_that_is_not_there(command: Command) -> None:
    with pytest.raises(Refused, match="does not exist"):
        given().when(command)
    with pytest.raises(Refused, match="was removed"):
        given(ADDED, REMOVED).when(command)


def test_it_is_paused_and_resumed_once() -> None:
    pause, resume = ANY[1], ANY[2]
    assert given(ADDED).when(pause) == (PAUSED,)
    assert given(ADDED, PAUSED).when(resume) == (was.WebhookResumed(webhook_id=THE),)
    with pytest.raises(Refused, match="paused already"):
        given(ADDED, PAUSED).when(pause)
    with pytest.raises(Refused, match="not paused"):
        given(ADDED).when(resume)


def test_it_can_be_tested_and_replayed_also_while_it_is_paused() -> None:
    for history in ((ADDED,), (ADDED, PAUSED)):
        assert len(given(*history).when(do.TestWebhook(webhook_id=THE))) == 1
        [event] = given(*history).when(do.ReplayWebhook(webhook_id=THE, after_position=3))
        assert event == was.WebhookReplayRequested(webhook_id=THE, after_position=3)


def test_the_old_secret_signs_beside_the_new_one_for_a_day() -> None:
    assert given(ADDED).webhook().signing(NOON) == (1,)
    rotated = given(ADDED, ROTATED).webhook()
    assert rotated.signing(NOON + timedelta(hours=23, minutes=59)) == (2, 1)
    assert rotated.signing(NOON + timedelta(hours=24)) == (2,)


def test_no_type_named_means_all() -> None:
    assert given(ADDED).webhook().wants("OrderPlaced")
    assert not given(ADDED).webhook().wants("OrderShipped")
    everything = was.WebhookChanged(webhook_id=THE, url=URL, event_types=(), description="")
    assert given(ADDED, everything).webhook().wants("OrderShipped")


@pytest.mark.parametrize("webhook_id", ["", "Warehouse", "-a", "a b", "a\n", "ä", "x" * 41, ".."])
def test_a_name_that_cannot_stand_in_an_address_is_refused(webhook_id: str) -> None:
    with pytest.raises(Invalid):
        do.TestWebhook(webhook_id=webhook_id)


def test_an_address_that_cannot_be_used_is_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid) as refused:
        do.AddWebhook(webhook_id=THE, url="https://me:secret@receiver.example/")
    assert refused.value.problems["url"].startswith("Leave name and password out")
