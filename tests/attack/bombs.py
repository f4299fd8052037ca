"""Small requests that would cost much: archives that grow, deep and wide documents, many fields."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections.abc import Callable, Iterator

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target
from tests.attack.visitor import Reply, Visitor

API = "/api/v1"
MOST_SECONDS = 20.0
MOST_MEGABYTES = 256.0
"""What the processes of the console may grow by, all together, while all bombs go off."""
SIZE = 8 * 1024 * 1024
BOUNDARY = "attack"
_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b"%b</sheetData></worksheet>"
)


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    outcome = Outcome("bombs")
    before, slowest = target.memory(), 0.0
    for name, bomb in (DOCUMENTS | FORMS | FILES).items():
        began = time.monotonic()
        try:
            reply = bomb(target)
        except (ConnectionError, TimeoutError) as error:
            # It may hang up on what is too large; it must go on answering others.
            reply = Reply(413, (), str(error).encode())
        seconds = time.monotonic() - began
        slowest = max(slowest, seconds)
        answered = reply.status < 500 and seconds < MOST_SECONDS
        outcome.expect(answered, f"{name}: {reply.status} after {seconds:.1f} s")
        well = target.anyone().get("/sign-in").status == 200
        outcome.expect(well, f"after {name} it does not answer others")
    grown = target.memory() - before
    outcome.expect(grown < MOST_MEGABYTES, f"it grew by {grown:.0f} MB")
    outcome.figure = f"slowest {slowest:.1f} s, memory {grown:+.0f} MB"
    yield outcome


def _json(
    body: bytes, path: str = "/commands/AddOrderNote", **headers: str
) -> Callable[[Target], Reply]:
    def send(target: Target) -> Reply:
        kind = {"Content-Type": "application/json"}
        return target.program("admin").send("POST", API + path, body, kind | headers)

    return send


def _get(path: str, **headers: str) -> Callable[[Target], Reply]:
    return lambda target: target.operator("admin").send("GET", path, b"", headers)


def _form(path: str, body: Callable[[str], bytes], kind: str) -> Callable[[Target], Reply]:
    """A form of someone who is signed in; `body` takes their CSRF token."""

    def send(target: Target) -> Reply:
        admin = target.operator("admin")
        return admin.send("POST", path, body(admin.csrf()), {"Content-Type": kind})

    return send


DOCUMENTS = {
    "gzip of 1 GB of zeros": _json(
        gzip.compress(bytes(SIZE)) * 128, **{"Content-Encoding": "gzip"}
    ),
    "JSON, 100,000 deep": _json(b"[" * 100_000),
    "JSON, objects 100,000 deep": _json(b'{"a":' * 100_000),
    "JSON, deep in a field": _json(b'{"note":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "JSON, 500,000 keys": _json(b"{" + b",".join(b'"k%d":1' % n for n in range(500_000)) + b"}"),
    "JSON, one key 500,000 times": _json(b"{" + b'"note":1,' * 500_000 + b'"note":1}'),
    "JSON, a number of a million digits": _json(b'{"order_id":' + b"9" * 1_000_000 + b"}"),
    "JSON, an exponent": _json(b'{"amount":1e999999999}', "/commands/RefundPayment"),
    "JSON, 8 MB of text": _json(b'{"note":"' + b"x" * SIZE + b'"}'),
    "JSON, 100,000 commands": _json(
        b'{"commands":[' + b",".join([b'{"command":"x","fields":{}}'] * 100_000) + b"]}",
        "/commands",
    ),
    "JSON, no UTF-8": _json(b'{"note":"\xff\xfe\xed\xa0\x80"}'),
    "XML for JSON": _json(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "a path of 60,000 characters": _get("/orders/" + "x" * 60_000),
    "20,000 parameters": _get("/orders?" + "&".join(f"p{n}=1" for n in range(6_000))),
    "one parameter 6,000 times": _get("/orders?" + "&".join(["status=placed"] * 4_000)),
    "a cookie of 60,000 characters": lambda target: Visitor(
        target.port, cookies={target.cookie_name: "x" * 60_000}
    ).get("/orders"),
    "200 headers": lambda target: target.anyone().send(
        "GET", "/", b"", {f"X-{n}": "1" for n in range(200)}
    ),
    "a token of 7,000 characters": lambda target: Visitor(
        target.port, {"Authorization": "Bearer " + "x" * 7_000}
    ).get(f"{API}/queries/ListOrders"),
    "an address that a careless pattern takes long for": _json(
        b'{"customer_id":"C9","name":"A","country":"France","email":"' + b"a." * 20_000 + b'@"}',
        "/commands/RegisterCustomer",
    ),
    "a search that a careless pattern takes long for": _get(
        "/search?q=" + "%28" * 2_000 + "a" * 2_000
    ),
}


def _parts(count: int, token: str) -> bytes:
    parts = [_part("csrf_token", token.encode())]
    return b"".join(parts + [_part(f"f{n}", b"1") for n in range(count)]) + _end()


def _part(name: str, content: bytes, file: str = "") -> bytes:
    named = f'; filename="{file}"' if file else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def _end() -> bytes:
    return f"--{BOUNDARY}--\r\n".encode()


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
ENCODED = "application/x-www-form-urlencoded"
NOTE = "/commands/AddOrderNote"
FORMS = {
    "a form of 100,000 fields": _form(
        NOTE, lambda token: f"csrf_token={token}&".encode() + b"a=1&" * 100_000, ENCODED
    ),
    "a form of 20,000 parts": _form(NOTE, lambda token: _parts(20_000, token), MULTIPART),
    "a field of 8 MB": _form(
        NOTE, lambda token: f"csrf_token={token}&note=".encode() + b"x" * SIZE, ENCODED
    ),
    "20,000 lines of an order": _form(
        "/commands/PlaceOrder",
        lambda token: (
            f"csrf_token={token}&".encode()
            + "&".join(f"lines-{n}-sku=A" for n in range(20_000)).encode()
        ),
        ENCODED,
    ),
    "line number 10^9 of an order": _form(
        "/commands/PlaceOrder",
        lambda token: f"csrf_token={token}&lines-999999999-sku=A".encode(),
        ENCODED,
    ),
    "parts without an end": _form(
        NOTE, lambda token: _part("csrf_token", token.encode()) + b"--" + b"-" * SIZE, MULTIPART
    ),
    "a boundary of 60,000 characters": _form(
        NOTE, lambda token: b"--x", "multipart/form-data; boundary=" + "x" * 60_000
    ),
}


def _workbook(sheet: bytes, head: bytes = b"") -> bytes:
    """An .xlsx archive with one sheet."""
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    sheets = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Override PartName='
        f'"/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{sheets}" xmlns:r="{rels}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
    }
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("xl/worksheets/sheet1.xml", head + _SHEET % sheet)
    return found.getvalue()


def _many_files() -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"xl/{number}.xml", b"")
    return found.getvalue()


LAUGHS = (
    b"<!DOCTYPE a ["
    + b"".join(
        b'<!ENTITY e%d "%b">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )
    + b"]>"
)


def _import(content: Callable[[], bytes], name: str) -> Callable[[Target], Reply]:
    def body(token: str) -> bytes:
        parts = [_part("csrf_token", token.encode()), _part("profile", b"orders")]
        return b"".join([*parts, _part("file", content(), name)]) + _end()

    return _form("/imports", body, MULTIPART)


FILES = {
    "a workbook of 200 MB": _import(lambda: _workbook(b" " * 200 * 1024 * 1024), "orders.xlsx"),
    "a workbook with entities": _import(lambda: _workbook(b"&e9;", LAUGHS), "orders.xlsx"),
    "a workbook with a cell at row 10^9": _import(
        lambda: _workbook(b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>'), "orders.xlsx"
    ),
    "an archive of 20,000 files": _import(_many_files, "orders.xlsx"),
    "an archive that is cut": _import(lambda: _workbook(b"")[:-40], "orders.xlsx"),
    "gzip by the name of CSV": _import(lambda: gzip.compress(bytes(SIZE)), "orders.csv"),
    "CSV of one line": _import(lambda: b"a," * (SIZE // 2), "orders.csv"),
    "CSV with an open quote": _import(lambda: b'order_id\n"' + b"x" * SIZE, "orders.csv"),
    "XES with entities": _import(lambda: LAUGHS + b"<log>&e9;</log>", "log.xes"),
}
