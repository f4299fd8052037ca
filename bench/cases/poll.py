"""A poll of the order list that finds nothing new, with the tag of what the page shows.

It is compared with a bare Flask route that returns 304 at once under the same web server, without
session, permission or database. One keep-alive connection each.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser
from bench.processes.web import console_server, plain_environment, served, signed_in
from bench.rounds import Plan, rate
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

NOTHING_NEW = (204, 304)


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        load_if_empty(
            services_of(app).kernel, services_of(app).settings.demo_orders, lambda text: None
        )
        product.catch_up(services_of(app).kernel)
        with (
            console_server(app) as server,
            served("bench.raw.not_modified_app:app", plain_environment()) as other,
        ):
            browser = signed_in(app, server)
            found = re.search(r'hx-get="(/orders/changes[^"]*)"', browser.get("/orders").text)
            assert found, "the list of orders does not follow what changes"
            address = html.unescape(found[1])
            tag = browser.get(address).headers["hx-ptag"]
            yield {
                "poll": rate(partial(_poll, browser, address, tag)),
                "bare 304": rate(partial(_poll, Browser(other.port), "/", "")),
            }


def _poll(browser: Browser, address: str, tag: str) -> None:
    reply = browser.get(address, HX_PTag=tag, HX_Request="true")
    assert reply.status in NOTHING_NEW, f"{address} answered {reply.status}"
