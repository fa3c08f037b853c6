//! Every key of a target file, with the cases that try it from end to end. A key of the types that
//! is not in the table, and a case that does not exist, make a test fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rowferry::issue::TextFile;
use rowferry::target::load_file;

use crate::common::project;

/// Section, key, cases.
type Row = (&'static str, &'static str, &'static [&'static str]);

const KEYS: &[Row] = &[
    (
        "",
        "extends",
        &[
            "a_file_that_extends_another_replaces_one_fact_of_a_section",
            "a_file_extends_another_file_that_extends_a_third",
        ],
    ),
    ("", "name", &["targets_are_listed_shown_and_checked"]),
    (
        "",
        "docs",
        &["stripe_customers_are_forms_and_never_made_twice"],
    ),
    (
        "",
        "base_url",
        &[
            "base_path_query_wrap_and_constants_make_the_request",
            "the_base_url_may_come_from_the_environment",
        ],
    ),
    ("", "key_field", &["what_the_other_keys_do"]),
    (
        "",
        "open_fields",
        &["open_fields_lets_unknown_fields_through_and_the_others_are_a_mistake"],
    ),
    (
        "",
        "auth",
        &[
            "secrets_stand_in_the_header_that_the_file_names",
            "a_target_without_auth_needs_none",
        ],
    ),
    (
        "",
        "headers",
        &[
            "headers_come_from_the_file_and_the_environment",
            "a_kind_of_json_that_the_file_names_is_the_bodys",
        ],
    ),
    (
        "",
        "create",
        &["base_path_query_wrap_and_constants_make_the_request"],
    ),
    (
        "",
        "lookup",
        &["look_ups_are_tried_in_order_and_one_record_may_be_the_answer"],
    ),
    ("", "list", &["a_list_is_read_once_to_its_end"]),
    (
        "",
        "read",
        &["a_replacing_update_sends_what_is_there_with_the_row_over_it"],
    ),
    ("", "update", &["a_partial_update_sends_only_what_differs"]),
    ("", "delete", &["what_the_other_keys_do"]),
    (
        "",
        "errors",
        &["shapes_are_tried_in_turn_and_what_fits_none_is_shown_as_it_is"],
    ),
    ("", "limits", &["a_quota_of_a_day_counts_over_runs"]),
    (
        "",
        "fields",
        &["open_fields_lets_unknown_fields_through_and_the_others_are_a_mistake"],
    ),
    ("", "custom", &["custom_fields_travel_in_each_shape"]),
    (
        "auth",
        "kind",
        &[
            "secrets_stand_in_the_header_that_the_file_names",
            "a_token_is_asked_for_once_in_json_or_as_a_form",
        ],
    ),
    (
        "auth",
        "env",
        &[
            "secrets_stand_in_the_header_that_the_file_names",
            "a_variable_that_is_missing_is_named_and_nothing_is_sent",
        ],
    ),
    (
        "auth",
        "header",
        &["secrets_stand_in_the_header_that_the_file_names"],
    ),
    (
        "auth",
        "prefix",
        &["secrets_stand_in_the_header_that_the_file_names"],
    ),
    (
        "auth",
        "user_env",
        &[
            "secrets_stand_in_the_header_that_the_file_names",
            "stripe_customers_changed_by_a_partial_form",
        ],
    ),
    (
        "auth",
        "password_env",
        &["secrets_stand_in_the_header_that_the_file_names"],
    ),
    (
        "auth",
        "grant",
        &[
            "a_token_is_asked_for_once_in_json_or_as_a_form",
            "a_rotated_refresh_token_is_written_back_to_its_file",
        ],
    ),
    (
        "auth",
        "token_path",
        &[
            "the_token_may_stand_at_the_origin_or_elsewhere",
            "a_token_address_elsewhere_must_be_safe_and_a_rehearsal_does_not_ask_there",
        ],
    ),
    (
        "auth",
        "token_body",
        &["a_token_is_asked_for_once_in_json_or_as_a_form"],
    ),
    (
        "auth",
        "id_env",
        &["a_token_is_asked_for_once_in_json_or_as_a_form"],
    ),
    (
        "auth",
        "secret_env",
        &[
            "a_token_is_asked_for_once_in_json_or_as_a_form",
            "another_secret_asks_whose_it_is_and_a_rotating_token_does_not",
        ],
    ),
    (
        "auth",
        "refresh_env",
        &["a_rotated_refresh_token_is_written_back_to_its_file"],
    ),
    (
        "auth",
        "scope",
        &["a_token_is_asked_for_once_in_json_or_as_a_form"],
    ),
    (
        "headers.*",
        "env",
        &["headers_come_from_the_file_and_the_environment"],
    ),
    (
        "headers.*",
        "account",
        &[
            "headers_come_from_the_file_and_the_environment",
            "each_account_has_a_ledger_of_its_own",
        ],
    ),
    (
        "headers.*",
        "required",
        &["headers_come_from_the_file_and_the_environment"],
    ),
    (
        "create",
        "method",
        &["base_path_query_wrap_and_constants_make_the_request"],
    ),
    (
        "create",
        "path",
        &[
            "base_path_query_wrap_and_constants_make_the_request",
            "a_value_never_names_another_path",
        ],
    ),
    (
        "create",
        "query",
        &["base_path_query_wrap_and_constants_make_the_request"],
    ),
    (
        "create",
        "body",
        &[
            "a_form_nests_keys_in_brackets",
            "stripe_customers_are_forms_and_never_made_twice",
        ],
    ),
    (
        "create",
        "wrap",
        &["base_path_query_wrap_and_constants_make_the_request"],
    ),
    (
        "create",
        "constants",
        &[
            "base_path_query_wrap_and_constants_make_the_request",
            "a_form_nests_keys_in_brackets",
        ],
    ),
    (
        "create",
        "success",
        &["success_is_a_status_and_a_flag_and_an_id"],
    ),
    (
        "create",
        "ok",
        &[
            "success_is_a_status_and_a_flag_and_an_id",
            "a_batch_that_is_refused_as_a_whole_is_split",
        ],
    ),
    (
        "create",
        "id",
        &[
            "success_is_a_status_and_a_flag_and_an_id",
            "a_page_of_html_is_no_success_even_where_no_id_is_named",
        ],
    ),
    (
        "create",
        "address",
        &[
            "what_the_other_keys_do",
            "a_natural_key_makes_repetition_safe",
        ],
    ),
    (
        "create",
        "idempotency_header",
        &[
            "an_idempotency_key_makes_repetition_safe",
            "stripe_customers_are_forms_and_never_made_twice",
        ],
    ),
    (
        "create",
        "idempotency_ttl",
        &["an_idempotency_key_proves_nothing_once_it_is_forgotten"],
    ),
    (
        "create",
        "packing",
        &["a_body_is_packed_where_the_target_says_so"],
    ),
    (
        "create",
        "natural_key",
        &["a_natural_key_makes_repetition_safe"],
    ),
    (
        "create",
        "exists",
        &[
            "an_answer_that_it_exists_is_decided_by_the_policy",
            "a_target_that_says_it_exists_when_asked_serves_the_policy",
        ],
    ),
    (
        "create",
        "batch",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.natural_key",
        "field",
        &["two_keys_never_share_a_natural_key"],
    ),
    (
        "create.natural_key",
        "template",
        &["two_keys_never_share_a_natural_key"],
    ),
    (
        "matcher",
        "status",
        &[
            "codes_that_the_file_calls_fatal_end_the_run",
            "items_are_matched_as_whole_answers_are",
        ],
    ),
    (
        "matcher",
        "code",
        &[
            "codes_that_the_file_calls_fatal_end_the_run",
            "items_are_matched_as_whole_answers_are",
        ],
    ),
    (
        "matcher",
        "message",
        &["codes_that_the_file_calls_fatal_end_the_run"],
    ),
    (
        "matcher",
        "field",
        &["each_shape_of_errors_may_say_what_is_to_be_sent_again_and_what_ends_the_run"],
    ),
    (
        "create.batch",
        "path",
        &[
            "a_batch_has_its_own_address_and_items_with_constants",
            "a_body_may_be_the_array_and_an_item_the_record",
        ],
    ),
    (
        "create.batch",
        "method",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "query",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "success",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "max",
        &[
            "a_batch_has_its_own_address_and_items_with_constants",
            "hubspot_contacts_in_batches_answered_in_any_order",
        ],
    ),
    (
        "create.batch",
        "max_bytes",
        &["a_batch_ends_at_its_bytes_whatever_stands_around_the_records"],
    ),
    (
        "create.batch",
        "at",
        &[
            "a_batch_has_its_own_address_and_items_with_constants",
            "a_body_may_be_the_array_and_an_item_the_record",
        ],
    ),
    (
        "create.batch",
        "item",
        &[
            "a_batch_has_its_own_address_and_items_with_constants",
            "a_body_may_be_the_array_and_an_item_the_record",
        ],
    ),
    (
        "create.batch",
        "item_constants",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "trace",
        &[
            "a_batch_has_its_own_address_and_items_with_constants",
            "hubspot_contacts_in_batches_answered_in_any_order",
        ],
    ),
    (
        "create.batch",
        "results",
        &[
            "a_body_may_be_the_array_and_an_item_the_record",
            "hubspot_contacts_in_batches_answered_in_any_order",
        ],
    ),
    (
        "create.batch",
        "errors",
        &[
            "hubspot_contacts_in_batches_answered_in_any_order",
            "errors_apart_may_say_their_places",
        ],
    ),
    (
        "create.batch",
        "match",
        &[
            "answers_by_a_value_of_the_record_itself",
            "errors_apart_may_say_their_places",
            "an_answer_that_lost_its_places_leaves_all_uncertain",
        ],
    ),
    (
        "create.batch",
        "item_ok",
        &["a_refused_item_says_so_as_a_text_an_error_or_a_list_of_them"],
    ),
    (
        "create.batch",
        "item_id",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "item_address",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch",
        "item_error",
        &["a_refused_item_says_so_as_a_text_an_error_or_a_list_of_them"],
    ),
    (
        "create.batch",
        "silent",
        &["apis_that_answer_refusals_only_are_taken_at_their_word"],
    ),
    (
        "create.batch",
        "atomic",
        &["a_batch_that_is_refused_as_a_whole_is_split"],
    ),
    (
        "create.batch.match",
        "item",
        &[
            "answers_by_a_value_of_the_record_itself",
            "hubspot_contacts_in_batches_answered_in_any_order",
        ],
    ),
    (
        "create.batch.match",
        "result",
        &["a_batch_has_its_own_address_and_items_with_constants"],
    ),
    (
        "create.batch.match",
        "error",
        &["hubspot_contacts_in_batches_answered_in_any_order"],
    ),
    (
        "lookup",
        "method",
        &["hubspot_contacts_that_are_there_are_found_by_a_posted_search"],
    ),
    (
        "lookup",
        "path",
        &["look_ups_are_tried_in_order_and_one_record_may_be_the_answer"],
    ),
    (
        "lookup",
        "query",
        &["look_ups_are_tried_in_order_and_one_record_may_be_the_answer"],
    ),
    (
        "lookup",
        "body",
        &["hubspot_contacts_that_are_there_are_found_by_a_posted_search"],
    ),
    (
        "lookup",
        "results",
        &[
            "look_ups_are_tried_in_order_and_one_record_may_be_the_answer",
            "several_matches_or_one_in_another_form_refuse_the_row",
        ],
    ),
    (
        "lookup",
        "record",
        &["hubspot_contacts_in_batches_answered_in_any_order"],
    ),
    (
        "lookup",
        "where",
        &[
            "a_look_up_comes_before_the_create_and_what_is_there_is_left_alone",
            "hubspot_contacts_that_are_there_are_found_by_a_posted_search",
        ],
    ),
    (
        "lookup",
        "prove",
        &["a_match_that_is_not_proved_leaves_the_row_uncertain"],
    ),
    (
        "lookup",
        "lag",
        &["a_lag_is_waited_for_before_none_found_counts"],
    ),
    (
        "lookup",
        "id",
        &["a_look_up_comes_before_the_create_and_what_is_there_is_left_alone"],
    ),
    (
        "lookup",
        "address",
        &["a_partial_update_sends_only_what_differs"],
    ),
    ("list", "method", &["what_the_other_keys_do"]),
    ("list", "path", &["a_list_is_read_once_to_its_end"]),
    ("list", "query", &["what_the_other_keys_do"]),
    (
        "list",
        "results",
        &["a_list_is_read_once_to_its_end", "what_the_other_keys_do"],
    ),
    ("list", "id", &["a_list_is_read_once_to_its_end"]),
    ("list", "address", &["what_the_other_keys_do"]),
    ("list", "by", &["a_list_is_read_once_to_its_end"]),
    (
        "list",
        "paging",
        &[
            "a_list_is_read_once_to_its_end",
            "a_list_that_gives_the_same_page_for_ever_is_given_up",
        ],
    ),
    ("list.paging", "kind", &["a_list_is_read_once_to_its_end"]),
    ("list.paging", "param", &["a_list_is_read_once_to_its_end"]),
    ("list.paging", "next", &["a_list_is_read_once_to_its_end"]),
    ("list.paging", "last", &["a_list_is_read_once_to_its_end"]),
    ("list.paging", "size_param", &["what_the_other_keys_do"]),
    ("list.paging", "size", &["what_the_other_keys_do"]),
    ("read", "method", &["what_the_other_keys_do"]),
    (
        "read",
        "path",
        &[
            "a_partial_update_sends_only_what_differs",
            "hubspot_contacts_that_are_there_are_found_by_a_posted_search",
        ],
    ),
    (
        "read",
        "record",
        &["a_partial_update_sends_only_what_differs"],
    ),
    (
        "update",
        "method",
        &["a_replacing_update_sends_what_is_there_with_the_row_over_it"],
    ),
    (
        "update",
        "path",
        &["a_partial_update_sends_only_what_differs"],
    ),
    ("update", "query", &["what_the_other_keys_do"]),
    (
        "update",
        "mode",
        &[
            "a_replacing_update_sends_what_is_there_with_the_row_over_it",
            "a_partial_update_sends_only_what_differs",
        ],
    ),
    (
        "update",
        "keyed",
        &[
            "a_keyed_update_goes_first_and_the_create_follows_where_there_is_none",
            "a_keyed_update_tells_what_became_of_an_attempt",
            "a_row_without_the_key_of_a_keyed_update_is_looked_up_or_told_and_never_made_twice",
        ],
    ),
    (
        "update",
        "missing",
        &["a_keyed_update_goes_first_and_the_create_follows_where_there_is_none"],
    ),
    (
        "update",
        "never",
        &[
            "a_partial_update_sends_only_what_differs",
            "a_replacing_update_sends_what_is_there_with_the_row_over_it",
        ],
    ),
    (
        "update",
        "unreadable",
        &["a_replacing_update_is_refused_where_it_would_clear_what_cannot_be_read"],
    ),
    (
        "update",
        "success",
        &["a_partial_update_sends_only_what_differs"],
    ),
    ("delete", "method", &["what_the_other_keys_do"]),
    ("delete", "path", &["what_the_other_keys_do"]),
    ("delete", "success", &["what_the_other_keys_do"]),
    (
        "errors",
        "message",
        &[
            "problem_json_names_locations",
            "shopify_gives_errors_as_a_text_an_object_or_a_list_of_user_errors",
        ],
    ),
    (
        "errors",
        "code",
        &["codes_that_the_file_calls_fatal_end_the_run"],
    ),
    (
        "errors",
        "fields",
        &[
            "problem_json_names_locations",
            "django_nests_fields_in_the_answer_itself",
            "laravel_names_fields_with_lists_of_messages",
        ],
    ),
    (
        "errors",
        "field",
        &[
            "problem_json_names_locations",
            "stripe_names_the_parameter_of_one_error",
            "a_list_may_be_the_path_of_one_field",
        ],
    ),
    (
        "errors",
        "text",
        &[
            "problem_json_names_locations",
            "graphql_lists_have_paths_and_nested_codes",
        ],
    ),
    (
        "errors",
        "strip",
        &[
            "problem_json_names_locations",
            "json_api_points_into_the_document",
        ],
    ),
    (
        "errors",
        "field_pattern",
        &[
            "a_message_alone_names_its_field_by_a_pattern",
            "lists_of_texts_name_their_fields_by_a_pattern",
        ],
    ),
    (
        "errors",
        "fatal",
        &["codes_that_the_file_calls_fatal_end_the_run"],
    ),
    (
        "errors",
        "retry",
        &[
            "what_was_certainly_not_carried_out_is_sent_again",
            "each_shape_of_errors_may_say_what_is_to_be_sent_again_and_what_ends_the_run",
        ],
    ),
    ("limits", "rate", &["a_quota_of_a_day_counts_over_runs"]),
    ("limits", "assumed", &["a_quota_of_a_day_counts_over_runs"]),
    (
        "limits",
        "concurrency",
        &["a_quota_of_a_day_counts_over_runs"],
    ),
    (
        "limits",
        "headers",
        &["headers_that_say_that_nothing_is_left_for_long_end_the_run"],
    ),
    (
        "limits.headers",
        "limit",
        &["headers_that_say_that_nothing_is_left_for_long_end_the_run"],
    ),
    (
        "limits.headers",
        "remaining",
        &["headers_that_say_that_nothing_is_left_for_long_end_the_run"],
    ),
    (
        "limits.headers",
        "reset",
        &["headers_that_say_that_nothing_is_left_for_long_end_the_run"],
    ),
    (
        "limits.headers",
        "reset_in",
        &["headers_that_say_that_nothing_is_left_for_long_end_the_run"],
    ),
    (
        "fields.*",
        "type",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "required",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "min",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "max",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "min_length",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "max_length",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "output",
        &[
            "dates_go_out_in_the_form_that_the_target_names",
            "a_form_that_dates_do_not_have_is_told",
        ],
    ),
    (
        "fields.*",
        "pattern",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "options",
        &["what_a_field_takes_is_checked_before_anything_is_sent"],
    ),
    (
        "fields.*",
        "caution",
        &["a_caution_refuses_unless_the_mapping_allows_it"],
    ),
    (
        "fields.*.caution",
        "values",
        &["a_caution_refuses_unless_the_mapping_allows_it"],
    ),
    (
        "fields.*.caution",
        "missing",
        &["a_field_whose_absence_is_warned_of_must_be_mapped_or_allowed"],
    ),
    (
        "fields.*.caution",
        "says",
        &["a_caution_refuses_unless_the_mapping_allows_it"],
    ),
    ("custom", "at", &["custom_fields_travel_in_each_shape"]),
    ("custom", "shape", &["custom_fields_travel_in_each_shape"]),
    ("custom", "prefix", &["custom_fields_travel_in_each_shape"]),
    ("custom", "key", &["custom_fields_travel_in_each_shape"]),
    ("custom", "value", &["custom_fields_travel_in_each_shape"]),
    (
        "custom",
        "key_type",
        &["custom_fields_travel_in_each_shape"],
    ),
    (
        "custom",
        "value_type",
        &[
            "custom_fields_travel_in_each_shape",
            "stripe_customers_are_forms_and_never_made_twice",
        ],
    ),
    ("custom", "open", &["custom_fields_travel_in_each_shape"]),
    ("custom", "discover", &[ELSEWHERE]),
];

