"""Webhooks: the list, and one with how far it is, its last attempts and its secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.interfaces.web.areas.area import Place, Sign, WebArea
from cqrs_app.interfaces.web.ask import ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms_derived import Usable
from cqrs_app.interfaces.web.forms_fields import CheckboxesField
from cqrs_app.interfaces.web.pending_badges import is_queued
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel import SubjectErased
from cqrs_app.kernel.messages.description import field_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.platform.webhooks import names
from cqrs_app.platform.webhooks.commands import MANAGE, AddWebhook, ChangeWebhook
from cqrs_app.platform.webhooks.queries import (
    VIEW,
    Delivery,
    GetDeliveries,
    GetWebhook,
    GetWebhookSecret,
    ListDeliveries,
    ListWebhooks,
    WebhookView,
)

TONES = {"delivering": "good", "new": "idle", "paused": "warn", "failing": "bad", "removed": "idle"}


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook and its progress; `condition` is one of TONES."""

    webhook: WebhookView
    delivery: Delivery | None

    @property
    def condition(self) -> str:
        if self.webhook.removed or self.webhook.paused:
            return "removed" if self.webhook.removed else "paused"
        if self.delivery is None:
            return "new"
        return "failing" if self.delivery.cursor.failing_since else "delivering"

    @property
    def tone(self) -> str:
        return TONES[self.condition]


@bp.get("/webhooks")
def webhooks() -> ResponseReturnValue:
    """All webhooks."""
    return render_template("webhooks/webhooks.html", types=names(SENDABLE), **listed())


# A webhook's name cannot begin with a hyphen, so this is never the page of one.
@bp.get("/webhooks/-/now")
@background
def webhooks_now() -> ResponseReturnValue:
    """The list again, for the page that shows it."""
    return fragment(render_template("webhooks/_list.html", **listed()))


@bp.get("/webhooks/<webhook_id>")
def webhook(webhook_id: str) -> ResponseReturnValue:
    """One webhook."""
    shown = _shown(webhook_id)
    secret = None
    if may(MANAGE):
        secret = ask(GetWebhookSecret(webhook_id=webhook_id)).value
    return render_template("webhooks/webhook.html", **shown, secret=secret)


@bp.get("/webhooks/<webhook_id>/now")
@background
def webhook_now(webhook_id: str) -> ResponseReturnValue:
    """What follows its events, for the page that shows it; never the secret."""
    return fragment(render_template("webhooks/_webhook.html", **_shown(webhook_id)))


def listed() -> dict[str, Any]:
    """What the list of webhooks shows."""
    answer = ask(ListWebhooks())
    return {"rows": webhook_rows(answer.value), "freshness": answer.freshness, **_may_manage()}


def webhook_rows(found: tuple[WebhookView, ...]) -> list[WebhookRow]:
    """These webhooks with the progress of each."""
    deliveries = {each.cursor.webhook_id: each for each in ask(ListDeliveries()).value}
    return [WebhookRow(each, deliveries.get(each.webhook_id)) for each in found]


def _shown(webhook_id: str) -> dict[str, Any]:
    missing = f"There is no webhook {webhook_id}."
    answer = ask(query_or_404(GetWebhook, missing, webhook_id=webhook_id))
    if answer.value is None and not is_queued(f"webhook-{webhook_id}"):
        abort(404, missing)
    found = ask(GetDeliveries(webhook_id=webhook_id))
    freshness: Freshness = answer.freshness
    return {
        "webhook_id": webhook_id,
        "webhook_row": WebhookRow(answer.value, found.value.delivery) if answer.value else None,
        "attempts": found.value.attempts,
        "freshness": freshness,
        "attempts_freshness": found.freshness,
        **_may_manage(),
    }


def _may_manage() -> dict[str, bool]:
    return {"may_manage": may_act(MANAGE)}


def _signs() -> list[Sign]:
    if not may(VIEW):
        return []
    conditions = [each.condition for each in webhook_rows(ask(ListWebhooks()).value)]
    if not conditions:
        return []
    for condition, tone in (("failing", "bad"), ("paused", "warn")):
        if count := conditions.count(condition):
            return [Sign("Webhooks", f"{count} {condition}", tone, url_for("web.webhooks"))]
    return [Sign("Webhooks", "delivering", "good", url_for("web.webhooks"))]


def _present_values(given: Mapping[str, str]) -> dict[str, Any]:
    if "webhook_id" not in given:
        return {}
    webhook = ask(GetWebhook(webhook_id=given["webhook_id"])).value
    names = ("url", "event_types", "description")
    return {name: getattr(webhook, name) for name in names} if webhook else {}


_AREA_OF = {event.__name__: event.__module__.split(".")[-2].capitalize() for event in SENDABLE} | {
    SubjectErased.__name__: "Customers"
}
"""Of each event type that can be sent."""


def _event_types(cls: type[Command]) -> Any:
    """Checkboxes instead of lines of text."""
    return CheckboxesField(
        label=field_of(cls, "event_types").title,
        choices=[(event.__name__, event_words(event.__name__)) for event in SENDABLE],
        group_of=_AREA_OF.__getitem__,
        description="None: all of them, also types that come later.",
        validators=[Usable(cls, "event_types", needed=False)],
    )


WEBHOOKS = WebArea(
    places={"webhook": Place("webhooks", "web.webhooks", "web.webhook")},
    suggestions={ChangeWebhook: _present_values},
    form_fields={
        (AddWebhook, "event_types"): _event_types,
        (ChangeWebhook, "event_types"): _event_types,
    },
    home_signs=_signs,
)
