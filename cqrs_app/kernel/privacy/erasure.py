"""A person is erased: the one event of the kernel's own, for the projections of every area."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class SubjectErased(Event):
    """From here on no personal value of `subject` can be read.

    Writing it destroys the keys of that subject, in the same transaction. A projection that holds
    such values puts ERASED in their place; values that are empty stay empty, so that a replay,
    which can read none of them any more, comes to the very same rows.
    """

    subject: str
