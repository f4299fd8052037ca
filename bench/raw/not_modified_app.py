"""The least that Flask can answer: one route, one 304."""

from __future__ import annotations

from flask import Flask, Response

app = Flask(__name__)


@app.get("/")
def nothing_new() -> Response:
    return Response(status=304)
