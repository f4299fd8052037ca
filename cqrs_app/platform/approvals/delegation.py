"""Whom somebody lets sign for them, for example on holiday, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.approvals import rules
from cqrs_app.platform.approvals.commands import DelegateSignatures, EndDelegation
from cqrs_app.platform.approvals.events import DelegationEnded, SignaturesDelegated
from cqrs_app.platform.approvals.request import UNCHANGED, Now


@dataclass
class Delegation(Aggregate):
    """One operator's. `delegate` is empty if nobody signs for them."""

    category: ClassVar[str] = "approval_delegation"
    identity: ClassVar[str] = "operator"

    delegate: str = ""
    until: datetime | None = None

    @handles(
        DelegateSignatures,
        refusals=[rules.NOT_YOUR_SIGNATURE, rules.UNKNOWN_DELEGATE, rules.ENDS_BEFORE],
    )
    def begin(self, command: DelegateSignatures, now: Now) -> Iterator[Event]:
        self._require_own(command.operator, now)
        if command.until <= now.at:
            raise rules.ENDS_BEFORE(f"The end has passed. {UNCHANGED} Choose a later time.")
        yield SignaturesDelegated(
            operator=command.operator, delegate=command.delegate, until=command.until
        )

    @handles(EndDelegation, refusals=[rules.NOT_YOUR_SIGNATURE, rules.NOT_DELEGATED])
    def end(self, command: EndDelegation, now: Now) -> Iterator[Event]:
        self._require_own(command.operator, now)
        if not self.delegate:
            raise rules.NOT_DELEGATED(f"Nobody signs for {command.operator}. {UNCHANGED}")
        yield DelegationEnded(operator=command.operator)

    def signs_for(self, delegate: str, at: datetime) -> bool:
        """Whether this person may sign then."""
        return self.delegate == delegate and self.until is not None and at < self.until

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case SignaturesDelegated():
                self.delegate, self.until = event.delegate, event.until
            case DelegationEnded():
                self.delegate, self.until = "", None

    def _require_own(self, operator: str, now: Now) -> None:
        if now.signer.name != operator:
            raise rules.NOT_YOUR_SIGNATURE(
                f"Only {operator} can decide who signs for them. {UNCHANGED}"
            )
