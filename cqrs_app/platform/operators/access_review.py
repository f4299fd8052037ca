"""Access reviews: who checked when who may do what. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, ClassVar

from msgspec import Meta

from cqrs_app.kernel.commands.aggregate import Aggregate, Decision
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.messages.messages import Event, Query, query
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.operators.commands import MANAGE, RecordAccessReview
from cqrs_app.platform.operators.events import AccessReviewed
from cqrs_app.platform.operators.rules import CHANGED_ACCESS


@dataclass
class AccessReviews(Aggregate):
    """All reviews, in one stream. It needs no state."""

    category: ClassVar[str] = "access_reviews"
    identity: ClassVar[str] = "digest"

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return REVIEWS

    @handles(RecordAccessReview, refusals=[CHANGED_ACCESS])
    def record(self, command: RecordAccessReview, operators: int = 0) -> Decision:
        yield AccessReviewed(digest=command.digest, operators=operators, note=command.note)

    def evolve(self, event: Event, at: datetime) -> None:
        """Nothing to remember."""


REVIEWS = f"{AccessReviews.category}-all"
"""The name of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReview:
    """A review that was recorded: by whom, when, of what."""

    reviewer: str
    at: datetime
    digest: str
    operators: int
    note: str


@query(label="Access reviews", permission=MANAGE)
class ListAccessReviews(Query):
    """The access reviews that were recorded, the newest first."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50


def list_access_reviews(question: ListAccessReviews, past: Past) -> tuple[AccessReview, ...]:
    reviews = (
        AccessReview(
            reviewer=recorded.stored.operator,
            at=recorded.occurred_at,
            digest=recorded.event.digest,
            operators=recorded.event.operators,
            note=recorded.event.note,
        )
        for recorded in reversed(past.recorded(REVIEWS))
        if isinstance(recorded.event, AccessReviewed)
    )
    return tuple(islice(reviews, question.limit))
