"""Working a list one by one, with claims, without scripts and in real browsers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.assignments.commands import TakeOverOrder
from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.queue.tables import order_claims, order_presence
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.leases import end_leases
from tests.platform.batches.conftest import MARIA, SAM, Shop

OLDEST = "stage=needs_approval&sort=placed_at&descending=0"


@pytest.fixture
def shop(make_console: Any) -> Shop:
    made = Shop(make_console())
    made.place(*(f"A-{number}" for number in range(1, 6)))
    return made


def text(client: FlaskClient, url: str) -> str:
    return " ".join(page(client, url).get_text(" ").split())


def send(client: FlaskClient, form: Any, **fields: str) -> Any:
    """Send a form as it is, with more fields filled in."""
    assert form is not None
    sent = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    return client.post(form["action"], data=sent | fields)


def press(client: FlaskClient, url: str, name: str) -> str:
    """Press a button of the queue; returns where it leads."""
    button = page(client, url).select_one(f'button[data-queue="{name}"]')
    assert button is not None, name
    answer = send(client, button.find_parent("form"))
    assert answer.status_code == 303
    return str(answer.location)


def start(client: FlaskClient, query: str = OLDEST) -> str:
    return press(client, f"/orders?{query}", "start")


def order_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def approve(client: FlaskClient, url: str) -> Any:
    found = page(client, url).select_one("#do-ApproveOrder")
    assert found is not None
    return send(client, found.find_parent("form"))


def skip(client: FlaskClient, url: str, reason: str) -> Any:
    link = page(client, url).select_one('a[data-queue="skip"]')
    assert link is not None
    form = page(client, str(link["href"])).select_one("main form[method=post]")
    return send(client, form, reason=reason)


def claimed(shop: Shop, *order_ids: str) -> dict[str, str]:
    held = services_of(shop.app).claims.held(order_ids)
    return {order_id: claim.operator for order_id, claim in held.items()}


def test_a_list_is_worked_one_by_one_in_its_order(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)
    assert order_of(url) == "A-1"
    assert parse_qs(urlsplit(url).query)["list"] == [OLDEST]
    assert claimed(shop, "A-1") == {"A-1": "operator"}
    assert "5 left" in text(client, url)
    url = approve(client, url).location
    assert order_of(url) == "A-2"
    assert claimed(shop, "A-1", "A-2") == {"A-2": "operator"}
    catch_up(shop.app)
    shown = text(client, url)
    assert "4 left 1 order done, 0 s each Previous: A-1" in shown
    for expected in ("A-3", "A-4", "A-5"):
        url = approve(client, url).location
        assert order_of(url) == expected
    last = approve(client, url)
    assert last.location == f"/orders?{OLDEST}"
    assert "Nothing is left in this list" in text(client, last.location)
    assert claimed(shop, *(f"A-{number}" for number in range(1, 6))) == {}


def test_what_is_left_as_it_is_comes_again_after_the_others(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)
    seen = [order_of(url)]
    for _ in range(5):
        url = press(client, url, "next")
        seen.append(order_of(url))
    assert seen == ["A-1", "A-2", "A-3", "A-4", "A-5", "A-1"]
    assert press(client, url, "close") == f"/orders?{OLDEST}"
    assert claimed(shop, "A-1") == {}


def test_a_skipped_order_does_not_come_back_today_and_others_get_it(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)
    assert skip(client, url, "").status_code == 422
    url = skip(client, url, "Waits for a call.").location
    assert order_of(url) == "A-2"
    assert "4 left" in text(client, url)
    seen = {order_of(url)}
    for _ in range(5):
        url = press(client, url, "next")
        seen.add(order_of(url))
    assert seen == {"A-2", "A-3", "A-4", "A-5"}
    catch_up(shop.app)
    assert "Skipped in the queue" in text(client, "/orders/A-1")
    assert "Reason Waits for a call." in text(client, "/orders/A-1")
    assert order_of(start(client_in(shop.app, "supervisor"))) == "A-1"


def test_after_an_action_the_order_stays_or_the_list_opens_as_chosen(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)

    def choose(value: str) -> Any:
        form = page(client, url).select_one('form[action="/queue/after"]')
        return send(client, form, after_action=value)

    assert choose("stay").location == url
    assert approve(client, url).location == url
    assert choose("home").status_code == 422
    assert choose("close").status_code == 303
    url = press(client, url, "next")
    assert approve(client, url).location == f"/orders?{OLDEST}"
    assert order_of(start(client)) == "A-3"


def test_a_note_does_not_leave_the_order(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)
    link = page(client, url).select_one("#do-AddOrderNote")
    assert link is not None
    form = page(client, str(link["href"])).select_one("main form[method=post]")
    assert send(client, form, note="Called.").location == url


def test_an_approval_that_can_still_be_undone_is_nobodys_next_order(make_console: Any) -> None:
    shop = Shop(make_console(undo_seconds=60))
    shop.place("A-1", "A-2")
    mine, others = client_in(shop.app, "operator"), client_in(shop.app, "supervisor")
    url = start(mine)
    url = approve(mine, url).location
    assert order_of(url) == "A-2"
    assert start(others) == f"/orders?{OLDEST}"
    undo = page(mine, url).select_one("[data-undo]")
    assert undo is not None
    assert undo.get_text(strip=True) == "Undo approve order A-1"
    assert send(mine, undo.find_parent("form")).location == "/orders/A-1"
    assert order_of(start(others)) == "A-1"


def test_an_order_that_its_row_does_not_show_as_it_is_is_passed_over(shop: Shop) -> None:
    shop.run(ApproveOrder(order_id="A-1"))
    client = client_in(shop.app, "operator")
    assert order_of(start(client)) == "A-2"
    assert claimed(shop, "A-1") == {}


def test_two_people_who_work_the_same_forty_never_meet(shop: Shop) -> None:
    shop.place(*(f"B-{number}" for number in range(35)))
    clients = [client_in(shop.app, role) for role in ("operator", "supervisor")]
    urls = [start(client) for client in clients]
    seen: list[list[str]] = [[], []]
    turn = 0
    while any(urls):
        turn += 1
        at = turn % 2 if all(urls) else (0 if urls[0] else 1)
        order_id = order_of(urls[at])
        seen[at].append(order_id)
        answer = approve(clients[at], urls[at])
        urls[at] = answer.location if "queue=1" in answer.location else ""
        if turn % 7 == 0:  # most of the time, their list is old
            catch_up(shop.app)
    assert len(seen[0]) + len(seen[1]) == 40
    assert not {*seen[0]} & {*seen[1]}
    assert min(map(len, seen)) >= 15


def test_a_claim_is_shown_to_others_who_take_it_over_with_a_note(shop: Shop) -> None:
    mine, others = client_in(shop.app, "operator"), client_in(shop.app, "supervisor")
    form = page(mine, "/orders/A-1").select_one('form[action="/orders/A-1/claim"]')
    assert send(mine, form).location == "/orders/A-1"
    assert "You have claimed this order" in text(mine, "/orders/A-1")
    shown = text(others, "/orders/A-1")
    assert "operator has claimed this order. 5 minutes left. Take over" in shown
    assert "Claimed by operator , 5 min" in text(others, "/orders")
    link = page(others, "/orders/A-1").select_one("#do-TakeOverOrder")
    assert link is not None
    take_over = page(others, str(link["href"])).select_one("main form[method=post]")
    assert send(others, take_over, note="").status_code == 422
    assert send(others, take_over, note="She is at lunch.").status_code == 303
    assert claimed(shop, "A-1") == {"A-1": "supervisor"}
    catch_up(shop.app)
    shown = text(mine, "/orders/A-1")
    assert "supervisor has claimed this order." in shown
    assert "Taken over" in shown
    assert "From operator" in shown
    assert "Note She is at lunch." in shown
    release = page(others, "/orders/A-1").select_one('form[action="/orders/A-1/release"]')
    send(others, release)
    assert claimed(shop, "A-1") == {}


def test_only_what_somebody_else_has_claimed_is_taken_over(shop: Shop) -> None:
    command = TakeOverOrder(order_id="A-1", note="Mine now.")
    with pytest.raises(Refused, match="Nobody has claimed order A-1 now"):
        shop.run(command, MARIA)
    services_of(shop.app).claims.claim("A-1", "maria")
    with pytest.raises(Refused, match="You have claimed order A-1 already"):
        shop.run(command, MARIA)
    assert shop.kernel.store.versions_of(["assignment-A-1"]) == {}


def test_of_two_who_take_over_at_once_the_second_takes_over_from_the_first(shop: Shop) -> None:
    claims = services_of(shop.app).claims
    claims.claim("A-1", "ana")
    with ThreadPoolExecutor(2) as pool:
        command = TakeOverOrder(order_id="A-1", note="Mine.")
        list(pool.map(lambda actor: shop.run(command, actor), (MARIA, SAM)))
    stored = shop.kernel.store.events_of("assignment-A-1")
    decoded = [shop.kernel.registry.codec.decode(each) for each in stored]
    first, second = sorted(decoded, key=lambda each: each.event.holder != "ana")
    assert first.event.holder == "ana"
    assert second.event.holder == first.stored.operator
    assert claims.held(["A-1"])["A-1"].operator == second.stored.operator


def test_a_claim_stays_with_its_holder_if_taking_over_is_refused(shop: Shop) -> None:
    claims = services_of(shop.app).claims
    claims.claim("no-such", "ana")
    with pytest.raises(Refused, match="There is no order no-such"):
        shop.run(TakeOverOrder(order_id="no-such", note="Mine."), MARIA)
    assert claims.held(["no-such"])["no-such"].operator == "ana"


def test_who_else_has_the_order_open_is_named(shop: Shop) -> None:
    mine, others = client_in(shop.app, "operator"), client_in(shop.app, "viewer")
    assert "Also open" not in text(mine, "/orders/A-1")
    assert "Also open: operator" in text(others, "/orders/A-1")
    assert "Also open: viewer" in mine.get("/orders/A-1/now").get_data(as_text=True).replace(
        "<bdi>", ""
    )
    end_leases(shop.kernel.engines.write, order_presence.c.lease_until)
    assert "Also open" not in text(mine, "/orders/A-1")


def test_the_poll_of_the_page_extends_the_claim_and_takes_none(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = start(client)
    end_leases(shop.kernel.engines.write, order_claims.c.lease_until)
    now = url.replace("/orders/A-1?", "/orders/A-1/now?")
    assert client.get(now).status_code == 200
    assert claimed(shop, "A-1") == {}
    client.get(url)
    assert claimed(shop, "A-1") == {"A-1": "operator"}


def test_a_viewer_has_no_queue(shop: Shop) -> None:
    client = client_in(shop.app, "viewer")
    shown = page(client, "/orders")
    assert not shown.select("[data-queue]")
    assert not page(client, "/orders/A-1?queue=1").select("[data-queue], [data-claim]")
    assert claimed(shop, "A-1") == {}
    token = page(client_in(shop.app, "viewer"), "/account").select_one("input[name=csrf_token]")
    assert token is not None
    for address in ("/queue", "/queue/next", "/queue/close", "/orders/A-1/claim"):
        assert client.post(address, data={"csrf_token": token["value"]}).status_code in (400, 403)
    assert claimed(shop, "A-1") == {}


def test_an_order_that_does_not_exist_is_not_claimed(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    form = page(client, "/orders/A-1").select_one('form[action="/orders/A-1/claim"]')
    assert form is not None
    form["action"] = "/orders/none/claim"
    assert send(client, form).status_code == 404
    assert claimed(shop, "none") == {}


@pytest.fixture
def browser_pair(
    shop: Shop, serve: Callable[..., str], new_page: Callable[..., Page]
) -> tuple[Page, Page]:
    """Two browsers, of an operator and of a supervisor."""
    address = serve(shop.app)

    def open_page(role: str) -> Page:
        made = new_page(base_url=address)
        name = shop.app.config["SESSION_COOKIE_NAME"]
        cookie = client_in(shop.app, role).get_cookie(name)
        assert cookie
        made.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        return made

    return open_page("operator"), open_page("supervisor")


def test_two_browsers_work_a_list_of_forty_by_keyboard_and_never_meet(
    shop: Shop, browser_pair: tuple[Page, Page]
) -> None:
    """Both press their key before either has an answer: their requests are on the way at once."""
    shop.place(*(f"B-{number}" for number in range(35)))
    for browser in browser_pair:
        browser.goto(f"/orders?{OLDEST}")
        browser.keyboard.press("w")
    approved: list[list[str]] = [[], []]
    for _ in range(20):
        for browser, seen in zip(browser_pair, approved, strict=True):
            before = f"/orders/{seen[-1]}?" if seen else "/orders?"
            browser.wait_for_url(lambda url, before=before: "queue=1" in url and before not in url)  # type: ignore[misc]
            expect(browser.get_by_text("You have claimed this order")).to_be_visible()
            seen.append(order_of(browser.url))
        for browser in browser_pair:
            browser.keyboard.press("a")
    for browser in browser_pair:
        browser.wait_for_url(lambda url: "queue=1" not in url)
    names = [name for seen in approved for name in seen]
    assert len(names) == len({*names}) == 40
    assert all("OrderApproved" in shop.events(each) for each in names)
    signed = [each.operator for name in names for each in _approvals(shop, name)]
    assert [signed.count(each) for each in ("operator", "supervisor")] == [20, 20]


def _approvals(shop: Shop, order_id: str) -> list[Any]:
    stored = shop.kernel.store.events_of(f"order-{order_id}")
    return [each for each in stored if each.type == "OrderApproved"]


def test_next_and_skip_have_keys_and_c_claims(shop: Shop, browser_pair: tuple[Page, Page]) -> None:
    browser, _ = browser_pair
    browser.goto("/orders/A-3")
    expect(browser.locator("[data-claim]")).to_have_text("Claim")
    browser.keyboard.press("c")
    expect(browser.locator("[data-claim]")).to_have_text("Release claim")
    browser.keyboard.press("c")
    expect(browser.locator("[data-claim]")).to_have_text("Claim")
    browser.goto(f"/orders?{OLDEST}")
    browser.keyboard.press("w")
    browser.wait_for_url("**/orders/A-1?*queue=1*")
    expect(browser.get_by_text("5 left")).to_be_visible()
    browser.keyboard.press("j")
    browser.wait_for_url("**/orders/A-2?*")
    expect(browser.get_by_text("5 left")).to_be_visible()
    browser.keyboard.press("d")
    dialog = browser.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Waits for a call.")
    browser.keyboard.press("Control+Enter")
    browser.wait_for_url("**/orders/A-3?*")
    expect(browser.get_by_text("4 left")).to_be_visible()
    with browser.expect_response("**/queue/after"):
        browser.get_by_label("After an action").select_option("close")
    expect(browser.get_by_label("After an action")).to_have_value("close")
    browser.reload()
    expect(browser.get_by_label("After an action")).to_have_value("close")
