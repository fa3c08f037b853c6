//! Refusals in the shapes of many APIs, each led back to the cell of the source.

use serde_json::{Value, json};

use super::Case;
use crate::common::server::{Reply, Request};

const MAPPING: &str = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
name = "Name"
email = "Email"
"address.city" = "City"
"phones[0].number" = "Phone"
[custom]
"7" = "Colour"
"8" = "Size"
"#;

const ROWS: &str = "Id,Name,Email,City,Phone,Colour,Size\nK1,Ann,ann@x.example,Ulm,123,red,L\n";

const HEAD: &str = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/c"
wrap = "customer"
[custom]
at = "field_values"
shape = "pairs"
key = "field_id"
value = "value"
key_type = "integer"
open = true
[fields]
name = { type = "text" }
email = { type = "email" }
address = { type = "object" }
phones = { type = "array" }
"#;

/// Message and cell of each issue that a refusal makes.
fn issues(errors: &str, status: u16, answer: Value) -> Vec<(String, Option<String>)> {
    let case = Case::new(
        &format!("{HEAD}{errors}"),
        MAPPING,
        ROWS,
        move |_: &Request| Reply::json(status, answer.clone()),
    );
    let summary = case.import(1).json();
    let mut found = Vec::new();
    for group in summary["issues"].as_array().unwrap() {
        assert_eq!(group["code"], format!("target.{status}"));
        for example in group["examples"].as_array().unwrap() {
            let cell = example["cell"].as_str().map(str::to_owned);
            found.push((example["message"].as_str().unwrap().to_owned(), cell));
        }
    }
    found.sort();
    found
}

