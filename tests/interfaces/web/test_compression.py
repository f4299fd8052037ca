"""What goes out compressed, what does not, and that its length tells nothing."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from cqrs_app.interfaces.web.auth import public
from cqrs_app.interfaces.web.compression import init_compression, packed_page

GZIP = {"Accept-Encoding": "gzip"}
SHEET = "/static/css/console.css"
LONG = "<p>Mind the dog.</p>" * 200


@pytest.fixture
def app(app: Flask) -> Flask:
    init_compression(app)

    @app.get("/long")
    @public
    def long() -> str:
        return LONG

    @app.get("/streamed")
    @public
    def streamed() -> Response:
        return Response((LONG for _ in range(2)), mimetype="text/plain")

    return app


def test_a_page_is_sent_compressed_to_whoever_takes_that(client: FlaskClient) -> None:
    answer = client.get("/long", headers=GZIP)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.content_length == len(answer.data) < len(LONG) / 10
    assert gzip.decompress(answer.data).decode() == LONG
    assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_others_get_it_as_it_is(client: FlaskClient, accepted: str) -> None:
    answer = client.get("/long", headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in answer.headers
    assert answer.text == LONG
    assert "Accept-Encoding" in answer.vary  # a cache between must keep the two apart


def test_a_short_answer_and_a_stream_are_left_as_they_are(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/open", headers=GZIP).headers
    streamed = client.get("/streamed", headers=GZIP)
    assert "Content-Encoding" not in streamed.headers
    assert streamed.text == LONG * 2


def test_the_length_of_one_page_differs_from_time_to_time() -> None:
    assert len({len(packed_page(LONG.encode())) for _ in range(50)}) > 10


def test_a_static_file_is_compressed_and_still_answered_with_not_modified(
    client: FlaskClient,
) -> None:
    plain = client.get(SHEET, buffered=True)
    packed = client.get(SHEET, headers=GZIP, buffered=True)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    tag = packed.headers["ETag"]
    assert tag.startswith("W/")
    again = client.get(SHEET, headers={**GZIP, "If-None-Match": tag}, buffered=True)
    assert again.status_code == 304
    assert not again.data


def test_what_is_compressed_already_is_sent_as_it_is(client: FlaskClient) -> None:
    path = "/static/vendor/inter/inter-latin-wght-normal.woff2"
    answer = client.get(path, headers=GZIP, buffered=True)
    assert "Content-Encoding" not in answer.headers


def test_a_part_of_a_file_is_a_part_of_the_file_itself(client: FlaskClient) -> None:
    answer = client.get(SHEET, headers={**GZIP, "Range": "bytes=0-999"}, buffered=True)
    assert answer.status_code == 206
    assert "Content-Encoding" not in answer.headers
