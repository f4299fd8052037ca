"""Why commands on policies and requests are refused."""

from __future__ import annotations

from collections.abc import Container, Iterable

from cqrs_app.kernel.errors import Refusal

NO_SUCH_POLICY = Refusal("no_such_policy", "There is no policy of this name.")
UNKNOWN_ACTION = Refusal("unknown_action", "A policy cannot be about this command.")
UNKNOWN_FIELD = Refusal("unknown_field", "A condition is about a field that the command lacks.")
REQUEST_EXISTS = Refusal("request_exists", "The request exists.")
ALREADY_REQUESTED = Refusal(
    "already_requested", "A request for the same action on the same thing is open."
)
NOBODY_CAN_SIGN = Refusal(
    "nobody_can_sign", "Too few people could approve it, the one who asks left out."
)
NO_SUCH_REQUEST = Refusal("no_such_request", "There is no request of this id.")
NOT_OPEN = Refusal("not_open", "The request is in another state.")
OWN_REQUEST = Refusal("own_request", "Whoever asked cannot sign, by whatever account or token.")
NOT_A_SIGNER = Refusal("not_a_signer", "The policy names others.")
ALREADY_SIGNED = Refusal("already_signed", "The person has approved it before.")
NOT_AS_SHOWN = Refusal("not_as_shown", "The signature is for something else than the request.")
CHANGED_SINCE = Refusal("outdated", "In a batch: what would be signed has changed since.")
NOT_IN_BULK = Refusal("not_in_bulk", "A policy wants it signed by itself, not in a batch.")
COMMENT_NEEDED = Refusal("comment_needed", "The policy wants to know why it is refused.")
DEADLINE_OVER = Refusal("deadline_over", "It should have been decided before.")
NOT_YOURS = Refusal("not_yours", "Somebody else asked for it.")
MORE_NEEDED = Refusal("more_needed", "By now the policies ask for approvals that it lacks.")
NOT_YOUR_SIGNATURE = Refusal("not_your_signature", "Only they themselves delegate it.")
UNKNOWN_DELEGATE = Refusal("unknown_delegate", "This operator cannot sign, or is the same one.")
ENDS_BEFORE = Refusal("ends_before", "The end of a delegation has passed.")
NOT_DELEGATED = Refusal("not_delegated", "Nobody signs for this operator.")
NOTHING_TO_REMIND = Refusal("nothing_to_remind", "It is not due, or they have been reminded.")
NO_REVIEW_DUE = Refusal("no_review_due", "Nothing was overridden, or somebody has reviewed it.")
NOT_A_REVIEWER = Refusal(
    "not_a_reviewer", "Whoever asked or overrode cannot review it, nor who could not have signed."
)
NOT_APPROVED = Refusal("not_approved", "The request is not approved, or for something else.")


def require_known(commands: Iterable[str], known: Container[str]) -> None:
    """Raises UNKNOWN_ACTION for names that are not among the `known` ones."""
    if unknown := [each for each in commands if each not in known]:
        raise UNKNOWN_ACTION(
            f"{', '.join(unknown)} cannot need approval. Nothing was changed. "
            "Use the names of commands as they are in the catalogue, such as RefundPayment."
        )
