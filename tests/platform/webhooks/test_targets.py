"""Which addresses can be used at all, and which places may be reached."""

from __future__ import annotations

import ipaddress

import pytest

from cqrs_app.environment import SettingsError
from cqrs_app.platform.webhooks.targets import (
    Forbidden,
    refuse_literal,
    require_permitted,
    target_of,
    unusable,
)
from cqrs_app.settings import Settings

HTTPS = target_of("https://receiver.example/hook")
HTTP = target_of("http://receiver.example/hook")


def networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return Settings(webhook_allowed_networks=text).webhook_networks


@pytest.mark.parametrize(
    "ip",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "10.1.2.3",
        "100.64.0.1",
        "168.63.129.16",
        "192.88.99.1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "::ffff:168.63.129.16",
        "127.0.0.1",
        "127.8.9.10",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "233.252.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_what_is_not_public_is_refused(ip: str) -> None:
    with pytest.raises(Forbidden, match="not a public address"):
        require_permitted(HTTPS, ipaddress.ip_address(ip), ())


@pytest.mark.parametrize("ip", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14"])
def test_what_is_public_is_reached_by_https_only(ip: str) -> None:
    require_permitted(HTTPS, ipaddress.ip_address(ip), ())
    with pytest.raises(Forbidden, match="Change the address to https"):
        require_permitted(HTTP, ipaddress.ip_address(ip), ())


def test_an_allowed_network_may_be_reached_also_by_http_and_no_other() -> None:
    allowed = networks("10.1.0.0/16, fd12::/16")
    for ip in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1"):
        require_permitted(HTTP, ipaddress.ip_address(ip), allowed)
    for ip in ("10.2.0.1", "fd13::1", "127.0.0.1"):
        with pytest.raises(Forbidden):
            require_permitted(HTTPS, ipaddress.ip_address(ip), allowed)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]:8443/x",
        "https://[::ffff:10.0.0.1]/",
        "http://a.example",
        "https://localhost/",
        "https://foo.invalid/",
        "https://receiver.example/",
        "https://a.test.:8443/",
        "https://shop.localhost.:8443/",
    ],
)
def test_a_literal_address_inside_is_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(Forbidden):
        refuse_literal(target_of(url), ())


def test_a_name_is_left_to_the_delivery() -> None:
    refuse_literal(target_of("https://receiver.example.com/"), ())
    refuse_literal(target_of("http://inside.example"), networks("10.0.0.0/8"))


@pytest.mark.parametrize("network", ["127.0.0.0/8", "::1/128"])
def test_this_machine_is_reached_by_its_name_where_its_network_is_allowed(network: str) -> None:
    refuse_literal(target_of("http://localhost:8080/"), networks(network))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.example",
        "ftp://receiver.example/",
        "https://",
        "https:///path",
        "https://receiver.example:0/",
        "https://receiver.example:99999/",
        "https://user@receiver.example/",
        "https://user:secret@receiver.example/",
        "https://receiver.example/#part",
        "https://receiver.example/a b",
        "https://receiver.example/\r\nX: y",
        "https://receiver.example/\n",
        "https://räceiver.example/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://re_ceiver!/",
        "https://receiver..example/",
        "https://.receiver.example/",
        "https://-receiver.example/",
        "https://receiver-.example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://[v1.receiver]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://010.0.0.1/",
        "https://93.184.215.14./",
        "https://93.184.215.256/",
    ],
)
def test_what_is_no_address_gets_a_sentence(url: str) -> None:
    assert dict(unusable(url))["url"].endswith(".")
    with pytest.raises(ValueError, match=r"\."):
        target_of(url)


def test_an_address_is_taken_apart() -> None:
    target = target_of("https://Receiver.example:8443/hooks?shop=1")
    assert (target.host, target.port, target.path) == ("receiver.example", 8443, "/hooks?shop=1")
    assert target.authority == "receiver.example:8443"
    assert target_of("https://[2001:db8::1]").authority == "[2001:db8::1]"
    assert target_of("https://receiver.example").path == "/"


def test_networks_that_cannot_be_read_stop_the_start() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_ALLOWED_NETWORKS cannot be used"):
        Settings.from_environment({"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.1/8"})
