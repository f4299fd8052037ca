"""Addresses of databases and Redis servers: what settings may say, and what the drivers take."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}
SENTINELS = {"redis+sentinel": False, "rediss+sentinel": True}
"""Schemes, and whether they go over TLS."""
SENTINEL_PORT = 26379
SENTINEL_SECONDS = 0.25
"""How long each sentinel has to answer."""

_PARTS = re.compile(r"([\w+]+)://(?:([^@]*)@)?([^/?]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:]+))(?::([0-9]*))?")


class Unusable(Exception):
    """Nothing can be reached at this address; the text says why, without the address itself, which
    may hold a password."""


def database(url: str) -> str:
    """The address as SQLAlchemy takes it: PostgreSQL as libpq has it (several hosts with commas,
    its options), or SQLite. Raises Unusable."""
    try:
        found = _with_one_authority(url)
    except (ArgumentError, ValueError) as error:
        raise Unusable("it is no address of a database") from error
    if found.drivername not in DRIVERS:
        raise Unusable("the console does not run on this kind of database")
    made = found.set(drivername=DRIVERS[found.drivername])
    user = made.username or made.query.get("user")
    if isinstance(user, str) and isinstance(password := made.query.get("password"), str):
        # Where it is left out of everything that is shown.
        made = made.set(username=user, password=password)
        made = made.difference_update_query(["user", "password"])
    _require_known_options(made)
    return made.render_as_string(hide_password=False)


def redis_client(url: str, **options: Any) -> Redis:
    """A client of the server at this address, or of the master that sentinels name:
    redis+sentinel://USER:PASSWORD@HOST:26379,HOST:26379/MASTER/0, over TLS with rediss+sentinel.
    Opens no connection; raises Unusable."""
    options = {"driver_info": _driver(), **options}
    try:
        is_sentinel = url.partition("://")[0] in SENTINELS
        client = _by_sentinels(url, options) if is_sentinel else _by_address(url, options)
        # Nothing is connected yet; options are looked at here.
        client.connection_pool.make_connection()
    except (ValueError, TypeError, RedisError) as error:
        raise Unusable("it is no address of a Redis server") from error
    return client


@cache
def _driver() -> DriverInfo:
    """What connections call themselves: without it, each would look the library's version up."""
    return DriverInfo()


def _with_one_authority(url: str) -> URL:
    """SQLAlchemy knows a list of hosts as an option only."""
    matched = _PARTS.fullmatch(url)
    if matched is None or not ("," in matched[3] or "%" in matched[3]):
        return make_url(url)
    scheme, user, hosts, rest = matched.groups()
    made = make_url(f"{scheme}://{user}@{rest}" if user else f"{scheme}://{rest}")
    if "host" in made.query or "port" in made.query:
        raise Unusable("it names its hosts twice")
    names, ports = zip(*_hosts(hosts), strict=True)
    listed = {"host": ",".join(map(unquote, names))}
    if any(ports):
        listed["port"] = ",".join(ports)
    return made.update_query_dict(listed)


def _hosts(text: str) -> list[tuple[str, str]]:
    """(host, port or nothing) of each. Raises ValueError."""
    found = []
    for part in text.split(","):
        matched = _HOST.fullmatch(part)
        if matched is None:
            raise ValueError(part)
        found.append((matched[1] or matched[2], matched[3] or ""))
    return found


def _require_known_options(url: URL) -> None:
    if url.drivername == "sqlite":
        if url.query or url.host or url.database in (None, "", ":memory:"):
            raise Unusable("SQLite takes the path of a file and nothing else")
        if not Path(url.database).is_absolute():
            raise Unusable("the path is relative, so each folder would have a database of its own")
        return
    # Imported here: a console on SQLite does without.
    import psycopg
    from psycopg.conninfo import make_conninfo

    try:
        options = url.get_dialect()().create_connect_args(url)[1]
        make_conninfo(**options)
        # libpq looks at it when it connects.
        int(options.get("connect_timeout", 0))
    except (ArgumentError, ValueError, psycopg.Error) as error:
        raise Unusable("it has options that the database does not know") from error


def _by_address(url: str, options: dict[str, Any]) -> Redis:
    parts = urlsplit(url)
    if not (parts.path if parts.scheme == "unix" else re.fullmatch(r"/?[0-9]*", parts.path)):
        raise ValueError(url)
    return Redis.from_url(url, **options)


def _by_sentinels(url: str, options: dict[str, Any]) -> Redis:
    matched = _PARTS.fullmatch(url)
    if matched is None:
        raise ValueError(url)
    scheme, user, hosts, rest = matched.groups()
    path, _, query = rest.partition("?")
    named = re.fullmatch(r"/([^/]+)(?:/([0-9]+))?", path)
    if named is None:
        raise Unusable("it does not name the master that the sentinels watch")
    name, _, password = (user or "").partition(":")
    tls = {"ssl": True} if SENTINELS[scheme] else {}
    sentinel = tls | {
        "driver_info": _driver(),
        "socket_timeout": SENTINEL_SECONDS,
        "socket_connect_timeout": SENTINEL_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    for option, value in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
        if option not in ("sentinel_username", "sentinel_password"):
            raise Unusable("it has options other than sentinel_username and sentinel_password")
        sentinel[option.removeprefix("sentinel_")] = value
    servers = [(host, int(port or SENTINEL_PORT)) for host, port in _hosts(hosts)]
    client: Redis = Sentinel(servers, sentinel_kwargs=sentinel).master_for(  # type: ignore[no-untyped-call]
        unquote(named[1]),
        db=int(named[2] or 0),
        username=unquote(name) or None,
        password=unquote(password) or None,
        **tls,
        **options,
    )
    return client
