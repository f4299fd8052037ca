"""Other host names, forged headers of proxies, and requests that two servers would read
differently."""

from __future__ import annotations

from collections.abc import Iterator

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import REQUEST_SECONDS, Target
from tests.attack.visitor import Reply, Visitor, raw

EVIL = "evil.example"
NAMES = (
    EVIL,
    f"desk.example.{EVIL}",
    f"{EVIL}#desk.example",
    f"desk.example@{EVIL}",
    f"127.0.0.1.{EVIL}",
    f"{EVIL}:80",
    f"127.0.0.1:80@{EVIL}",
    "[::1]" + EVIL,
    "169.254.169.254",
)
"""What a Host header may hold beside the names that are served."""
PATHS = ("/", "/sign-in", "/account", "/orders", "/metrics", "/readyz", "/api/v1/openapi.json")
FORWARDED = (
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/" + EVIL},
    {"Forwarded": f"for=6.6.6.6;host={EVIL};proto=https"},
    {"X-Original-URL": "/operators", "X-Rewrite-URL": "/operators"},
    {"X-HTTP-Method-Override": "POST"},
)
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SECOND = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
CHUNK = b"0\r\n\r\n"
CONFUSING = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "two equal lengths in one": b"Content-Length: 5, 5\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length in hex": b"Content-Length: 0x0\r\n\r\n",
    "a length with a blank before the colon": b"Content-Length : 0\r\n\r\n",
    "chunks with a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "chunks by another name": b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunks after a tab": b"Transfer-Encoding:\x0bchunked\r\n\r\n",
    "a folded header": b"Transfer-Encoding:\r\n chunked\r\n\r\n",
    "a zero in a header": b"X-Zero: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed": b"X-Bare: a\nContent-Length: 0\r\n\r\n",
    "a bare carriage return": b"X-Bare: a\rContent-Length: 5\r\n\r\n",
}


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield names(target)
    yield forwarded(target)
    yield confusing(target)


def names(target: Target) -> Outcome:
    """A name that is not served gets a refusal that says nothing of it, and no link to it."""
    outcome = Outcome("host names × paths")
    session = target.operator("admin").cookies
    for name in NAMES:
        for path in PATHS:
            for cookies in ({}, session):
                visitor = Visitor(target.port, cookies=dict(cookies))
                reply = visitor.send("GET", path, b"", {"Host": name})
                leads = any(EVIL in value for _, value in reply.headers)
                outcome.expect(
                    reply.status == 400 and not _on_page(reply) and not leads,
                    f"{path} as {name!r}: {reply.status}",
                )
    for request in (
        f"GET http://{EVIL}/sign-in HTTP/1.1\r\nHost: {EVIL}\r\nConnection: close\r\n\r\n",
        f"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: {EVIL}\r\nConnection: close\r\n\r\n",
    ):
        answer = raw(target.port, request.encode())
        outcome.expect(
            answer[9:12] in (b"400", b"") and EVIL.encode() not in answer,
            f"{request[:60]!r}: {answer[:40]!r}",
        )
    return outcome


def _on_page(reply: Reply) -> bool:
    """Whether a page has the name; JSON may say which was refused."""
    return EVIL in reply.text and reply.header("content-type").startswith("text/html")


def forwarded(target: Target) -> Outcome:
    """Without a proxy nothing of what one would add is believed."""
    outcome = Outcome("headers of proxies × paths")
    for headers in FORWARDED:
        for path in PATHS:
            plain, forged = (
                target.anyone().get(path),
                target.anyone().send("GET", path, b"", headers),
            )
            location = forged.header("location")
            outcome.expect(
                forged.status in (plain.status, 403)
                and location == plain.header("location")
                and EVIL not in forged.text,
                f"{path} with {headers}: {forged.status} {location}",
            )
    visitor = target.anyone()
    visitor.send(
        "POST",
        "/sign-in",
        f"csrf_token={visitor.csrf()}&name=nobody&password=wrong".encode(),
        {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "6.6.6.6"},
    )
    outcome.expect("6.6.6.6" not in target.log.read_text(), "the log has a forged address")
    return outcome


def confusing(target: Target) -> Outcome:
    """Whatever the end of a request is, what follows is never answered as a second one."""
    outcome = Outcome("requests without a clear end")
    for name, rest in CONFUSING.items():
        for body in (b"", CHUNK, b"5\r\nabcde\r\n" + CHUNK):
            answer = raw(target.port, HEAD + rest + body + SECOND, REQUEST_SECONDS + 2)
            responses = answer.count(b"HTTP/1.1 ")
            outcome.expect(
                responses <= 1 and answer[9:12] in (b"", b"400", b"404", b"408", b"422", b"501"),
                f"{name}, then {body[:12]!r}: {responses} responses, {answer[:30]!r}",
            )
    return outcome
