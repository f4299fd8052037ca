"""What may be done with a webhook, as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.testing import Scenarios
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks import events as was
from cqrs_app.platform.webhooks import webhooks_area
from cqrs_app.platform.webhooks.webhook import Webhook

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THE = "warehouse"
URL = "https://receiver.example/hook"
given = Scenarios(webhooks_area(SENDABLE, ()), at=NOON).given

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


def test_it_is_added_once_and_its_name_stays_taken() -> None:
    add = do.AddWebhook(webhook_id=THE, url=URL, event_types=("OrderPlaced", "OrderPlaced"))
    given().when(add).then(ADDED)
    assert "is there already" in given(ADDED).when(add).refused("webhook_exists").sentence
    assert (
        "was removed; its name stays taken"
        in given(ADDED, REMOVED).when(add).refused("webhook_exists").sentence
    )


@pytest.mark.parametrize("command", ANY, ids=lambda command: type(command).__name__)
def test_nothing_can_be_done_with_one_that_is_not_there(command: Command) -> None:
    assert "does not exist" in given().when(command).refused("no_such_webhook").sentence
    assert "was removed" in given(ADDED, REMOVED).when(command).refused("no_such_webhook").sentence


def test_it_is_paused_and_resumed_once() -> None:
    pause, resume = ANY[1], ANY[2]
    given(ADDED).when(pause).then(PAUSED)
    given(ADDED, PAUSED).when(resume).then(was.WebhookResumed(webhook_id=THE))
    assert "already paused" in given(ADDED, PAUSED).when(pause).refused("already_paused").sentence
    assert "not paused" in given(ADDED).when(resume).refused("not_paused").sentence


def test_it_can_be_tested_and_replayed_also_while_it_is_paused() -> None:
    for history in ((ADDED,), (ADDED, PAUSED)):
        assert len(given(*history).when(do.TestWebhook(webhook_id=THE)).names) == 1
        replay = do.ReplayWebhook(webhook_id=THE, after_position=3)
        asked = was.WebhookReplayRequested(webhook_id=THE, after_position=3)
        given(*history).when(replay).then(asked)


def test_the_old_secret_signs_beside_the_new_one_for_a_day() -> None:
    assert given(ADDED).state(Webhook).signing(NOON) == (1,)
    rotated = given(ADDED, ROTATED).state(Webhook)
    assert rotated.signing(NOON + timedelta(hours=23, minutes=59)) == (2, 1)
    assert rotated.signing(NOON + timedelta(hours=24)) == (2,)


def test_no_type_named_means_all() -> None:
    assert given(ADDED).state(Webhook).wants("OrderPlaced")
    assert not given(ADDED).state(Webhook).wants("OrderShipped")
    everything = was.WebhookChanged(webhook_id=THE, url=URL, event_types=(), description="")
    assert given(ADDED, everything).state(Webhook).wants("OrderShipped")


@pytest.mark.parametrize("webhook_id", ["", "Warehouse", "-a", "a b", "a\nb", "ä", "x" * 41, ".."])
def test_a_name_that_cannot_stand_in_an_address_is_refused(webhook_id: str) -> None:
    with pytest.raises(Invalid):
        do.TestWebhook(webhook_id=webhook_id)


def test_an_address_that_cannot_be_used_is_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid) as refused:
        do.AddWebhook(webhook_id=THE, url="https://me:secret@receiver.example/")
    assert refused.value.problems["url"].startswith("Leave name and password out")
