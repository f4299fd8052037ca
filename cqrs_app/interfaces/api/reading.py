"""Reading a request: its JSON body, parameters and headers."""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import g, request

from cqrs_app.interfaces.api.problems import Unusable
from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import WHOLE_NUMBER, plain_json
from cqrs_app.kernel.tracing.live import current_caller

CHANNEL = "api"
LONGEST_KEY = 255
LONGEST_WHY = 1_000
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
NAMESPACE = uuid.UUID("5f3d0a52-7c0e-4b5b-9a5e-3f6b6a3c6d10")
"""Command ids are made from the token and the key, so that two tokens never share one."""


def body() -> Any:
    """The JSON in the body. Raises Unusable if there is none."""
    if request.mimetype != "application/json":
        raise Unusable(
            415, "not_json", "Send JSON with the header “Content-Type: application/json”."
        )
    try:
        return plain_json(request.get_data(cache=False))
    except ValueError as error:
        raise Unusable(400, "malformed", str(error)) from None


def fields() -> dict[str, Any]:
    """The body as the fields of one command."""
    found = body()
    if not isinstance(found, dict):
        raise Unusable(400, "malformed", "The body must be one JSON object with named fields.")
    return found


def why(given: dict[str, Any]) -> str:
    """The reason among the fields of a command, which is none of them. Raises Invalid."""
    found = given.pop("why", "")
    if not isinstance(found, str) or len(found) > LONGEST_WHY:
        raise Invalid("The request", {"why": f"Write at most {LONGEST_WHY:,} characters."})
    return found.strip()


def context() -> Context:
    """The context of one command, from its headers and parameters."""
    return context_of(request.headers.get("Idempotency-Key"), number("expected_version", lowest=0))


def context_of(key: str | None, expected_version: int | None, why: str = "") -> Context:
    """The same for one item of a batch."""
    return Context(
        actor=actor(),
        channel=CHANNEL,
        command_id=new_id() if key is None else _command_id(key),
        expected_version=expected_version,
        why=why,
    ).called_by(current_caller())


def actor() -> Actor:
    found: Actor = g.token.actor
    return found


def respond_async() -> bool:
    """Whether the caller prefers an answer as soon as a command is accepted (RFC 7240)."""
    return "respond-async" in request.headers.get("Prefer", "")


def number(name: str, *, lowest: int, highest: int = 2**31 - 1) -> int | None:
    """A whole number among the parameters, or None. Raises Invalid outside its limits."""
    text = request.args.get(name)
    if text is None:
        return None
    if not WHOLE_NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
        sentence = f"Enter a whole number from {lowest} to {highest}."
        raise Invalid("The request", {name: sentence})
    return int(text)


def seconds(name: str, *, highest: float) -> float | None:
    """A number of seconds among the parameters, or None. Raises Invalid outside its limits."""
    text = request.args.get(name)
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text) or float(text) > highest:
        sentence = f"Enter a number from 0 to {highest:g}, such as 2.5."
        raise Invalid("The request", {name: sentence})
    return float(text)


def flag(name: str) -> bool:
    """A yes or no among the parameters. Raises Invalid for anything else."""
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid("The request", {name: "Write true or false."})
    return text == "true"


def _command_id(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        sentence = f"Write 1 to {LONGEST_KEY} printable characters."
        raise Invalid("The request", {"Idempotency-Key": sentence})
    # A name may be reused after its token was revoked: it is then another token.
    return str(uuid.uuid5(NAMESPACE, f"{g.token.name}:{g.token.created_at.isoformat()}:{key}"))