/// What the command that asks a live account for its fields has its own tests for.
const ELSEWHERE: &str = "every_builtin_target_file_is_read_without_a_mistake";

/// Where a key that no section knows can be put, so that the program names those that it does.
const SECTIONS: &[(&str, &str)] = &[
    ("", "zzz = 1"),
    ("auth", "[auth]\nkind = \"none\"\nzzz = 1"),
    ("headers.*", "[headers]\nX = { env = \"A\", zzz = 1 }"),
    ("create", "[create]\nzzz = 1"),
    (
        "create.natural_key",
        "[create]\nnatural_key = { field = \"a\", template = \"b\", zzz = 1 }",
    ),
    ("matcher", "[create]\nexists = [{ zzz = 1 }]"),
    ("create.batch", "[create.batch]\nzzz = 1"),
    (
        "create.batch.match",
        "[create.batch]\nmatch = { item = \"a\", result = \"b\", zzz = 1 }",
    ),
    ("lookup", "[lookup]\nzzz = 1"),
    ("list", "[list]\nzzz = 1"),
    (
        "list.paging",
        "[list]\npaging = { kind = \"page\", param = \"p\", zzz = 1 }",
    ),
    ("read", "[read]\npath = \"/c\"\nzzz = 1"),
    ("update", "[update]\nzzz = 1"),
    ("delete", "[delete]\npath = \"/c\"\nzzz = 1"),
    ("errors", "[errors]\nzzz = 1"),
    ("limits", "[limits]\nzzz = 1"),
    ("limits.headers", "[limits]\nheaders = { zzz = 1 }"),
    ("fields.*", "[fields]\na = { zzz = 1 }"),
    (
        "fields.*.caution",
        "[fields]\na = { caution = { zzz = 1 } }",
    ),
    ("custom", "[custom]\nzzz = 1"),
];

