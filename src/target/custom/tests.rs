//! `custom-fields.toml` as it is written, read, and chosen from.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::choose::choose;
use super::read::parse;
use super::*;
use crate::issue::{Mistake, TextFile};
use crate::target::file::TargetFile;

fn field(key: &str, label: Option<&str>) -> Definition {
    Definition {
        key: key.into(),
        label: label.map(str::to_owned),
        ..Definition::default()
    }
}

fn account(target: &str, base_url: &str, name: Option<&str>) -> AccountDefinitions {
    AccountDefinitions {
        whose: Whose {
            target: target.into(),
            base_url: base_url.into(),
            account: name.map(str::to_owned),
            tenants: BTreeMap::new(),
        },
        read: "2026-11-21T11:20:31Z".into(),
        definitions: vec![field("k", None)],
    }
}

fn parsed(text: String) -> (Option<Vec<AccountDefinitions>>, Vec<Mistake>) {
    parse(&Arc::new(TextFile {
        name: FILE.into(),
        text,
    }))
}

#[test]
fn a_field_is_known_by_key_id_and_label() {
    let known = CustomFields::new(
        Whose::default(),
        vec![
            Definition {
                id: Some("101".into()),
                ..field("services", Some("Services we sell"))
            },
            field("size", Some("Size")),
            field("size2", Some("Size")),
            field("Colour", Some("size2")),
        ],
    );
    for (name, found) in [
        ("services", "one services"),
        ("101", "one services"),
        ("Services we sell", "one services"),
        (" services WE sell ", "one services"),
        ("size2", "one size2"),
        ("colour", "one Colour"),
        ("Size", "several size size2"),
        ("servces", "near services"),
        ("Services we sel", "near Services we sell = services"),
        ("zzzz", "none"),
    ] {
        let is = match known.named(name) {
            Named::One(known) => format!("one {}", known.definition.key),
            Named::Several(keys) => format!("several {}", keys.join(" ")),
            Named::None(Some((near, Some(key)))) => format!("near {near} = {key}"),
            Named::None(Some((near, None))) => format!("near {near}"),
            Named::None(None) => "none".to_owned(),
        };
        assert_eq!(is, found, "{name}");
    }
}

#[test]
fn whose_fields_they_are_is_never_guessed() {
    let file: TargetFile =
        toml::from_str("name = \"A\"\nbase_url = \"https://a.example\"\n[create]\npath = \"/c\"\n")
            .unwrap();
    let at = |base_url: Option<&str>, name: Option<&str>| Asked::Account {
        base_url: base_url.map(str::to_owned),
        account: name.map(str::to_owned),
    };
    let own = account("a", "https://a.example/", None);
    let else_where = account("a", "https://b.example", None);
    let named = account("a", "https://a.example", Some("two"));
    let other = account("b", "https://b.example", None);
    for (accounts, asked, found) in [
        (vec![], Asked::Any, "unknown"),
        (vec![&else_where], Asked::Any, "https://b.example -"),
        (vec![&own, &else_where], Asked::Any, "https://a.example/ -"),
        (
            vec![&named, &else_where],
            Asked::Any,
            "custom-fields.toml holds the custom fields of several accounts (the account \"two\" of a at https://a.example; a at https://b.example), and which is meant cannot be told",
        ),
        (
            vec![&other],
            Asked::Any,
            "custom-fields.toml holds the custom fields of b at https://b.example, and none of a",
        ),
        (vec![&own, &other], at(None, None), "https://a.example/ -"),
        (
            vec![&own, &named],
            at(Some("https://a.example"), Some("two")),
            "https://a.example two",
        ),
        (
            vec![&own],
            at(Some("https://b.example/"), None),
            "custom-fields.toml holds the custom fields of a at https://a.example/, and none of a at https://b.example",
        ),
        (
            vec![&own, &own],
            at(None, None),
            "custom-fields.toml holds the custom fields of several accounts (a at https://a.example/; a at https://a.example/), and which is meant cannot be told",
        ),
    ] {
        let accounts = accounts.into_iter().cloned().collect();
        let is = match choose(accounts, "a", &file, &asked) {
            AccountFields::Unknown(None) => "unknown".to_owned(),
            AccountFields::Unknown(Some(why)) => why,
            AccountFields::Known(known) => {
                let whose = known.whose;
                format!(
                    "{} {}",
                    whose.base_url,
                    whose.account.as_deref().unwrap_or("-")
                )
            }
        };
        assert_eq!(is, found);
    }
}

#[test]
fn secrets_in_a_base_url_are_left_out() {
    for (url, bare) in [
        (
            "https://user:secret@x.example/api/",
            "https://x.example/api",
        ),
        ("https://x.example/", "https://x.example"),
        ("sandbox:kaiten", "sandbox:kaiten"),
    ] {
        assert_eq!(bare_url(url), bare);
    }
}

#[test]
fn mistakes_in_the_file_have_their_place() {
    let (read, mistakes) = parsed(
        "[[account]]\ntarget = \"a\"\nbase_url = \"b\"\n[[account.field]]\nkey = \"k\"\ntype = \"choise\"\n\
         [[account.field]]\nkey = \"k\"\n"
            .to_owned(),
    );
    assert!(read.is_none());
    let told: Vec<_> = mistakes
        .iter()
        .map(|told| (told.code, told.line_column().unwrap().0))
        .collect();
    assert_eq!(told, [("unknown-type", 6), ("custom-fields", 8)]);
    assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `choice`?"));
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[\\x00-\\x7fé€\u{1F600}]{0,12}").unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        key in text(), label in proptest::option::of(text()), id in proptest::option::of(text()),
        theirs in text(), kind in proptest::option::of(0..Type::ALL.len()),
        values in proptest::collection::vec((text(), any::<i64>(), proptest::option::of(text())), 0..4),
        tenant in text(),
    ) {
        let options = values.iter().flat_map(|(text, number, label)| [
            Choice { value: json!(text), label: label.clone() },
            Choice { value: json!(number), label: None },
        ]).collect();
        let kind = kind.map(|at| Type::ALL[at]);
        let definition = Definition {
            key, label, id, kind, required: true, options,
            theirs: Some(theirs).filter(|theirs| kind.is_none_or(|kind| kind.name() != *theirs)),
        };
        let mut account = account("a", "https://a.example", None);
        account.whose.tenants.insert("X".into(), tenant);
        account.definitions = vec![definition];
        let (read, mistakes) = parsed(write(std::slice::from_ref(&account)));
        prop_assert_eq!(mistakes, vec![]);
        let read = read.unwrap().remove(0);
        prop_assert_eq!(read.whose, account.whose);
        prop_assert_eq!(read.definitions, account.definitions);
        prop_assert_eq!(read.read, account.read);
    }
}
