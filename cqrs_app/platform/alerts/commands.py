"""What is done with alerts: by people, and by the task that watches. Each is logged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import LINES, ONE_LINE
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.platform.alerts.rules import RULES, Severity

VIEW = Permission("alerts.view", Role.SUPERVISOR)
MANAGE = Permission("alerts.manage", Role.SUPERVISOR)
CONFIGURE = Permission("alerts.configure", Role.ADMIN)
RAISE = Permission("alerts.raise", None)
"""Only of the task that watches."""

TEST = "test"
"""The alert that SendTestAlert is about."""
TEST_MESSAGE = "A test of the notices. Nothing is wrong."
LONGEST_TEXT = 500

AlertId = Annotated[
    str,
    Meta(
        title="Alert",
        description="The rule, and what it is about.",
        examples=["parked.orders"],
        pattern=r"^[a-z0-9][A-Za-z0-9._:\-]*(?!\n)$",
        min_length=1,
        max_length=160,
    ),
]
RuleName = Annotated[
    str,
    Meta(
        title="Rule",
        examples=["parked"],
        pattern=r"^[a-z_]+(?!\n)$",
        min_length=1,
        max_length=60,
    ),
]
Owner = Annotated[
    str,
    Meta(
        title="Owner",
        description="Who looks after it. Named in each notice.",
        examples=["Platform team"],
        pattern=ONE_LINE,
        max_length=100,
    ),
]
Text = Annotated[str, Meta(pattern=LINES, max_length=LONGEST_TEXT)]
Note = Annotated[
    str,
    Meta(
        title="Note",
        description="Kept in the history of the alert.",
        pattern=LINES,
        max_length=500,
        extra={"widget": "textarea"},
    ),
]
Reason = Annotated[
    str,
    Meta(
        title="Reason",
        description="Kept in the history of the alert.",
        examples=["The supplier fixes its receiver tonight."],
        pattern=LINES,
        min_length=1,
        max_length=500,
        extra={"widget": "textarea"},
    ),
]
Threshold = Annotated[int, Meta(ge=0, le=1_000_000_000)]


@command(label="Raise alert", permission=RAISE)
class RaiseAlert(Command):
    """Sent by the console once a problem has lasted longer than its rule allows."""

    alert_id: AlertId
    rule: RuleName
    subject: Annotated[str, Meta(title="Subject", pattern=ONE_LINE, max_length=100)] = ""
    severity: Severity
    owner: Owner = ""
    title: Text
    cost: Text = ""
    remedy: Text = ""
    value: int = 0
    since: Annotated[datetime, Meta(title="Since", tz=True)]


@command(label="Acknowledge alert", permission=MANAGE)
class AcknowledgeAlert(Command):
    """Say that you are looking into it."""

    alert_id: AlertId
    note: Note = ""


@command(label="Resolve alert", permission=MANAGE)
class ResolveAlert(Command):
    """Close the alert. It is raised again if the problem goes on. The console resolves it by itself
    once the problem is gone."""

    alert_id: AlertId
    note: Note = ""


@command(label="Silence alert", permission=MANAGE)
class SilenceAlert(Command):
    """Send no notices of this alert until then. It is still raised and shown here."""

    alert_id: AlertId
    until: Annotated[datetime, Meta(title="Until", tz=True)]
    reason: Reason


@command(label="End silence", permission=MANAGE)
class EndSilence(Command):
    """Send notices of this alert again."""

    alert_id: AlertId


@command(label="Silence alert rule", permission=MANAGE)
class SilenceAlertRule(Command):
    """Send no notices of any alert of this rule until then. They are still raised and shown."""

    rule: RuleName
    until: Annotated[datetime, Meta(title="Until", tz=True)]
    reason: Reason


@command(label="End silence of rule", permission=MANAGE)
class EndAlertRuleSilence(Command):
    """Send notices of alerts of this rule again, unless the alert itself is silenced."""

    rule: RuleName


@command(label="Send test alert", permission=CONFIGURE)
class SendTestAlert(Command):
    """Send a test notice to every channel, and to webhooks that receive alerts."""

    alert_id: Annotated[
        str,
        Meta(title="Alert", pattern=r"^test(?!\n)$", max_length=4, extra={"widget": "hidden"}),
    ] = TEST
    message: Annotated[
        str,
        Meta(
            title="Message",
            description="What the notice says.",
            examples=[TEST_MESSAGE],
            pattern=LINES,
            min_length=1,
            max_length=LONGEST_TEXT,
        ),
    ]


@command(label="Change alert rule", permission=CONFIGURE)
class ChangeAlertRule(Command):
    """Change when this alert is raised and how urgent it is."""

    rule: RuleName
    enabled: Annotated[bool, Meta(title="Enabled")] = True
    raise_at: Annotated[Threshold, Meta(title="Raise at", description="In the unit of the rule.")]
    clear_at: Annotated[
        Threshold,
        Meta(title="Clear at", description="The alert ends once the value is better than this."),
    ]
    pending_seconds: Annotated[
        int,
        Meta(title="Pending", description="Seconds that the problem must last.", ge=0, le=604_800),
    ]
    severity: Annotated[Severity, Meta(title="Severity")]
    owner: Owner = ""

    def check(self) -> Iterator[tuple[str, str]]:
        rule = RULES.get(self.rule)
        if rule is None:
            return
        if rule.falls and self.clear_at < self.raise_at:
            yield "clear_at", f"Must be at least {self.raise_at}."
        elif not rule.falls and self.clear_at > self.raise_at:
            yield "clear_at", f"Must be at most {self.raise_at}."
