"""The cases of `bin/bench` with their targets, in the order of the table.

Each module here prepares one comparison: its `sides` yields what is measured, by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.case import Case, Line, on_each_database
from bench.cases import (
    batch,
    beside,
    big_store,
    catch_up,
    command,
    command_batch,
    flask_admin,
    http_command,
    import_month,
    import_pages,
    jobs,
    long_stream,
    memory_at_rest,
    order_list,
    page_weight,
    peer_libraries,
    poll,
    query_cache,
    rebuild,
    reconciliation,
    several_clients,
    statistics,
    system_page,
    verb_start,
    view_counts,
    visibility,
    vitals,
    web_memory,
)
from bench.peers import environments
from bench.seeds.big_store import STEPS


def _against_raw(database: str, least: float) -> Case:
    name = f"command on {database}, 1 client"
    line = Line(name=name, of="product", to="raw.load", least=least)
    return Case(partial(command.sides, database), (line,))


def _catch_up(database: str, least: float) -> Case:
    line = Line(
        name=f"projection catch-up on {database}",
        of="product",
        to="raw batches",
        least=least,
        unit="events per second",
    )
    return Case(partial(catch_up.sides, database), (line,))


def _peer(name: str, client: peer_libraries.Client, least: float) -> Case:
    line = Line(name=f"command against {name}", of="product", to=name, least=least)
    return Case(partial(peer_libraries.sides, name, client), (line,))


def _big_store(step: str) -> Line:
    return Line(
        name=f"{step}, big event store on {{database}}",
        of=f"{step}, big",
        to=f"{step}, small",
        most=1.2,
        unit=big_store.SIZES,
    )


def _many_orders(page: str, most: float | None) -> Line:
    return Line(
        name=f"order list, {page}, many against {order_list.FEW:,}",
        of=f"{page}, many",
        to=f"{page}, few",
        most=most,
        unit="ms",
    )


def _flask_admin(page: str, least: float) -> Line:
    return Line(
        name=f"order list, {page}, Flask-Admin against ours",
        of=f"Flask-Admin {page}",
        to=page,
        least=least,
        unit="ms",
    )


def _at_rest(processes: str, most: float | None = None) -> Line:
    return Line(name=f"memory at rest, {processes}", of=processes, most=most, unit="MB")


def _vitals(metric: str, most: float, unit: str) -> Iterator[Line]:
    for shop in vitals.SHOPS:
        for visit in vitals.VISITS:
            name = f"{visit}, {metric}, {shop}"
            yield Line(name=f"vitals: {name}", of=name, most=most, unit=unit)


def _job(job: str) -> Iterator[Line]:
    for effort in jobs.EFFORTS:
        name, most = f"{job}, {effort}", jobs.MOST.get((job, effort))
        yield Line(name=f"job: {name}", of=name, most=most, unit=effort)


def _verb(verb: str) -> Line:
    name = f"start of flask {verb}"
    return Line(name=name, of=verb, to="import flask", most=3.8, unit="ms")


CASES: tuple[Case, ...] = (
    _against_raw("postgresql", least=0.75),
    _against_raw("sqlite", least=0.45),
    *on_each_database(
        long_stream.sides,
        Line(
            name="stream of 10,000 events on {database}",
            of="stream of 10,000",
            to="stream of 10",
            most=1.1,
            unit="ms",
        ),
    ),
    *on_each_database(
        command_batch.sides,
        Line(
            name="commands in batches of 1,000 on {database}",
            of="batch",
            to="one by one",
            least=5,
        ),
    ),
    *on_each_database(
        batch.sides,
        Line(
            name="batch of 10,000 items on {database}",
            of="batch",
            to="one by one",
            least=5,
        ),
        Line(
            name="memory of a batch of 10,000 items on {database}",
            of="memory",
            most=1.2,
            unit="RSS at the end by RSS after half a second",
        ),
    ),
    Case(
        batch.freezing,
        (Line(name="freezing 100,000 ids", of="freeze", most=2_000, unit="ms"),),
    ),
    Case(
        batch.beside,
        (
            Line(
                name="list page while a batch runs, p95",
                of="running",
                to="idle",
                most=1.5,
                unit="ms",
            ),
        ),
    ),
    Case(
        several_clients.sides,
        (Line(name="command on postgresql, 4 clients", of="product", to="raw.load", least=0.65),),
    ),
    *on_each_database(
        http_command.sides,
        Line(name="command over HTTP, API, on {database}", of="API", to="bare JSON", least=0.5),
        Line(name="command over HTTP, form, on {database}", of="form", to="bare form", least=0.5),
    ),
    _peer("eventsourcing", peer_libraries.eventsourcing, least=1.5),
    _peer("Emmett", environments.emmett, least=1.3),
    _catch_up("postgresql", least=0.6),
    _catch_up("sqlite", least=0.45),
    *on_each_database(
        rebuild.sides,
        Line(
            name="rebuild on {database}",
            of="product",
            to="raw batches",
            least=0.5,
            unit="events per second; 1,000,000 of them, with --quick 20,000",
        ),
        Line(
            name="memory of a rebuild on {database}",
            of="memory",
            most=1.2,
            unit="RSS at the end by RSS after a tenth",
        ),
    ),
    *on_each_database(
        beside.rebuild_sides,
        Line(
            name="rebuild beside on {database}",
            of="beside",
            to="in place",
            least=0.8,
            unit="events per second of the processor; 100,000 of them, with --quick 4,000",
        ),
        Line(
            name="rebuild of every read model beside, in one pass, on {database}",
            of="one pass",
            to="one after the other",
            least=3,
            unit="events per second of the processor; 100,000 of them, with --quick 4,000",
        ),
    ),
    *on_each_database(
        beside.swap_sides,
        Line(
            name="longest wait of a reader during a swap on {database}",
            of="swap",
            most=50,
            unit="ms",
        ),
        Line(
            name="longest wait of a reader without a swap on {database}",
            of="no swap",
            unit="ms",
        ),
    ),
    *on_each_database(
        reconciliation.sides,
        Line(
            name="reconciliation with digests on {database}",
            of="pass",
            most=60,
            unit="seconds for 1,000,000 orders' rows; from 250,000, with --quick from 5,000",
        ),
        Line(
            name="processor time of a reconciliation on {database}",
            of="processor",
            unit="seconds for 1,000,000 orders' rows",
        ),
    ),
    *on_each_database(
        import_month.sides,
        Line(
            name="import of a real month on {database}",
            of="import",
            to="raw.load",
            least=0.5,
            unit="commands per second; with --quick its first 300 invoices",
        ),
    ),
    *on_each_database(
        import_pages.sides,
        Line(
            name="pages during an import on {database}, 95th percentile",
            of="importing",
            to="idle",
            most=1.5,
            unit=import_pages.UNIT,
        ),
    ),
    *on_each_database(big_store.sides, *map(_big_store, STEPS)),
    *on_each_database(
        statistics.sides,
        Line(
            name="statistics recorded, command on {database}",
            of="on",
            to="off",
            least=0.99,
            unit="per second of the processor",
        ),
    ),
    *on_each_database(
        system_page.sides,
        Line(name="System page on {database}", of="System", most=100, unit=system_page.UNIT),
    ),
    Case(
        visibility.sides,
        (
            Line(name="commit to visible, idle, median", of="visible, median", most=8, unit="ms"),
            Line(
                name="commit to visible, idle, 99th percentile",
                of="visible, 99th percentile",
                most=40,
                unit="ms",
            ),
            Line(name="LISTEN/NOTIFY alone, median", of="LISTEN/NOTIFY", unit="ms"),
            Line(
                name="commit to visible at half load, 99th percentile",
                of="visible at half load",
                to="visible, 99th percentile",
                most=5,
                unit="ms",
            ),
            Line(name="memory of a worker", of="worker", most=90, unit="MB resident"),
        ),
    ),
    *on_each_database(
        query_cache.sides,
        Line(
            name="cached questions of Home and Reports on {database}",
            of="cached",
            to="uncached",
            least=3,
        ),
    ),
    Case(
        order_list.sides,
        (
            _many_orders("first", most=1.2),
            _many_orders("deep", most=1.3),
            _many_orders("filtered", most=1.5),
            _many_orders("searched", most=3),
            _many_orders("common", most=None),
        ),
    ),
    Case(
        view_counts.sides,
        (
            Line(name="counts of ten views, kept", of="kept", most=50, unit="ms"),
            Line(name="counts of ten views, counted up to a bound", of="counted", unit="ms"),
        ),
    ),
    Case(flask_admin.sides, (_flask_admin("first", least=8), _flask_admin("deep", least=25))),
    *on_each_database(
        poll.sides,
        Line(name="poll with nothing new on {database}", of="poll", to="bare 304", least=0.6),
    ),
    Case(
        page_weight.sides,
        (
            Line(name="page weight, first visit", of="first visit", most=200, unit="kB"),
            Line(name="page weight, repeat visit", of="repeat visit", most=30, unit="kB"),
        ),
    ),
    Case(
        vitals.sides,
        (
            *_vitals("LCP", most=2_500, unit="ms"),
            *_vitals("INP", most=200, unit="ms"),
            *_vitals("CLS", most=0.1, unit="score"),
        ),
    ),
    Case(jobs.sides, tuple(line for job in jobs.JOBS for line in _job(job))),
    Case(
        web_memory.sides,
        (Line(name="web memory after 400 requests", of="web process", most=150, unit="MB"),),
    ),
    Case(
        memory_at_rest.sides,
        (
            _at_rest("worker", most=90),
            *map(_at_rest, ("web server", "webhook worker", "sweep", "supervisor", "Redis")),
            _at_rest("resident, all", most=475),
            _at_rest("proportional, all", most=360),
        ),
    ),
    Case(verb_start.sides, (_verb("doctor --help"), _verb("query"))),
)
