"""Why actions are unavailable: what several share is said once."""

from __future__ import annotations

from cqrs_app.interfaces.web.unavailable import by_reason
from cqrs_app.kernel.commands.actions import Action


def refused(command: str, reason: str) -> Action:
    return Action(command=command, label=command, allowed=False, reason=reason)


def shown(*actions: Action) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (group.shared, [(each.command, reason) for each, reason in group.actions])
        for group in by_reason(actions)
    ]


def test_the_clause_that_reasons_begin_with_is_said_once() -> None:
    assert shown(
        refused("Approve", "Order 1 was shipped on 2 May; it can no longer be approved."),
        refused("Hold", "Order 1 was shipped on 2 May; it can no longer be held."),
    ) == [
        (
            "Order 1 was shipped on 2 May.",
            [("Approve", "It can no longer be approved."), ("Hold", "It can no longer be held.")],
        )
    ]


def test_a_reason_that_is_the_same_for_all_is_said_once() -> None:
    reason = "It is being captured; the gateway has not answered yet."
    assert shown(refused("Capture", reason), refused("Refund", reason)) == [
        (reason, [("Capture", ""), ("Refund", "")])
    ]
    assert shown(refused("Capture", "It is voided."), refused("Void", "It is voided.")) == [
        ("It is voided.", [("Capture", ""), ("Void", "")])
    ]


def test_a_reason_of_one_action_alone_stays_whole() -> None:
    whole = "Order 1 was shipped on 2 May; it can no longer be approved."
    assert shown(refused("Approve", whole), refused("Tag", "It has 20 tags.")) == [
        ("", [("Approve", whole)]),
        ("", [("Tag", "It has 20 tags.")]),
    ]
