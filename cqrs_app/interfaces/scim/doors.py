"""Who may use it, and every error as RFC 7644 has it."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from flask import Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from cqrs_app.interfaces.api.auth import identify
from cqrs_app.interfaces.scim.blueprint import bp
from cqrs_app.interfaces.web.errors import report_page
from cqrs_app.kernel.commands.context import Actor, new_id
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.provisioning import AlreadyThere, NoSuchResource
from cqrs_app.platform.operators.roles import SCIM
from cqrs_app.services import kernel, services

MEDIA_TYPE = "application/scim+json"
LARGEST_BODY = 1024 * 1024
NOT_ALLOWED = f"This token lacks the permission {SCIM}. Nothing was done."
READ_ONLY = "Commands are switched off, so nothing can be provisioned now. Try again later."
FAULT = "Something went wrong in the console. Number: {}"

logger = logging.getLogger(__name__)


@bp.before_request
def require_token() -> ResponseReturnValue | None:
    """Require a token with the permission, also to read schemas."""
    request.max_content_length = LARGEST_BODY
    if refused := identify():
        kept = {name: refused.headers[name] for name in HEADERS if name in refused.headers}
        detail = msgspec.json.decode(refused.get_data())["detail"]
        return error(refused.status_code, detail, headers=kept)
    if not g.token.actor.may(SCIM):
        return error(403, NOT_ALLOWED)
    if request.method not in ("GET", "HEAD", "OPTIONS") and not kernel.commands.enabled:
        return error(503, READ_ONLY)
    return None


HEADERS = ("WWW-Authenticate", "Retry-After")


def actor() -> Actor:
    """The token. The groups it provisions give roles as SCIM_ROLES says, whatever the token may do
    otherwise."""
    everything = frozenset[str]().union(*services.roles.all().values())
    return Actor(g.token.actor.name, everything)


def error(
    status: int, detail: str, scim_type: str = "", headers: dict[str, str] | None = None
) -> Response:
    from scim2_models import Error

    body = Error(status=status, scim_type=scim_type or None, detail=detail)
    return answer(body.model_dump(), status, headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, mimetype=MEDIA_TYPE)


@bp.errorhandler(AccountError)
def _account(refused: AccountError) -> Response:
    if isinstance(refused, NoSuchResource):
        return error(404, str(refused))
    if isinstance(refused, AlreadyThere):
        return error(409, str(refused), "uniqueness")
    return error(400, str(refused), "invalidValue")


@bp.errorhandler(BusError)
def _bus(refused: BusError) -> Response:
    return error(400, refused.sentence, "invalidValue")


def _database(trouble: Exception) -> Response:
    logger.error("the database does not answer: %s", trouble)
    return error(503, "The database does not answer. Try again.", headers={"Retry-After": "2"})


for each in DATABASE_TROUBLE:
    bp.register_error_handler(each, _database)


@bp.errorhandler(HTTPException)
def _http(refused: HTTPException) -> Response:
    return error(refused.code or 500, refused.description or "This did not work.")


@bp.errorhandler(Exception)
def _other(fault: Exception) -> Response:
    # Registered by class, these would be imported at the start: see routes.py.
    from pydantic import ValidationError
    from scim2_models import Error, SCIMException

    if isinstance(fault, SCIMException):
        return answer(fault.to_error().model_dump(), fault.status)
    if isinstance(fault, ValidationError):
        found = Error.from_validation_errors(fault.errors())[0]
        return answer(found.model_dump(), found.status or 400)
    number = new_id()
    logger.error("%s: provisioning failed", number, exc_info=fault)
    report_page(fault, number)
    return error(500, FAULT.format(number))


@bp.before_app_request
def _unrouted() -> ResponseReturnValue | None:
    # Without an endpoint there is no blueprint whose handlers apply.
    if request.routing_exception and request.path.startswith(f"{bp.url_prefix}/"):
        code = request.routing_exception.code or 404
        return error(code, "There is nothing at this address.") if code >= 400 else None
    return None