#[track_caller]
fn expect(found: Vec<(String, Option<String>)>, expected: &[(&str, Option<&str>)]) {
    let found: Vec<(&str, Option<&str>)> = found
        .iter()
        .map(|(message, cell)| (message.as_str(), cell.as_deref()))
        .collect();
    for (words, cell) in expected {
        assert!(
            found
                .iter()
                .any(|(message, at)| message.contains(words) && at == cell),
            "{words} at {cell:?} is not in {found:?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn problem_json_names_locations() {
    let shape = "[errors]\nmessage = [\"detail\"]\ncode = [\"code\"]\nfields = \"errors\"\nfield = \"location\"\ntext = \"message\"\nstrip = \"body.\"\n";
    let answer = json!({
        "title": "Unprocessable", "status": 422, "detail": "validation failed",
        "errors": [
            { "location": "body.customer.email", "message": "taken" },
            { "location": "body.customer.address.city", "message": "unknown city" },
            { "location": "body.customer.phones[0].number", "message": "too short" },
            { "location": "body.customer.field_values[1].value", "message": "no such size" },
        ]
    });
    expect(
        issues(shape, 422, answer),
        &[
            ("taken", Some("C2")),
            ("unknown city", Some("D2")),
            ("too short", Some("E2")),
            ("no such size", Some("G2")),
        ],
    );
}

#[test]
fn laravel_names_fields_with_lists_of_messages() {
    let shape = "[errors]\nmessage = \"message\"\nfields = \"errors\"\n";
    let answer = json!({
        "message": "The given data was invalid.",
        "errors": { "email": ["taken", "bad"], "address.city": ["missing"], "field_values.0.value": ["not a colour"] }
    });
    expect(
        issues(shape, 422, answer),
        &[
            ("taken; bad", Some("C2")),
            ("missing", Some("D2")),
            ("not a colour", Some("F2")),
        ],
    );
}

#[test]
fn django_nests_fields_in_the_answer_itself() {
    let shape = "[errors]\nmessage = [\"detail\", \"non_field_errors.0\"]\nfields = \"\"\n";
    let answer = json!({
        "email": ["blank"],
        "address": { "city": ["too long"] },
        "phones": [{ "number": ["bad"] }],
        "field_values": [{}, { "value": ["no"] }]
    });
    expect(
        issues(shape, 400, answer),
        &[
            ("blank", Some("C2")),
            ("too long", Some("D2")),
            ("bad", Some("E2")),
            ("no", Some("G2")),
        ],
    );
    let answer = json!({ "detail": "not acceptable" });
    expect(issues(shape, 400, answer), &[("not acceptable", None)]);
    let answer = json!({ "non_field_errors": ["name and email must be unique together"] });
    expect(issues(shape, 400, answer), &[("unique together", None)]);
}

#[test]
fn a_message_alone_names_its_field_by_a_pattern() {
    let shape = "[errors]\nmessage = [\"message\"]\ncode = [\"error\"]\nfield_pattern = '^The (\\w+) field'\n";
    let answer = json!({ "error": "validation_error", "message": "The email field is taken" });
    expect(issues(shape, 422, answer), &[("is taken", Some("C2"))]);
}

#[test]
fn salesforce_answers_with_an_array_of_errors() {
    let shape = "[errors]\nmessage = \"0.message\"\ncode = \"0.errorCode\"\nfields = \"\"\nfield = \"fields\"\ntext = \"message\"\n";
    let answer = json!([{
        "message": "invalid email address", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["email", "name"]
    }]);
    expect(
        issues(shape, 400, answer),
        &[
            ("invalid email address", Some("C2")),
            ("invalid email address", Some("B2")),
        ],
    );
}

#[test]
fn stripe_names_the_parameter_of_one_error() {
    let answer = json!({ "error": {
        "type": "invalid_request_error", "code": "email_invalid", "message": "Invalid email address: x",
        "param": "address[city]", "doc_url": "https://x.example"
    }});
    for shape in [
        "fields = \"error\"\nfield = \"param\"\ntext = \"message\"\n",
        "field = \"error.param\"\n",
    ] {
        let shape = format!(
            "[errors]\nmessage = \"error.message\"\ncode = [\"error.code\", \"error.type\"]\n{shape}"
        );
        expect(
            issues(&shape, 400, answer.clone()),
            &[("Invalid email address", Some("D2"))],
        );
    }
}

#[test]
fn a_list_may_be_the_path_of_one_field() {
    let shape =
        "[errors]\nfields = \"detail\"\nfield = \"loc\"\ntext = \"msg\"\nstrip = \"body.\"\n";
    let answer = json!({ "detail": [
        { "loc": ["body", "customer", "phones", 0, "number"], "msg": "too short", "type": "value_error" },
        { "loc": ["body", "customer", "email"], "msg": "not an email", "type": "value_error" },
    ]});
    expect(
        issues(shape, 422, answer),
        &[("too short", Some("E2")), ("not an email", Some("C2"))],
    );
}

#[test]
fn shopify_gives_errors_as_a_text_an_object_or_a_list_of_user_errors() {
    let shape = "[errors]\nmessage = \"errors\"\nfields = \"errors\"\n";
    expect(
        issues(
            shape,
            422,
            json!({ "errors": { "email": ["has already been taken"] } }),
        ),
        &[("has already been taken", Some("C2"))],
    );
    expect(
        issues(shape, 400, json!({ "errors": "Not valid" })),
        &[("Not valid", None)],
    );
    let shape = "[errors]\nfields = \"data.customerCreate.userErrors\"\nfield = \"field\"\ntext = \"message\"\n";
    let answer = json!({ "data": { "customerCreate": { "userErrors": [
        { "field": ["customer", "email"], "message": "is invalid" },
        { "field": null, "message": "try another day" },
    ] } } });
    expect(
        issues(shape, 422, answer),
        &[("is invalid", Some("C2")), ("try another day", None)],
    );
}

#[test]
fn shapes_are_tried_in_turn_and_what_fits_none_is_shown_as_it_is() {
    let shapes = "[[errors]]\nmessage = \"detail\"\n[[errors]]\nfields = \"violations\"\nfield = \"propertyPath\"\ntext = \"title\"\n";
    let answer =
        json!({ "violations": [{ "propertyPath": "/customer/address/city", "title": "blank" }] });
    expect(issues(shapes, 422, answer), &[("blank", Some("D2"))]);
    expect(
        issues("", 422, json!({ "message": "nope" })),
        &[("nope", None)],
    );
    expect(
        issues("", 418, json!({ "unheard": "of" })),
        &[("{\"unheard\":\"of\"}", None)],
    );
}

#[test]
fn the_reject_file_names_the_cell_and_the_words() {
    let case = Case::new(HEAD, MAPPING, ROWS, |_: &Request| {
        Reply::json(
            422,
            json!({ "message": "invalid", "errors": { "email": ["is taken"] } }),
        )
    });
    case.import(1);
    let rejects = case.bench.read("in.rejects.csv");
    for words in ["failed", "target.422", "C2", "ann@x.example", "is taken"] {
        assert!(rejects.contains(words), "{words} is not in {rejects}");
    }
}

#[test]
fn errors_may_stand_as_objects_under_their_fields() {
    // As Mongoose, Rails' serializers and others write them.
    for answer in [
        json!({ "message": "invalid", "errors": { "email": { "message": "taken", "kind": "unique", "value": "x" },
            "address.city": { "message": "missing" } } }),
        json!({ "message": "invalid", "errors": { "email": [{ "message": "taken", "code": "unique" }],
            "address": { "city": { "message": "missing", "kind": "required" } } } }),
    ] {
        expect(
            issues(
                "[errors]\nmessage = \"message\"\nfields = \"errors\"\n",
                422,
                answer,
            ),
            &[("taken", Some("C2")), ("missing", Some("D2"))],
        );
    }
}

#[test]
fn graphql_lists_have_paths_and_nested_codes() {
    let shape = "[errors]\nmessage = \"errors.0.message\"\ncode = \"errors.0.extensions.code\"\nfields = \"errors\"\nfield = \"path\"\ntext = \"message\"\nstrip = \"createCustomer.\"\n";
    let answer = json!({ "data": null, "errors": [
        { "message": "not an address", "path": ["createCustomer", "customer", "email"], "extensions": { "code": "BAD_USER_INPUT" } },
        { "message": "too many today", "extensions": { "code": "QUOTA" } },
    ] });
    expect(
        issues(shape, 400, answer),
        &[("not an address", Some("C2")), ("too many today", None)],
    );
}

#[test]
fn json_api_points_into_the_document() {
    let shape = "[errors]\nmessage = \"errors.0.title\"\nfields = \"errors\"\nfield = \"source.pointer\"\ntext = \"detail\"\nstrip = \"/data/attributes/\"\n";
    let answer = json!({ "errors": [
        { "status": "422", "title": "Invalid", "detail": "is taken", "source": { "pointer": "/data/attributes/email" } },
        { "status": "422", "title": "Invalid", "detail": "is unknown", "source": { "pointer": "/data/attributes/address/city" } },
    ] });
    expect(
        issues(shape, 422, answer),
        &[("is taken", Some("C2")), ("is unknown", Some("D2"))],
    );
}

#[test]
fn chargebee_names_one_parameter_beside_its_message() {
    let shape = "[errors]\nmessage = \"message\"\ncode = \"api_error_code\"\nfield = \"param\"\n";
    let answer = json!({ "message": "email : should be a valid address", "type": "invalid_request",
        "api_error_code": "param_wrong_value", "param": "customer[email]", "http_status_code": 400 });
    expect(
        issues(shape, 400, answer),
        &[("should be a valid address", Some("C2"))],
    );
}

#[test]
fn lists_of_texts_name_their_fields_by_a_pattern() {
    let shape = "[errors]\nmessage = \"error\"\nfields = \"errors\"\nfield_pattern = '^(\\S+) '\n";
    let answer = json!({ "error": "invalid", "errors": ["email is taken", "address.city must not be empty"] });
    expect(
        issues(shape, 422, answer),
        &[
            ("email is taken", Some("C2")),
            ("must not be empty", Some("D2")),
        ],
    );
}

#[test]
fn pages_of_html_and_documents_of_xml_become_a_sentence() {
    for (media, body, says) in [
        (
            "text/html",
            "<!DOCTYPE html>\n<html><head><title>413 Request Entity Too Large</title></head>\n<body><center><h1>413</h1></center></body></html>",
            "413 Request Entity Too Large",
        ),
        (
            "application/xml",
            "<?xml version=\"1.0\"?><Error><Code>Denied</Code><Message>Not &quot;this&quot; one</Message></Error>",
            "Not \"this\" one",
        ),
        ("text/plain", "  not\n allowed\n", "not allowed"),
    ] {
        let case = Case::new(HEAD, MAPPING, ROWS, move |_: &Request| {
            let headers = vec![("Content-Type".to_owned(), media.to_owned())];
            Reply::Answer(413, headers, body.as_bytes().to_vec())
        });
        let summary = case.import(1).json();
        let message = &summary["issues"][0]["examples"][0]["message"];
        let message = message.as_str().unwrap();
        assert!(
            message.contains(says) && !message.contains('<'),
            "{message}"
        );
    }
}
