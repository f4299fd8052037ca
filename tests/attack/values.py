"""Values that are meant to break something, and how a response shows that one did."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from tests.attack.visitor import Reply

MARK = "xq9z7"
"""In every value that would be seen if it came through unescaped."""

TEXTS = (
    # Scripts, in the places of a page where text stands.
    f"<{MARK}>",
    f"</title><script>{MARK}</script>",
    f'" {MARK}="1',
    f"' {MARK}='1",
    f'"><img src={MARK} onerror=alert(1)>',
    f"javascript:{MARK}",
    f"data:text/html,<{MARK}>",
    f"</script><{MARK}>",
    f"<!--<{MARK}>",
    f"]]><{MARK}>",
    f"&lt;{MARK}&gt;",
    f"<svg/onload={MARK}>",
    # Templates and format strings.
    f"{{{{31337*3}}}}{MARK}",
    f"${{31337*3}}{MARK}",
    "{% raw %}",
    "{0.__class__.__mro__}",
    "%s%s%n%(password)s",
    # Databases and searches.
    "' OR '1'='1",
    "'; DROP TABLE events; --",
    '" UNION SELECT password_hash FROM operators --',
    "1) OR 1=1",
    "%' ESCAPE '!",
    "\\",
    "*",
    '"unclosed AND (',
    "NEAR/0 *",
    "*)(uid=*))(|(uid=*",
    # Headers, paths, commands, addresses.
    "a\r\nX-Injected: yes",
    "a\nSet-Cookie: x=y",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "file:///etc/passwd",
    "; cat /etc/passwd",
    "$(cat /etc/passwd)",
    "`id`",
    "|id",
    "//evil.example/",
    "/\\evil.example",
    "https://evil.example/",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/",
    "http://[::ffff:127.0.0.1]/",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    # Characters.
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\u202eabc",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\U0010ffff",
    "e\u0301" * 50,
    "\u0345" * 100,
    "ﷺ" * 20,
    "１２３",
    "٣٫٥",
    "İ",
    "ß" * 50,
    # Numbers, times, sizes.
    "-1",
    "0",
    "00",
    "1e999",
    "-1e-999",
    "NaN",
    "Infinity",
    "9" * 400,
    "9223372036854775808",
    "2147483648",
    "-9223372036854775809",
    "0.00000000000000000001",
    "1_000",
    "0x10",
    "1,5",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00-14:00",
    "2026-02-30",
    "2026-03-29T02:30",
    "24:00",
    "P1000000Y",
    "x" * 300,
    "x" * 5_000,
    "[" * 200,
    "null",
    "true",
    "{}",
    "[]",
    "[object Object]",
    "__proto__",
    "constructor",
)
THINGS: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    2**31,
    2**63,
    -(2**63) - 1,
    10**300,
    1.5,
    1e308,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"__class__": "os.system"},
    [{"sku": None}],
    ["a"] * 200,
    {"a": {"b": {"c": {"d": []}}}},
)
"""What only JSON can say."""

SEEN = (
    (re.compile(rf"<(?:script>|svg/onload=|img src=)?{MARK}".encode()), "markup came through"),
    (re.compile(rf"""["'] {MARK}=""".encode()), "an attribute came through"),
    (
        re.compile(rb"""(?:href|src|action)=["']?\s*(?:javascript|data:text)""", re.I),
        "a script URL",
    ),
    (re.compile(rf"94011{MARK}".encode()), "a template was carried out"),
    (re.compile(rb"Traceback \(most recent call last\)"), "a traceback"),
    (re.compile(rb"root:x:0:0"), "a file of the machine"),
    (re.compile(rb"\$argon2id\$"), "the hash of a password"),
)
OUTSIDE = re.compile(r"^(?:[a-z]+:)?[/\\]{2}(?!(?:127\.0\.0\.1|localhost|desk\.example)[:/])", re.I)


def texts(chance: random.Random) -> Iterator[str]:
    """Each text once, in an order of chance; after that combinations and cuts of them."""
    yield from chance.sample(TEXTS, len(TEXTS))
    while True:
        first, second = chance.choice(TEXTS), chance.choice(TEXTS)
        cut = chance.randrange(len(first) + 1)
        noise = "".join(chr(chance.randrange(0xD7FF)) for _ in range(chance.randrange(4)))
        yield (first[:cut] + noise + second)[:5_000]


def things(chance: random.Random) -> Iterator[Any]:
    """The same for JSON: every third is no text."""
    found = texts(chance)
    while True:
        yield chance.choice(THINGS)
        yield next(found)
        yield next(found)


def faults(reply: Reply) -> Iterator[str]:
    """What a response to a hostile value shows that it must not."""
    if reply.status >= 500:
        yield f"status {reply.status}"
    if reply.header("x-injected"):
        yield "a header was added"
    if OUTSIDE.match(reply.header("location")):
        yield f"it leads elsewhere: {reply.header('location')[:80]}"
    is_page = reply.header("content-type").startswith("text/html")
    for pattern, sentence in SEEN:
        if (is_page or sentence.startswith(("a traceback", "a file", "the hash"))) and (
            found := pattern.search(reply.body)
        ):
            yield f"{sentence}: {found.group()[:60]!r}"
