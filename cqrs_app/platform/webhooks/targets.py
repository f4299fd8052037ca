"""Rules on the addresses and networks that webhooks may reach. Pure: resolves no names.

The console runs inside the shop's network, so a webhook must not give access to internal systems.
Addresses that are not public are refused unless WEBHOOK_ALLOWED_NETWORKS contains them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"https": 443, "http": 80}
_PLAIN = re.compile(r"[!-~]+(?!\n)$")
_LABEL = r"[a-z0-9_]([a-z0-9_\-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
RESERVED = frozenset({"example", "invalid", "test"})
"""Top-level names that the public DNS never has (RFC 6761); a network of one's own may."""
LOOPBACK = ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")


NOT_PUBLIC = (
    # The former anycast address of 6to4 relays (RFC 7526), and documentation (RFC 9637): not known
    # as such to every supported Python.
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("3fff::/20"),
    # Metadata of a virtual machine on Azure, which looks public from anywhere else:
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    ipaddress.ip_network("168.63.129.16/32"),
)


class Forbidden(Exception):
    """The target is not permitted. The text is a sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. `path` includes the query; `host` has no brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Parse a URL. Raises ValueError with the sentence of `unusable`."""
    problems = dict(unusable(url))
    if problems:
        raise ValueError(problems["url"])
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], path)


def unusable(url: str) -> Iterator[tuple[str, str]]:
    """For the `check` of a command: the field and a sentence if this is no valid URL."""
    try:
        problem = _problem(url)
    except ValueError:
        problem = "Write an address such as https://example.com/hooks/orders."
    if problem:
        yield "url", problem


def _problem(url: str) -> str:
    if not _PLAIN.match(url):
        return "Write the address without blanks and in plain letters, as a browser copies it."
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not _is_host(parts):
        return "Write an address such as https://example.com/hooks/orders."
    if parts.username is not None or parts.password is not None:
        return "Leave name and password out: the address is kept where many can read it."
    if parts.fragment:
        return "Leave out the part from # on: it is never sent."
    return ""


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if parts.port == 0 or len(host) > 253:
        return False
    if "[" in parts.netloc:
        return "%" not in host and bool(ipaddress.IPv6Address(host))
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return bool(ipaddress.IPv4Address(host))  # no name ends with a number
    return bool(_NAME.fullmatch(host))


def require_permitted(target: Target, ip: Ip, allowed: tuple[Network, ...]) -> None:
    """Raise Forbidden if this target must not be reached at this IP address."""
    real = _unwrapped(ip)
    if any(real in network for network in allowed):
        return
    if not _is_public(real):
        resolved = "" if target.host == str(ip) else f" ({ip})"
        raise Forbidden(
            f"{target.host}{resolved} is not a public address. Nothing was sent. To allow it, add "
            f"its network to WEBHOOK_ALLOWED_NETWORKS."
        )
    if target.scheme != "https":
        raise Forbidden(
            f"{target.host} is on the public internet, where only https is used. "
            f"Nothing was sent. Change the address to https."
        )


def refuse_literal(target: Target, allowed: tuple[Network, ...]) -> None:
    """The checks that need no name resolution. Raises Forbidden."""
    if _is_localhost(target.host):
        if not any(ip in network for network in allowed for ip in LOOPBACK):
            require_permitted(target, LOOPBACK[0], allowed)
        return
    try:
        ip = ipaddress.ip_address(target.host)
    except ValueError:
        if _top_level(target.host) in RESERVED and not allowed:
            raise Forbidden(
                f"{target.host} is a name that nothing on the internet has. "
                f"Nothing was changed. Look at the address again."
            ) from None
        if target.scheme != "https" and not allowed:
            raise Forbidden("Only https addresses are used. Write https:// instead.") from None
        return
    require_permitted(target, ip, allowed)


def _is_localhost(host: str) -> bool:
    """Whether a name is this machine's own (RFC 6761, section 6.3)."""
    return _top_level(host) == "localhost"


def _top_level(host: str) -> str:
    return host.removesuffix(".").rpartition(".")[2]


def _unwrapped(ip: Ip) -> Ip:
    """The IPv4 address in ::ffff:a.b.c.d, which the connection would go to."""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def _is_public(ip: Ip) -> bool:
    # 6to4 and Teredo addresses embed an IPv4 address that was not checked.
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour or ip.teredo or ip.is_site_local):
        return False
    if any(ip in network for network in NOT_PUBLIC):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
