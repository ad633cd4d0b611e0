"""Fifty-five pains of other gateways' users (numbers are ours): what proves that they are not here.

number → (the pain in a few words, the proof). A proof is a test (file::function), or a sentence that begins with
"can't" and says why there is nothing to test, or one that begins with "open" and says what is still missing.
"""

_RULE, _PAINS = "policy/test_ai_rule.py", "policy/test_pains.py"
_SDKS, _STREAMS = "live/test_sdks.py", "live/test_pains.py"

# fmt: off
PAINS: dict[int, tuple[str, str]] = {
    1: ("a budget is passed by parallel calls", f"{_SDKS}::test_fifty_parallel_calls_against_a_budget_for_three"),
    2: ("first calls of an unknown subject dodge its limits", f"{_PAINS}::test_the_first_calls_of_a_new_subject_find_its_limits_at_once"),
    3: ("a limiter is built and never armed", "policy/test_tiering.py::test_each_limit_says_where_it_is_armed"),
    4: ("a setting arms a second cap", f"{_PAINS}::test_a_call_counts_once_on_each_declared_limit_and_on_nothing_else"),
    5: ("false denials under load", f"{_PAINS}::test_no_false_denial_at_a_tenth_of_the_budget_without_max_tokens"),
    6: ("one mispriced row locks a user", "live/test_mispriced.py::test_a_corrected_price_frees_who_it_locked_and_history_keeps_both_rows"),
    7: ("usage is lost when a client leaves", f"{_STREAMS}::test_a_stream_that_breaks_after_any_chunk_has_one_row_and_bills_what_came"),
    8: ("a partial stream is priced at zero", f"{_PAINS}::test_a_stream_and_its_twin_cost_the_same_to_the_nano_dollar"),
    9: ("a stream without usage under-counts", f"{_RULE}::test_any_split_of_a_stream_gives_the_same_bytes_and_the_same_usage"),
    10: ("include_usage breaks the log", f"{_STREAMS}::test_streams_usage_and_tools_in_every_mix_are_counted_as_the_mock_counts"),
    11: ("windows share one stamp", "policy/test_limits.py::test_no_calendar_window_holds_more_than_its_amount"),
    12: ("a token limit is passed by concurrency", f"{_PAINS}::test_mixed_sizes_at_once_never_pass_a_token_budget"),
    13: ("denied by one limit, counted on another", f"{_PAINS}::test_a_denial_at_one_limit_takes_nothing_from_the_others"),
    14: ("counted twice, or tokens as one", f"{_PAINS}::test_a_call_counts_once_on_each_declared_limit_and_on_nothing_else"),
    15: ("slots leak on errors and cancels", f"{_STREAMS}::test_no_way_to_end_keeps_a_place"),
    16: ("a cap leaks over workers", "can't: one process counts, and a lock keeps a second one off its data (storage/test_lock.py)"),
    17: ("an error names the wrong limit", f"{_RULE}::test_a_denial_names_limit_used_and_requested"),
    18: ("a new window on a used key locks it", f"{_PAINS}::test_a_changed_limit_holds_for_the_next_call_in_both_directions_and_goes_on_counting"),
    19: ("budgets never begin anew", f"{_PAINS}::test_windows_begin_anew_by_the_tiers_own_clock_over_a_leap_year"),
    20: ("a reset leaves a window stuck", "can't: there is no reset, each window is read off the clock by itself (policy/spans.py)"),
    21: ("resets wait for a job", "policy/test_spans.py::test_forty_resets_in_a_row"),
    22: ("spend is lost in a crash", f"{_SDKS}::test_a_kill_during_streams_leaves_a_ledger_that_adds_up_and_no_place_taken"),
    23: ("the log is scanned in the request's path", "storage/test_spend.py::test_no_question_reads_the_whole_ledger"),
    24: ("cached tokens are billed twice", "metering/test_meter.py::test_parts_always_add_up_to_the_reported_totals"),
    25: ("Anthropic's stream total is its output", "metering/test_meter.py::test_golden_streams"),
    26: ("a total is larger than its parts", "metering/test_meter.py::test_a_total_beyond_its_parts_is_thought_that_was_used_and_is_flagged"),
    27: ("the Responses API is counted wrong", "metering/test_meter.py::test_golden_streams"),
    28: ("no usage, or a crash, per provider", f"{_SDKS}::test_whatever_the_provider_says_of_usage_something_credible_is_counted"),
    29: ("a stream is counted twice", f"{_RULE}::test_settling_comes_once"),
    30: ("an unknown price is zero", f"{_RULE}::test_gates_refuse_in_the_providers_words_and_hold_nothing"),
    31: ("free models are blocked by a spent budget", f"{_RULE}::test_what_costs_nothing_passes_a_spent_budget"),
    32: ("a reservation is skipped or dropped where cost is unknown", f"{_RULE}::test_an_answer_that_can_not_be_read_costs_what_was_held"),
    33: ("no Retry-After", f"{_SDKS}::test_openais_sdk_raises_and_asks_again_as_with_the_provider"),
    34: ("the rest never falls, or is negative", f"{_PAINS}::test_remaining_falls_within_a_window_is_never_negative_and_matches_what_is_stored"),
    35: ("counted late, too many pass", "live/test_limits.py::test_200_parallel_calls_against_50"),
    36: ("a limit is shared by all", f"{_RULE}::test_consumers_do_not_share_an_account"),
    37: ("only the next call is stopped", f"{_SDKS}::test_fifty_parallel_calls_against_a_budget_for_three"),
    38: ("some path dodges budgets", "metering/test_meter.py::test_no_spelling_of_a_path_hides_an_ai_call"),
    39: ("a setting is taken and not stored", "gateway/admin/test_tiers.py::test_what_can_not_be_is_refused_by_field_and_nothing_is_made"),
    40: ("an alert fires at the wrong share", "policy/test_alerts.py::test_a_threshold_fires_exactly_where_the_running_sum_reaches_it"),
    41: ("an alert on every request", "policy/test_alerts.py::test_each_threshold_fires_with_the_call_that_reaches_it_and_only_once"),
    42: ("a revoked key goes on working", "live/test_writes.py::test_each_write_holds_for_the_next_request"),
    43: ("a hiccup of the store is for ever", "storage/test_writer.py::test_a_long_lock_is_told_and_heals_and_nothing_is_lost_or_double"),
    44: ("totals do not agree", "cli/test_verify.py::test_it_adds_up_while_the_gateway_runs_and_after"),
    45: ("memory grows", "live/test_memory.py::test_memory_is_level_over_thousands_of_ai_calls"),
    46: ("days begin in UTC to a user's surprise", f"{_PAINS}::test_windows_begin_anew_by_the_tiers_own_clock_over_a_leap_year"),
    47: ("an error in a 200 stream is swallowed", f"{_STREAMS}::test_an_error_inside_a_stream_reaches_the_client_and_the_part_is_billed"),
    48: ("denied calls count, nobody gets in again", f"{_PAINS}::test_who_hammers_is_let_in_as_often_as_who_does_not"),
    49: ("a 429 lacks its fields", "policy/test_ai_refusals.py::test_what_passes_soon_is_waited_for_and_what_does_not_stops_the_client"),
    50: ("no signal before the budget is gone", "policy/test_alerts.py::test_eighty_percent_is_told_before_the_first_denial_of_real_calls"),
    51: ("a budget caps nothing without its store", "can't: without a ledger that can be written nothing is admitted (503)"),
    52: ("whose budget holds changes by release", "policy/test_tiers.py::test_a_consumers_amendment_overrides"),
    53: ("a guard reads spend from a cache", f"{_RULE}::test_fifty_at_once_against_a_budget_for_three"),
    54: ("a guard is inactive and reports zero", "cli/test_verify.py::test_the_mocks_own_count_is_told_beside_the_ledgers"),
    55: ("NaN or a negative cost disarms a budget", f"{_RULE}::test_lies_are_flagged_and_the_budget_stays_armed"),
}
# fmt: on
