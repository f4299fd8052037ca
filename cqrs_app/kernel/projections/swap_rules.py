"""When the second generation of a projection may be exchanged with the live one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.projections.generation_rows import GenerationRow
from cqrs_app.kernel.subscriptions.cursors import BUILDING, Cursor
from cqrs_app.kernel.subscriptions.subscription import GenerationOperation

PROOF_EVENTS = 10_000
PROOF_AGE = timedelta(hours=1)
"""How far the live rows may have moved since the comparison. If they have not moved, it still
holds, however old it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two generations of a projection. `version` is the one that this release makes."""

    name: str
    version: int
    live: Cursor
    second: Cursor | None
    row: GenerationRow | None

    def objection_to(
        self, operation: GenerationOperation, accepted: int, now: datetime
    ) -> str | None:
        """Why this cannot be done now, as a sentence; None if it can. `accepted` is for a swap."""
        match operation:
            case "begin":
                there = f"{self.name} has rows beside the live ones already. Drop them first."
                return there if self.row else None
            case "compare":
                return self._missing() or self._role("next")
            case "swap":
                return self._exchange() or self._role("next") or self._proof(accepted, now)
            case "back":
                return self._exchange() or self._role("previous")
            case "drop":
                return self._missing()

    def _missing(self) -> str | None:
        return None if self.row else f"{self.name} has no rows beside the live ones."

    def _exchange(self) -> str | None:
        second = self.second
        if self.row is None or second is None:
            return self._missing()
        if second.state == BUILDING:
            return f"The new rows of {self.name} are not complete yet."
        if second.version != self.version:
            return (
                f"The rows beside the live ones of {self.name} have shape {second.version}, this "
                f"release makes shape {self.version}. Use the release that made them."
            )
        if second.state != "running":
            return f"The rows beside the live ones of {self.name} are not updated: {second.error}"
        if self.live.state == "paused":
            return f"{self.name} is paused. Resume it first."
        return None

    def _role(self, wanted: str) -> str | None:
        if self.row is None or self.row.role == wanted:
            return None
        if wanted == "next":
            return f"The new rows of {self.name} are the live ones already."
        return f"{self.name} was not swapped: there is nothing to switch back to."

    def _proof(self, accepted: int, now: datetime) -> str | None:
        row = self.row
        if row is None or row.compared_at is None or row.differences is None:
            return f"The new rows of {self.name} were not compared with the live ones yet."
        moved = self.live.position - (row.compared_position or 0)
        if moved > PROOF_EVENTS or (moved and now - row.compared_at > PROOF_AGE):
            return (
                f"The comparison of {self.name} is too old: the live rows have moved by "
                f"{counted(moved, 'event')} since. Compare again."
            )
        if row.differences > accepted:
            return (
                f"{counted(row.differences, 'row')} of {self.name} "
                f"{'differs' if row.differences == 1 else 'differ'} from the live ones; "
                f"{accepted or 'none'} would be accepted."
            )
        return None
