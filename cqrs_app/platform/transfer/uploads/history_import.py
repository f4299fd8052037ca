"""The rule for imports: each uploaded file is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.events import ImportStarted

NO_SUCH_UPLOAD = Refusal("no_such_upload", "No file was received under this id.")
ALREADY_STARTED = Refusal("already_started", "It was started already.")
BEING_RECEIVED = Refusal("being_received", "The same file is being received at this moment.")
TOO_LARGE = Refusal("too_large", "The file is larger than the console takes.")


@dataclass
class HistoryImport(Aggregate):
    """One per uploaded file."""

    category: ClassVar[str] = "import"
    identity: ClassVar[str] = "import_id"

    started: bool = False

    @handles(StartImport, refusals=[NO_SUCH_UPLOAD, ALREADY_STARTED, BEING_RECEIVED, TOO_LARGE])
    def start(self, command: StartImport) -> Iterator[Event]:
        if self.started:
            raise ALREADY_STARTED.because(f"{command.file_name} was started before.")
        yield ImportStarted(
            import_id=command.import_id,
            profile=command.profile,
            file_name=command.file_name,
            sha256=command.sha256,
            mapping=command.mapping,
            rehearsal=command.rehearsal,
        )

    def evolve(self, event: Event, at: datetime) -> None:
        self.started = True


def only_what_was_uploaded(is_there: Callable[[StartImport], bool]) -> Middleware:
    """Refuse to start a file that was not received. The aggregate cannot know: the file is not in
    the events."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        if isinstance(call.command, StartImport) and not is_there(call.command):
            raise NO_SUCH_UPLOAD(
                "No such file was received, so nothing was started. Send it on the Imports page."
            )
        return proceed(call)

    return check
