use std::collections::BTreeMap;

use minijinja::context;
use proptest::prelude::*;

use super::*;

fn paths(names: &[Name], source: &str) -> Vec<(String, String)> {
    names
        .iter()
        .map(|name| {
            let range = name.range.clone().unwrap();
            (name.path.join("/"), source[range].to_owned())
        })
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn templates_are_rendered_from_the_scope() {
    for (source, wanted) in [
        (
            "{{ street }}\n{{ city }}, {{ row['Postal Code'] }}",
            "Main St 1\nYork, Y1",
        ),
        ("plain { text }", "plain { text }"),
        ("{{ 'O''Brien'|length }}{{ city|upper }}", "6YORK"),
        ("{% if city %}yes{% else %}no{% endif %}", "yes"),
        (
            "{% for p in parts %}{{ loop.index }}{{ p }};{% endfor %}",
            "1a;2b;",
        ),
        ("{{ '<b>' }}", "<b>"),
        ("{{ phone|digits }}", "4420"),
        ("{{ born|date('%d.%m.%Y') }}", "04.03.2025"),
        (
            "{{ ''|date('%Y') }}|{{ seen|date('%H:%M %Y') }}",
            "|23:30 2024",
        ),
        ("{{ 'Müller & Söhne'|slug }}", "muller-sohne"),
    ] {
        let scope = context! {
            street => "Main St 1", city => "York", row => BTreeMap::from([("Postal Code", "Y1")]),
            parts => vec!["a", "b"], phone => "+44 (20)", born => "2025-03-04",
            seen => "2024-12-31T23:30:00Z",
        };
        let template = Template::compile(source).unwrap();
        assert_eq!(template.render(&scope).unwrap(), wanted, "{source}");
        assert_eq!(template.source(), source);
    }
    assert!(Template::compile("plain { text }").unwrap().is_constant());
    assert!(!Template::compile("{{ a }}").unwrap().is_constant());
}

#[test]
fn names_are_found_where_they_stand() {
    for (source, wanted) in [
        ("{{ a }} {{ a|upper }}", pairs(&[("a", "a"), ("a", "a")])),
        (
            "{{ row[\"First Name\"] }}{{ row['It\\'s'] }}",
            pairs(&[
                ("row/First Name", "row[\"First Name\"]"),
                ("row/It's", "row['It\\'s']"),
            ]),
        ),
        (
            "{{ address.city ~ x }}",
            pairs(&[("address/city", "address.city"), ("x", "x")]),
        ),
        (
            "{% for p in parts %}{{ p }}{% endfor %}",
            pairs(&[("parts", "parts")]),
        ),
        ("{% set n = a %}{{ n }}", pairs(&[("a", "a")])),
        (
            "{{ a|default(value=b, boolean=true) }}",
            pairs(&[("a", "a"), ("b", "b")]),
        ),
        (
            "{# {{ a }} #}{% raw %}{{ b }}{% endraw %}{{ c }}",
            pairs(&[("c", "c")]),
        ),
        ("{{- 'a b' ~ \"}}\" ~ c -}}", pairs(&[("c", "c")])),
        ("{{ {'k': {'l': v}}.k.l }}", pairs(&[("v", "v")])),
        (
            "{% if a is not defined and b is divisibleby 3 %}{% endif %}",
            pairs(&[("a", "a"), ("b", "b")]),
        ),
        (
            "{% for i in range(n) %}{{ xs[i] }}{% endfor %}",
            pairs(&[("n", "n"), ("xs", "xs")]),
        ),
        (
            "{% macro m(q) %}{{ q }}{% endmacro %}{{ m(z) }}",
            pairs(&[("z", "z")]),
        ),
        (
            "{% filter upper %}{{ a }}{% endfilter %}",
            pairs(&[("a", "a")]),
        ),
        (
            "{%- if not a == 1 -%}é{{ b }}{% endif %}",
            pairs(&[("a", "a"), ("b", "b")]),
        ),
    ] {
        let template = Template::compile(source).unwrap();
        assert_eq!(paths(template.names(), source), wanted, "{source}");
    }
    let source = "email or row['Phone 1'] and age|int > 18 and body.email in ['x', y]";
    assert_eq!(
        paths(Expression::compile(source).unwrap().names(), source),
        pairs(&[
            ("email", "email"),
            ("row/Phone 1", "row['Phone 1']"),
            ("age", "age"),
            ("body/email", "body.email"),
            ("y", "y")
        ])
    );
}

#[test]
fn what_does_not_exist_is_a_mistake_at_load() {
    for (source, at, word) in [
        ("{{ a|uper }}", "uper", "did you mean `upper`?"),
        ("{{ a is numbr }}", "numbr", "did you mean `number`?"),
        ("{{ a is not zzz }}", "zzz", "no test"),
        ("{{ rnge(3) }}", "rnge", "did you mean `range`?"),
        ("{{ debug() }}", "debug", "no function"),
        ("{{ a.upper() }}", "upper", "write the filter `|upper`"),
        ("{{ a.b.startswith('x') }}", "startswith", "is startingwith"),
        (
            "{{ ('x' ~ a).strip() }}",
            "strip",
            "write the filter `|trim`",
        ),
        (
            "{{ a|map('uper')|list }}",
            "'uper'",
            "did you mean `upper`?",
        ),
        (
            "{{ a|selectattr('b', 'definedd') }}",
            "'definedd'",
            "`defined`",
        ),
        ("{{ a|date('%!') }}", "'%!'", "date format"),
        ("{% include 'x' %}", "include", "no other templates"),
        ("{%- extends 'x' %}", "extends", "no other templates"),
        ("{% filter uper %}a{% endfilter %}", "uper", "`upper`"),
        ("{{ a + }}", "}}", "does not parse"),
    ] {
        let error = Template::compile(source).unwrap_err();
        assert_eq!(
            &source[error.range.clone().unwrap()],
            at,
            "{source}: {error}"
        );
        assert!(error.message.contains(word), "{source}: {error}");
    }
    for stray in ["'a' § b", "'a' 'b", "a & b", "'a' ; b"] {
        assert!(Expression::compile(stray).is_err(), "{stray}");
    }
    let error = Expression::compile("email && phone").unwrap_err();
    assert!(error.range.is_some(), "{error}");
    assert!(Expression::compile("").is_err());
    assert!(Expression::compile("a }} b").is_err());
}

#[test]
fn expressions_are_true_or_false_and_strict() {
    let scope =
        context! { email => "", phone => "1", age => "21", n => 0, row => context! { A => "x" } };
    for (source, wanted) in [
        ("email or phone", true),
        ("email", false),
        ("age|int > 18", true),
        ("age|int > 21", false),
        ("row['A'] == 'x'", true),
        ("n", false),
        ("not email", true),
    ] {
        let expression = Expression::compile(source).unwrap();
        assert_eq!(expression.truth(&scope), Ok(wanted), "{source}");
        assert_eq!(expression.source(), source);
    }
    for undefined in [
        "nobody",
        "nobody == 1",
        "nobody or phone",
        "row['B']",
        "row.b.c",
    ] {
        let expression = Expression::compile(undefined).unwrap();
        assert!(expression.truth(&scope).is_err(), "{undefined}");
    }
    let template = Template::compile("{{ nobody }}").unwrap();
    assert!(template.render(&scope).is_err());
}

#[test]
fn a_loop_without_end_ends_with_an_error() {
    let source = "{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}";
    let error = Template::compile(source)
        .unwrap()
        .render(&context! {})
        .unwrap_err();
    assert!(error.message.contains("does not come to an end"), "{error}");
}

#[test]
fn a_slug_that_lost_something_takes_of_the_hash() {
    let template = Template::compile("{{ key|slug }}").unwrap();
    for (key, hash, wanted) in [
        ("acme-1", Some("0123456789abcdef"), "acme-1"),
        ("Acme 1", Some("0123456789abcdef"), "acme-1-0123456789"),
        ("客户", Some("0123456789abcdef"), "0123456789"),
        ("Acme 1", None, "acme-1"),
        ("客户", None, ""),
    ] {
        let scope = match hash {
            Some(key_hash) => context! { key, key_hash },
            None => context! { key },
        };
        assert_eq!(template.render(&scope).unwrap(), wanted, "{key}");
    }
}

#[test]
fn headers_become_names() {
    for (header, name) in [
        ("First Name", "first_name"),
        ("FirstName", "first_name"),
        ("firstName", "first_name"),
        ("E-mail", "e_mail"),
        ("ID", "id"),
        ("CustomerID", "customer_id"),
        ("IDNumber", "id_number"),
        ("Customer Id", "customer_id"),
        ("Phone 1", "phone_1"),
        ("Address1", "address1"),
        ("2nd Phone", "_2nd_phone"),
        ("Prénom", "prenom"),
        ("Straße", "strasse"),
        ("  Total (€) ", "total"),
        ("customer's name", "customers_name"),
        ("Größe", "grosse"),
        ("客户", ""),
        ("", ""),
        ("postal_code", "postal_code"),
    ] {
        assert_eq!(snake_name(header), name, "{header}");
    }
}

#[test]
fn our_lists_are_those_of_the_environment() {
    let all = format!("{:#?}", environment());
    for name in scan::FILTERS
        .iter()
        .chain(scan::TESTS)
        .chain(scan::FUNCTIONS)
    {
        assert!(all.contains(&format!("\"{name}\"")), "{name}");
    }
    for name in scan::FILTERS {
        let source = format!("'{name}' is filter");
        let expression = environment().compile_expression_owned(source).unwrap();
        assert!(expression.eval(()).unwrap().is_true(), "{name}");
    }
    for name in scan::TESTS {
        let source = format!("'{name}' is test");
        let expression = environment().compile_expression_owned(source).unwrap();
        assert!(expression.eval(()).unwrap().is_true(), "{name}");
    }
}

#[test]
fn they_may_be_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Template>();
    shared::<Expression>();
}

