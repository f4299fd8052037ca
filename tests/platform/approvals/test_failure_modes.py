"""How approvals fail elsewhere, and the tests that say they do not here."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.platform.approvals import (
    test_approvals,
    test_bulk,
    test_delegation,
    test_doors,
    test_interleavings,
    test_overrides,
    test_policies,
)

MODES: dict[str, tuple[ModuleType, tuple[str, ...]]] = {
    "two approvals, or a yes and a no, at the same time": (
        test_approvals,
        (
            "test_of_a_yes_and_a_no_at_once_the_first_in_the_stream_decides",
            "test_two_approvals_at_once_count_as_two",
        ),
    ),
    "one approval, several executions": (
        test_approvals,
        (
            "test_the_same_command_id_is_the_same_request",
            "test_killed_after_it_was_carried_out_it_is_not_carried_out_again",
            "test_two_processes_that_carry_it_out_record_that_it_was",
        ),
    ),
    "the content changes after it was approved": (
        test_approvals,
        (
            "test_a_signature_is_for_exactly_what_was_shown",
            "test_content_that_changed_since_makes_the_request_stale_instead_of_signed",
            "test_content_that_changes_after_approval_is_not_carried_out",
        ),
    ),
    "what is out of date and has signatures cannot be ended": (
        test_approvals,
        ("test_a_stale_request_with_signatures_can_be_withdrawn_or_asked_again",),
    ),
    "an old approval counts again after a later no": (
        test_approvals,
        ("test_any_no_ends_it_and_no_earlier_yes_revives_it",),
    ),
    "a refusal deletes the evidence": (
        test_approvals,
        ("test_a_refusal_keeps_the_evidence_and_needs_a_comment",),
    ),
    "the stored fields are no longer those that were sent": (
        test_approvals,
        ("test_what_is_carried_out_has_the_very_fields_that_were_sent",),
    ),
    "a bypass leaves no trace": (
        test_overrides,
        (
            "test_an_override_is_a_problem_until_somebody_else_has_reviewed_it",
            "test_an_admin_who_overrides_their_own_request_does_not_go_unnoticed",
        ),
    ),
    "whoever asks signs, by another role, account, token or delegate": (
        test_approvals,
        (
            "test_nobody_signs_their_own_request_by_whatever_account",
            "test_what_a_token_asks_for_its_maker_cannot_sign",
        ),
    ),
    "whoever asks signs through somebody who lets them": (
        test_delegation,
        ("test_nobody_signs_their_own_request_through_it", "test_it_is_never_passed_on"),
    ),
    "a request that nobody can sign waits for ever": (
        test_approvals,
        ("test_where_nobody_could_sign_it_is_refused_at_once_and_says_who_could_be_made_able",),
    ),
    "groups are too small": (
        test_policies,
        ("test_too_few_signers_are_found_before_anybody_waits_for_them",),
    ),
    "without a decision it is carried out all the same": (
        test_approvals,
        ("test_what_nobody_decides_expires_and_so_does_what_is_not_carried_out",),
    ),
    "a changed policy lets open requests through": (
        test_approvals,
        ("test_what_needs_more_approvals_by_now_is_not_asked_again_with_fewer",),
    ),
    "another door gets round the rules": (
        test_doors,
        (
            "test_whatever_door_and_whoever_asks_nothing_runs_unsigned",
            "test_whatever_door_only_whom_the_policy_asks_signs",
        ),
    ),
    "signed in bulk, one that has changed is signed with the others": (
        test_bulk,
        ("test_each_is_signed_on_its_own_and_what_has_changed_falls_out",),
    ),
    "some order of events that nobody thought of": (
        test_interleavings,
        ("test_nothing_runs_unsigned_or_twice_and_nothing_approved_is_lost",),
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_each_way_to_fail_has_its_tests(mode: str) -> None:
    module, names = MODES[mode]
    assert [name for name in names if callable(getattr(module, name, None))] == [*names]
