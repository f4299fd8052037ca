"""For load balancers, the supervisor and Prometheus."""

from __future__ import annotations

import hmac

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from cqrs_app.interfaces.metric_families import metric_families
from cqrs_app.interfaces.web.auth import for_programs
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.client_address import known_address
from cqrs_app.networks import is_loopback
from cqrs_app.platform.runtime import health, metrics
from cqrs_app.services import kernel, services

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="metrics"'}


@bp.get("/healthz")
@for_programs
def healthz() -> ResponseReturnValue:
    """This process answers. Our own web server answers before a thread has the request."""
    return "ok\n", 200, {"Content-Type": "text/plain"}


@bp.get("/readyz")
@for_programs
def readyz() -> ResponseReturnValue:
    """200 when the whole console can do its work, else 503 with what is missing."""
    missing = health.look(kernel).missing()
    return jsonify({"missing": missing}), 503 if missing else 200


@bp.get("/metrics")
@for_programs
def prometheus() -> ResponseReturnValue:
    """The state of the console for a Prometheus server; holds no business data. With METRICS_TOKEN
    for whoever sends it, otherwise for this machine."""
    expected = services.settings.metrics_token
    if expected:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(sent.encode(), expected.encode()):
            return Response("Needs METRICS_TOKEN as a bearer token.\n", 401, CHALLENGE)
    elif not is_loopback(known_address()):
        return Response("Set METRICS_TOKEN to read this from elsewhere.\n", 403)
    text = metrics.exposition(kernel, metric_families(kernel.engines.write))
    return Response(text, content_type=CONTENT_TYPE_LATEST)