proptest! {
    #[test]
    fn any_text_compiles_or_not_but_never_panics(source in "\\PC{0,60}") {
        let _ = Template::compile(&source);
        let _ = Expression::compile(&source);
    }

    #[test]
    fn nor_do_texts_made_of_its_tokens(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("{{"), Just("}}"), Just("{%"), Just("%}"), Just("{#"), Just("#}"), Just("-"),
                Just(" "), Just("a"), Just("row"), Just("['é']"), Just("\"x"), Just("'"), Just("."),
                Just("|"), Just("upper"), Just("is"), Just("not"), Just("raw"), Just("endraw"),
                Just("if"), Just("endif"), Just("for"), Just("in"), Just("("), Just(")"), Just("="),
                Just("1.5"), Just("\\"), Just("["), Just("é"),
            ],
            0..14,
        )
    ) {
        let source = parts.concat();
        for names in [
            Template::compile(&source).map(|t| t.names().to_vec()),
            Expression::compile(&source).map(|e| e.names().to_vec()),
        ].into_iter().flatten() {
            for name in names {
                if let Some(range) = name.range {
                    prop_assert!(source.get(range).is_some());
                }
            }
        }
    }
}

#[test]
fn a_number_that_cannot_be_read_is_told_plainly() {
    let scope = context! { age => "", name => "Ann" };
    for (source, wanted) in [
        ("age|int > 18", "give a default"),
        ("name|float > 18", "not a number"),
    ] {
        let expression = Expression::compile(source).unwrap();
        let error = expression.truth(&scope).unwrap_err();
        assert!(error.message.contains(wanted), "{source}: {error}");
    }
    let expression = Expression::compile("age|int(0) > 18").unwrap();
    assert_eq!(expression.truth(&scope), Ok(false));
}

#[test]
fn a_text_compared_with_a_number_is_found() {
    for (source, wanted) in [
        ("age > 18", Some("age")),
        ("email and row['Age'] == 18", Some("row['Age']")),
        ("18 <= age", Some("age")),
        ("age != -1", Some("age")),
        ("age|int > 18", None),
        ("18 <= age|int", None),
        ("age == '18'", None),
        ("age|length > 3 or x", None),
        ("body.size > 3", None),
        ("a == b", None),
    ] {
        let expression = Expression::compile(source).unwrap();
        let found = expression.text_against_number();
        let marked = found.map(|name| &source[name.range.clone().unwrap()]);
        assert_eq!(marked, wanted, "{source}");
    }
}
