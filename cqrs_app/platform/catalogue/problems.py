"""The problems with which the API can answer a request."""

from __future__ import annotations

KINDS = {
    "malformed": "The request cannot be read at all: no JSON, or not in the form asked for.",
    "no_token": "There is no bearer token.",
    "unknown_token": "The bearer token is not known, has expired or was revoked.",
    "wrong_network": "The token does not work from this network.",
    "not_allowed": "The token lacks the permission, or another web site sent this.",
    "not_found": "There is nothing at this address.",
    "unknown": "There is no command or query of this name.",
    "method_not_allowed": "The address takes other methods: see the header Allow.",
    "changed_meanwhile": "The stream is newer than the version you gave; `events` are those since.",
    "too_large": "There is more in it than is taken at once.",
    "not_json": "The content type is not JSON.",
    "invalid": "Fields cannot be used; `errors` says which and why.",
    "refused": "A rule of the shop said no; `code` says which one, `detail` why.",
    "command_id_reused": "The Idempotency-Key was used before, for something else.",
    "too_many_requests": "Too many requests; the header Retry-After says when to try again.",
    "unknown_event_type": "There is no event of that type.",
    "beyond_head": "The position given is beyond the end of the log.",
    "too_stale": "No answer is as fresh as was asked for; `position` and `lag_seconds` are those "
    "of the one there is.",
    "unknown_event": "The feed has come to an event of a newer release; it goes on after that.",
    "busy": "More at once than the settings allow.",
    "switched_off": "Commands are switched off by setting.",
    "timed_out": "It took longer than the settings allow.",
    "unavailable": "A part of the console cannot be reached.",
    "failed": "The console met a fault; `number` finds it in its log.",
}
"""`code` of a problem -> its meaning. Other codes are those of a command's rules."""
