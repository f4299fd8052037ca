"""Why a command about operators or roles is refused."""

from __future__ import annotations

from cqrs_app.kernel.errors import Refusal

NO_SUCH_OPERATOR = Refusal("no_such_operator", "There is no operator of this name.")
OPERATOR_EXISTS = Refusal("operator_exists", "There is an operator of this name already.")
NO_SUCH_ROLE = Refusal("no_such_role", "There is no role of this name.")
ROLE_EXISTS = Refusal("role_exists", "There is a role of this name already.")
ROLE_IN_USE = Refusal("role_in_use", "An operator or an API token has the role.")
UNKNOWN_PERMISSION = Refusal("unknown_permission", "There is no such permission.")
BEYOND_ROLE = Refusal("beyond_role", "The role that it is based on lacks a permission.")
UNKNOWN_LIMIT = Refusal("unknown_limit", "There is no such action, country or team.")
LIMITS_AVOIDABLE = Refusal("limits_avoidable", "Whoever has the role could lift its limits.")
BEYOND_YOURS = Refusal("beyond_yours", "Whoever gives the role lacks one of its permissions.")
LAST_ADMINISTRATOR = Refusal("last_administrator", "It is the last administrator who can sign in.")
ONESELF = Refusal("oneself", "It is about the operator who sends it.")
ALREADY_DISABLED = Refusal("already_disabled", "The account is disabled already.")
NOT_DISABLED = Refusal("not_disabled", "The account is not disabled.")
UNCHANGED = Refusal("unchanged", "It is so already.")
LINK_USED = Refusal("link_used", "The sign-in link does not work any more.")
CHANGED_ACCESS = Refusal("changed_access", "Who may do what has changed since it was shown.")
