"""Networks, written as 10.0.0.0/8 or fd00::/8, and the addresses in them."""

from __future__ import annotations

import ipaddress
from functools import cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@cache
def networks(text: str) -> tuple[Network, ...]:
    """Those in a text, with commas between them. Raises ValueError."""
    return tuple(ipaddress.ip_network(part) for part in map(str.strip, text.split(",")) if part)


def is_in(address: str, text: str) -> bool:
    """Whether an address is in one of the networks of a text, or the text names none."""
    if not text:
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in networks(text))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches this host name or address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