/// The keys of the types, as the program itself names them to someone who wrote another.
fn keys_of_the_types() -> BTreeSet<(String, String)> {
    let mut keys = BTreeSet::new();
    for (section, text) in SECTIONS {
        let file = TextFile {
            name: "t.toml".into(),
            text: (*text).to_owned(),
        };
        let (_, mistakes) = load_file("t", &Arc::new(file), None);
        let mistake = mistakes
            .iter()
            .find(|mistake| mistake.code == "unknown-key");
        let help = mistake.and_then(|mistake| mistake.help.as_deref());
        let known = help
            .and_then(|help| help.strip_prefix("the keys here are: "))
            .unwrap_or_else(|| panic!("{section}: {mistakes:#?}"));
        keys.extend(
            known
                .split(", ")
                .map(|key| ((*section).to_owned(), key.to_owned())),
        );
    }
    keys
}

/// The names of all tests of whole programs.
fn tests() -> BTreeMap<String, usize> {
    let mut tests = BTreeMap::new();
    for folder in ["tests", "tests/scripted"] {
        for entry in std::fs::read_dir(project(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for pair in lines.windows(2) {
                if let (true, Some(rest)) = (
                    pair[0].trim() == "#[test]",
                    pair[1].trim().strip_prefix("fn "),
                ) {
                    let name = rest.split('(').next().unwrap();
                    *tests.entry(name.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    tests
}

#[test]
fn each_key_of_a_target_file_has_a_case() {
    let types = keys_of_the_types();
    let table: BTreeSet<(String, String)> = KEYS
        .iter()
        .map(|(section, key, _)| ((*section).to_owned(), (*key).to_owned()))
        .collect();
    let without: Vec<_> = types.difference(&table).collect();
    assert!(without.is_empty(), "no case tries {without:?}");
    let gone: Vec<_> = table.difference(&types).collect();
    assert!(gone.is_empty(), "no such keys: {gone:?}");
    let tests = tests();
    for (section, key, cases) in KEYS {
        assert!(!cases.is_empty(), "[{section}] {key}");
        for case in *cases {
            assert!(
                tests.contains_key(*case),
                "[{section}] {key}: there is no test {case}"
            );
        }
    }
}
