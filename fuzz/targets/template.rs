#![no_main]
//! Templates and expressions: compiled, their names found, rendered.

use libfuzzer_sys::fuzz_target;
use rowferry::template::{Expression, Name, Scope, Template, TemplateError};

fuzz_target!(|text: &str| {
    let inner = || Scope::from_pairs([("name", "José"), ("amount", "1.5"), ("x", "")]);
    let scope = Scope::from_pairs(["name", "amount", "row"].map(|name| (name, inner())));
    match Template::compile(text) {
        Ok(template) => {
            names(text, template.names());
            if let Err(error) = template.render(&scope) {
                within(text, &error);
            }
        }
        Err(error) => within(text, &error),
    }
    match Expression::compile(text) {
        Ok(expression) => {
            names(text, expression.names());
            if let Err(error) = expression.truth(&scope) {
                within(text, &error);
            }
        }
        Err(error) => within(text, &error),
    }
});

fn names(text: &str, names: &[Name]) {
    for name in names {
        assert!(!name.path.is_empty());
        if let Some(range) = &name.range {
            assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
        }
    }
}

fn within(text: &str, error: &TemplateError) {
    assert!(!error.message.is_empty());
    if let Some(range) = &error.range {
        assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
    }
}
