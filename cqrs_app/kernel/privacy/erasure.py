"""The kernel's own event: a person was erased. The projections of every area may handle it."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class SubjectErased(Event):
    """From here on no personal value of `subject` can be read.

    Writing it destroys the keys of that subject, in the same transaction. A projection that holds
    such values replaces them with ERASED and keeps empty values empty. A replay, which can no
    longer read any of them, then produces the same rows.
    """

    subject: str
