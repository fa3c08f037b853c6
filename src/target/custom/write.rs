//! Writing the file.

use std::fmt::Write as _;

use super::{AccountDefinitions, Definition};

/// A text as TOML writes it, on one line.
fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's, but for the slash, which JSON need not escape.
    let mut out = String::with_capacity(text.len() + 2);
    crate::field::write_json_str(text, &mut out);
    out.replace('\u{7f}', "\\u007f")
}

/// The file's text for these accounts.
pub fn write(accounts: &[AccountDefinitions]) -> String {
    let mut out = String::from(
        "# The custom fields of accounts, as they were when they were asked for. Written by `rowferry fields`,\n\
         # read by `check`, `preview` and `import` of the mapping files in this folder. After a change in the\n\
         # account ask again; what stands here of that account is then written anew.\n",
    );
    for account in accounts {
        let whose = &account.whose;
        let line = |out: &mut String, name: &str, value: &str| {
            let _ = writeln!(out, "{name:<8} = {value}");
        };
        out.push_str("\n# ");
        let said = whose.describe();
        out.extend(said.chars().filter(|c| !c.is_control()));
        if !account.read.is_empty() {
            let _ = write!(out, ", asked at {}", account.read);
        }
        out.push_str("\n[[account]]\n");
        line(&mut out, "target", &quoted(&whose.target));
        line(&mut out, "base_url", &quoted(&whose.base_url));
        if let Some(name) = &whose.account {
            line(&mut out, "account", &quoted(name));
        }
        if !whose.tenants.is_empty() {
            let pairs: Vec<String> = whose
                .tenants
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
                .collect();
            line(&mut out, "tenants", &format!("{{ {} }}", pairs.join(", ")));
        }
        if !account.read.is_empty() {
            line(&mut out, "read", &account.read);
        }
        for definition in &account.definitions {
            out.push_str("\n[[account.field]]\n");
            write_definition(definition, &mut out);
        }
    }
    out
}

fn write_definition(definition: &Definition, out: &mut String) {
    let mut lines = vec![("key", quoted(&definition.key))];
    lines.extend(definition.id.as_ref().map(|id| ("id", quoted(id))));
    lines.extend(
        definition
            .label
            .as_ref()
            .map(|label| ("label", quoted(label))),
    );
    lines.extend(definition.kind.map(|kind| ("type", quoted(kind.name()))));
    let theirs = definition.theirs.as_ref();
    let theirs = theirs.filter(|theirs| definition.kind.is_none_or(|kind| kind.name() != **theirs));
    lines.extend(theirs.map(|theirs| ("their_type", quoted(theirs))));
    if definition.required {
        lines.push(("required", "true".to_owned()));
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in lines {
        let _ = writeln!(out, "{name:<width$} = {value}");
    }
    if definition.options.is_empty() {
        return;
    }
    out.push_str("options = [\n");
    for option in &definition.options {
        let value = match &option.value {
            serde_json::Value::String(text) => quoted(text),
            // Numbers and truth values are written alike in both.
            other => other.to_string(),
        };
        match &option.label {
            Some(label) => {
                let _ = writeln!(out, "  {{ value = {value}, label = {} }},", quoted(label));
            }
            None => {
                let _ = writeln!(out, "  {{ value = {value} }},");
            }
        }
    }
    out.push_str("]\n");
}
