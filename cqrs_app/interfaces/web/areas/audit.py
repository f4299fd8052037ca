"""Security events: the list."""

from __future__ import annotations

from types import MappingProxyType

from flask import render_template
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import asked_here, chips, moments, turning
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.queries import ListSecurityEvents

FILTERS = MappingProxyType(
    {"who": "Who", "kind": "Kind", "outcome": "Outcome", "since": "Since", "until": "Until"}
)
OUTCOMES = MappingProxyType({"succeeded": "Succeeded", "refused": "Refused"})
KINDS = MappingProxyType({str(kind): kind.label for kind in Kind})
CHANNELS = MappingProxyType({"form": "Page", "api": "API", "scim": "SCIM", "cli": "Command line"})


@bp.get("/audit")
def audit() -> ResponseReturnValue:
    """One page of the security events that match, newest first."""
    question = asked_here(ListSecurityEvents)
    answer = ask(question)
    words = {"kind": KINDS, "outcome": OUTCOMES, **moments("since", "until")}
    return render_template(
        "audit/audit.html",
        page=answer.value,
        freshness=answer.freshness,
        question=question,
        kinds=KINDS,
        outcomes=OUTCOMES,
        channels=CHANNELS,
        downloads=downloads(ListSecurityEvents),
        chips=chips("web.audit", FILTERS, words),
        **turning("web.audit", answer.value, question.limit),
    )
