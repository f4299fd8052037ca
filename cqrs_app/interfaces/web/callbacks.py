"""Where payment providers send their answers: signed messages, without sign-in or session."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from cqrs_app.areas.payments.callbacks import Callbacks
from cqrs_app.interfaces.web.auth import public
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.kernel.errors import BusError, Invalid, Refused, VersionConflict
from cqrs_app.kernel.signing import NotGenuine
from cqrs_app.services import services
from cqrs_app.settings.fields import PAYMENT_GATEWAYS

LONGEST_BYTES = 64 * 1024


@bp.post("/callbacks/payments/<gateway>")
@public
def payment_callback(gateway: str) -> ResponseReturnValue:
    """Carry out a provider's message: 200 also for a repeated one."""
    if gateway not in PAYMENT_GATEWAYS:
        return _no(404, "no_such_gateway", f"There is no gateway {gateway} here.")
    callbacks: Callbacks = services.payment_callbacks
    request.max_content_length = LONGEST_BYTES
    sent = {name.lower(): text for name, text in request.headers.items()}
    try:
        receipt = callbacks.receive(gateway, sent, request.get_data())
    except NotGenuine as error:
        return _no(401, "not_genuine", f"{error} Nothing was changed.")
    except Invalid as error:
        return _no(400, error.code, f"{error.sentence} Nothing was changed.")
    except (Refused, VersionConflict) as error:
        return _no(409, error.code, error.sentence)
    except BusError as error:
        # Not now: the provider sends it again.
        return _no(503, error.code, error.sentence)
    return jsonify({"command_id": receipt.command_id, "events": receipt.events})


def _no(status: int, code: str, sentence: str) -> ResponseReturnValue:
    return jsonify({"code": code, "sentence": sentence}), status
