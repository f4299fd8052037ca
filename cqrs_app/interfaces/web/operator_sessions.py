"""Ending one's own sessions."""

from __future__ import annotations

from flask import flash, g, redirect, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.attempts import log_event
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.services import services

# The first that matches: each browser also names those before it in time.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome"}
_BROWSERS |= {"Safari": "Safari"}
_SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad"}
_SYSTEMS |= {"Mac OS": "macOS", "Linux": "Linux"}


def device_of(user_agent: str) -> str:
    """What a browser says it is, in short, such as "Firefox on Linux"."""
    browser = next((name for mark, name in _BROWSERS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return " on ".join(filter(None, (browser, system))) or user_agent[:40] or "Unknown browser"


@bp.post("/account/sessions/<key>/end")
def end_session(key: str) -> ResponseReturnValue:
    """End one session."""
    if asked := step_up():
        return asked
    if services.sessions.end(g.operator.name, key):
        log_event(Kind.SESSIONS_ENDED, "session ended", g.operator.name)
        flash("Session ended.", "good")
    else:
        flash("This session has ended already.", "info")
    return redirect(url_for("web.account"), 303)


@bp.post("/account/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    """End all sessions but this one."""
    if asked := step_up():
        return asked
    count = services.sessions.end_all(g.operator.name, but=cookie["token"])
    log_event(Kind.SESSIONS_ENDED, f"{count} other sessions ended", g.operator.name)
    flash(f"{count} other session{'' if count == 1 else 's'} ended.", "good")
    return redirect(url_for("web.account"), 303)
