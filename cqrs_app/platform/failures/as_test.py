"""A failure as a test, ready to paste: given the events before, when it happens again, then nothing
is raised. Personal values read as those of an erased person."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from cqrs_app.kernel.commands.handling import handlers_of
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.events.recorded import Recorded, UnknownEvent, UnreadableEvent
from cqrs_app.kernel.messages.messages import Command, Query, parse, query
from cqrs_app.kernel.privacy.personal import ERASED, personal_fields, written
from cqrs_app.kernel.projections.projection import snake
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.failures.commands import VIEW, FailureId
from cqrs_app.platform.failures.source import Source

NO_TEST = "no_test"
TESTING = "cqrs_app.kernel.testing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The last occurrence of a failure: a command or an event of `type`. `subject` is its stream;
    `version` is that of an event, `fields` are those of a command, masked."""

    kind: str
    place: str
    title: str
    subject: str
    type: str
    version: int
    fields: Any
    seen_at: datetime


SampleOf = Callable[[str], Sample | None]


@query(label="Failure as a test", permission=VIEW)
class FailureAsTest(Query):
    """The last occurrence of a failure as a test in Python: parked events and commands."""

    failure_id: FailureId


def failure_as_test(sample_of: SampleOf) -> Any:
    """Answers with the text of the test, or None if there is no such failure."""

    def answer(question: FailureAsTest, past: Past) -> str | None:
        sample = sample_of(question.failure_id)
        if sample is None:
            return None
        try:
            if sample.kind == "event":
                return _of_event(sample, past)
            if sample.kind == "command":
                return _of_command(sample, _command(sample, past), past)
        except (UnreadableEvent, UnknownEvent) as error:
            raise Refused(NO_TEST, f"{error} So no test can be made of it.") from error
        except Invalid as error:
            raise Refused(NO_TEST, "A value that is kept out would be needed.") from error
        raise Refused(NO_TEST, "Only parked events and actions can be made into a test.")

    return answer


def _command(sample: Sample, past: Past) -> Command:
    aggregate = past.aggregate_of(sample.subject)
    known = {cls.__name__: cls for cls in handlers_of(aggregate)} if aggregate else {}
    if sample.type not in known:
        raise Refused(NO_TEST, f"This release has no action {sample.type}.")
    return parse(known[sample.type], sample.fields)


def _of_event(sample: Sample, past: Past) -> str:
    source = Source()
    [failed] = past.events(sample.subject, sample.version - 1, sample.version)
    given = [each for each in _related(failed, past) if _is_before(each, failed)]
    source.need(TESTING, "History")
    source.need("cqrs_app.installed_areas", "build_registry")
    lines = [
        f"history = History(build_registry(), {source.of(failed.occurred_at)})",
        "# Given",
        *(_recorded(each, source) for each in given),
        "# When",
        _recorded(failed, source),
        f"# Then {sample.place} processes all of them.",
        *(_folded(sample, source) if past.folds(sample.place) else _taken(sample, source)),
    ]
    return _test(f"{snake(sample.type)}_is_processed_by_{sample.place}", sample, lines, source)


def _of_command(sample: Sample, command: Command, past: Past) -> str:
    source = Source()
    before = past.events(sample.subject, 0, past.version(sample.subject))
    given = [each for each in before if each.recorded_at <= sample.seen_at]
    source.need(TESTING, "Given")
    source.need("cqrs_app.installed_areas", "build_registry")
    events = ", ".join(source.of(_masked(each)) for each in given)
    lines = [
        "# Given",
        f"before = ({events}{',' if given else ''})",
        f"given = Given(build_registry(), {source.of(sample.seen_at)}, before)",
        "# When",
        f"outcome = given.when({source.of(command)})",
        "# Then it is accepted or refused, and raises nothing.",
        "assert outcome.accepted or outcome.refusal",
    ]
    return _test(f"{snake(sample.type)}_is_decided", sample, lines, source)


def _folded(sample: Sample, source: Source) -> Iterator[str]:
    source.need(TESTING, "fold")
    yield f'fold([history.registry.projections["{sample.place}"]], history.recorded)'


def _taken(sample: Sample, source: Source) -> Iterator[str]:
    source.need("sqlalchemy", "create_engine")
    source.need("cqrs_app.kernel", "write_tables")
    yield f'subscription = history.registry.subscriptions["{sample.place}"]'
    yield 'engine = create_engine("sqlite://")'
    yield "write_tables.create_all(engine)"
    yield "wanted = [each for each in history.recorded if subscription.wants(each.stored.type)]"
    yield "with engine.begin() as connection:"
    yield "    subscription.take(wanted, connection)"
    yield "engine.dispose()"


def _recorded(recorded: Recorded, source: Source) -> str:
    event, at = source.of(_masked(recorded)), source.of(recorded.occurred_at)
    return f'history.record("{recorded.stream}", [{event}], {at})'


def _related(failed: Recorded, past: Past) -> Iterable[Recorded]:
    """The events of its stream, and of the streams that it names, in the order of the log."""
    streams = {failed.stream, *past.named_by(failed.event)}
    found = (each for name in sorted(streams) for each in past.events(name, 0, past.version(name)))
    return sorted(found, key=lambda each: each.stored.position or 0)


def _is_before(each: Recorded, failed: Recorded) -> bool:
    return (each.stored.position or 0) < (failed.stored.position or 0)


def _masked(recorded: Recorded) -> Any:
    event = recorded.event
    if not personal_fields(type(event)):
        return event
    return msgspec.json.decode(written(event, lambda text: ERASED), type=type(event))


def _test(name: str, sample: Sample, lines: Iterable[str], source: Source) -> str:
    title = sample.title.replace("\\", "").replace('"', "'")
    body = textwrap.indent("\n".join([f'"""{title}"""', *lines]), "    ")
    return f"{source.imports}\n\n\ndef test_{name}() -> None:\n{body}\n"
