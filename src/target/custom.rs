//! `custom-fields.toml`: the custom fields that an account has, as far as they are known.
//!
//! `rowferry fields` writes it; checks read it where it stands beside the mapping file. One file
//! holds those of several accounts, and each says whose it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::file::{FieldSpec, TargetFile};
use super::{Field, Target};
use crate::document::{Document, to_json};
use crate::field::{Choice, Type, fold};
use crate::issue::{Mistake, TextFile, nearest};
use crate::path::Path;

/// The file's name.
pub const FILE: &str = "custom-fields.toml";

/// One custom field of an account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// The name under which its values are sent.
    pub key: String,
    /// A further name, where it has one.
    pub id: Option<String>,
    /// The name that people see.
    pub label: Option<String>,
    /// What it takes; `None`: any value.
    pub kind: Option<Type>,
    /// What the target calls its type.
    pub theirs: Option<String>,
    /// A create must hold it.
    pub required: bool,
    /// The options of a choice; empty where they are not known.
    pub options: Vec<Choice>,
}

/// Whose custom fields these are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whose {
    /// The target's name.
    pub target: String,
    /// Where it was asked, without a slash at its end.
    pub base_url: String,
    /// The name that `--account` gave.
    pub account: Option<String>,
    /// The headers that name a tenant, with their values.
    pub tenants: BTreeMap<String, String>,
}

impl Whose {
    /// The account in words.
    pub fn describe(&self) -> String {
        let mut text = match &self.account {
            Some(account) => format!("the account {account:?} of "),
            None => String::new(),
        };
        let _ = write!(text, "{} at {}", self.target, self.base_url);
        for (name, value) in &self.tenants {
            let _ = write!(text, " with {name}: {value}");
        }
        text
    }
}

/// A base URL without user, password and the slash at its end.
pub fn bare_url(url: &str) -> String {
    let text = match url::Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            // It fails only for addresses that can have neither.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.to_string()
        }
        _ => url.to_owned(),
    };
    text.trim_end_matches('/').to_owned()
}

/// The whole file: one `[[account]]` for each account that was asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CustomFieldsFile {
    /// The accounts.
    account: Vec<AccountSection>,
}

/// `[[account]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSection {
    /// The target's name.
    target: String,
    /// Where it was asked.
    base_url: String,
    /// The name that `--account` gave.
    account: Option<String>,
    /// The headers that name a tenant.
    #[serde(default)]
    tenants: BTreeMap<String, String>,
    /// When it was asked.
    read: Option<Datetime>,
    /// Its custom fields.
    #[serde(default)]
    field: Vec<FieldSection>,
}

/// `[[account.field]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSection {
    /// The name under which its values are sent.
    key: Spanned<String>,
    /// A further name.
    id: Option<String>,
    /// The name that people see.
    label: Option<String>,
    /// A type as in mapping files; left out: any value goes.
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    /// What the target calls it.
    their_type: Option<String>,
    /// A create must hold it.
    #[serde(default)]
    required: bool,
    /// Values, or tables of `value` and `label`.
    #[serde(default)]
    options: Vec<toml::Value>,
}

/// The custom fields of one account, with when they were asked for.
#[derive(Debug, Clone, Default)]
pub struct AccountDefinitions {
    /// Whose they are.
    pub whose: Whose,
    /// When they were asked for, as TOML writes it; empty where nobody knows.
    pub read: String,
    /// The custom fields in the target's order.
    pub definitions: Vec<Definition>,
}

/// A custom field that the account has.
#[derive(Debug, Clone)]
pub struct KnownField {
    /// What it is.
    pub definition: Definition,
    /// The same as one of the target's fields, for the checks of values.
    pub field: Field,
    /// Its options are known, and whether it takes one or several is not.
    pub one_or_many: bool,
}

/// What is known of the account's custom fields.
#[derive(Debug, Clone)]
pub enum AccountFields {
    /// Nothing, and why, where there is a reason.
    Unknown(Option<String>),
    /// All of them.
    Known(CustomFields),
}

impl Default for AccountFields {
    fn default() -> Self {
        Self::Unknown(None)
    }
}

/// All custom fields of an account.
#[derive(Debug, Clone)]
pub struct CustomFields {
    /// Whose they are.
    pub whose: Whose,
    fields: Vec<KnownField>,
}

/// What a name of a custom field leads to.
#[derive(Debug)]
pub enum Named<'f> {
    /// One field.
    One(&'f KnownField),
    /// Several fields have this label; their keys.
    Several(Vec<&'f str>),
    /// None; the nearest name, and the key where the name is a label.
    None(Option<(&'f str, Option<&'f str>)>),
}

impl CustomFields {
    /// The custom fields of an account, made ready for checks.
    pub fn new(whose: Whose, definitions: Vec<Definition>) -> Self {
        let fields = definitions.into_iter().map(KnownField::new).collect();
        Self { whose, fields }
    }

    /// All of them, in the target's order.
    pub fn all(&self) -> &[KnownField] {
        &self.fields
    }

    /// Their definitions.
    pub fn definitions(&self) -> Vec<Definition> {
        self.fields
            .iter()
            .map(|known| known.definition.clone())
            .collect()
    }

    /// The field of this key, id or label; letters' case counts only where it must.
    pub fn named(&self, name: &str) -> Named<'_> {
        let folded = fold(name);
        let exact = |text: &Option<String>| text.as_deref() == Some(name);
        let alike = |text: &str| fold(text) == folded;
        let ways: [&dyn Fn(&Definition) -> bool; 4] = [
            &|known| known.key == name,
            &|known| exact(&known.id),
            &|known| exact(&known.label),
            &|known| alike(&known.key) || known.label.as_deref().is_some_and(alike),
        ];
        for way in ways {
            let found: Vec<&KnownField> = self
                .fields
                .iter()
                .filter(|known| way(&known.definition))
                .collect();
            match found.as_slice() {
                [] => {}
                [one] => return Named::One(one),
                several => {
                    return Named::Several(
                        several
                            .iter()
                            .map(|known| known.definition.key.as_str())
                            .collect(),
                    );
                }
            }
        }
        let names = self.fields.iter().flat_map(|known| {
            let definition = &known.definition;
            std::iter::once(definition.key.as_str()).chain(definition.label.as_deref())
        });
        let near = nearest(name, names).map(|near| {
            let by_label = self
                .fields
                .iter()
                .all(|known| known.definition.key != near)
                .then(|| {
                    self.fields
                        .iter()
                        .find(|known| known.definition.label.as_deref() == Some(near))
                })
                .flatten();
            (near, by_label.map(|known| known.definition.key.as_str()))
        });
        Named::None(near)
    }
}

impl KnownField {
    fn new(definition: Definition) -> Self {
        let chooses = matches!(definition.kind, Some(Type::Choice | Type::Choices));
        let one_or_many = definition.kind.is_none() && !definition.options.is_empty();
        let kind = match definition.kind {
            None if one_or_many => Some(Type::Choice),
            // Its members are the mapping's business.
            Some(Type::Object | Type::Json) => None,
            kind => kind,
        };
        let options = (chooses || one_or_many).then(|| {
            definition
                .options
                .iter()
                .filter_map(|option| {
                    let mut table = toml::Table::new();
                    let value = toml::Value::try_from(&option.value).ok()?;
                    table.insert("value".to_owned(), value);
                    if let Some(label) = &option.label {
                        table.insert("label".to_owned(), label.as_str().into());
                    }
                    Some(toml::Value::Table(table))
                })
                .collect()
        });
        let field = Field {
            path: Path::key(definition.key.as_str()),
            name: definition.key.as_str().into(),
            kind,
            spec: FieldSpec {
                kind: kind.map(|kind| kind.name().to_owned()),
                required: definition.required,
                options,
                ..FieldSpec::default()
            },
            pattern: None,
        };
        Self {
            definition,
            field,
            one_or_many,
        }
    }
}

/// Which account's custom fields are asked for.
#[derive(Debug, Clone, Default)]
pub enum Asked {
    /// Whoever's, as long as there is no doubt: nothing is sent.
    #[default]
    Any,
    /// Those of the account that an import goes to.
    Account {
        /// Its base URL; absent: the target's own.
        base_url: Option<String>,
        /// The name that `--account` gives.
        account: Option<String>,
    },
}

/// What is known, beside a mapping file in this folder, of the custom fields of a target's account.
/// Mistakes of the file itself stand in the second part.
pub fn beside(folder: &FilePath, target: &Target, asked: &Asked) -> (AccountFields, Vec<Mistake>) {
    let path = folder.join(FILE);
    if !path.exists() {
        return (AccountFields::default(), Vec::new());
    }
    let (accounts, mistakes) = read(&path);
    let found = match accounts {
        Some(accounts) => choose(accounts, &target.name, &target.file, asked),
        None => AccountFields::default(),
    };
    (found, mistakes)
}

/// The custom fields that a file holds for a target.
///
/// # Errors
/// What is wrong with the file, or that it holds none of this target, or those of several accounts.
pub fn of_file(path: &FilePath, target: &Target) -> Result<CustomFields, Vec<Mistake>> {
    let (accounts, mistakes) = read(path);
    let Some(accounts) = accounts else {
        return Err(mistakes);
    };
    match choose(accounts, &target.name, &target.file, &Asked::Any) {
        AccountFields::Known(known) => Ok(known),
        AccountFields::Unknown(why) => {
            let why = why.unwrap_or_else(|| format!("{} holds no account", path.display()));
            Err(vec![Mistake::new("custom-fields", why)])
        }
    }
}

fn choose(
    accounts: Vec<AccountDefinitions>,
    name: &str,
    file: &TargetFile,
    asked: &Asked,
) -> AccountFields {
    let others: Vec<String> = accounts.iter().map(|one| one.whose.describe()).collect();
    let of_target: Vec<AccountDefinitions> = accounts
        .into_iter()
        .filter(|one| one.whose.target == name)
        .collect();
    let of = |text: &str| AccountFields::Unknown(Some(text.to_owned()));
    let known = |one: AccountDefinitions| {
        AccountFields::Known(CustomFields::new(one.whose, one.definitions))
    };
    if of_target.is_empty() {
        return match others.as_slice() {
            [] => AccountFields::default(),
            others => of(&format!(
                "{FILE} holds the custom fields of {}, and none of {name}",
                others.join(" and ")
            )),
        };
    }
    let (wanted, account, exact) = match asked {
        Asked::Any => (&file.base_url, &None, false),
        Asked::Account { base_url, account } => {
            (base_url.as_ref().unwrap_or(&file.base_url), account, true)
        }
    };
    let wanted = bare_url(wanted);
    let many = of_target.len() > 1;
    if !exact && !many {
        return of_target
            .into_iter()
            .next()
            .map_or_else(AccountFields::default, known);
    }
    let mut fitting = of_target
        .into_iter()
        .filter(|one| bare_url(&one.whose.base_url) == wanted && one.whose.account == *account);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => known(one),
        (None, _) if exact => {
            let whose = Whose {
                target: name.to_owned(),
                base_url: wanted,
                account: account.clone(),
                tenants: BTreeMap::new(),
            };
            of(&format!(
                "{FILE} holds the custom fields of {}, and none of {}",
                others.join(" and "),
                whose.describe()
            ))
        }
        _ => of(&format!(
            "{FILE} holds the custom fields of several accounts ({}), and which is meant cannot be told",
            others.join("; ")
        )),
    }
}

/// Reads the file. There is no first part where it cannot be read; notes are never told.
pub fn read(path: &FilePath) -> (Option<Vec<AccountDefinitions>>, Vec<Mistake>) {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&Arc::new(TextFile { name: shown, text })),
        Err(error) => {
            let message = format!("the file `{shown}` cannot be read: {error}");
            (None, vec![Mistake::new("custom-fields", message)])
        }
    }
}

fn parse(file: &Arc<TextFile>) -> (Option<Vec<AccountDefinitions>>, Vec<Mistake>) {
    let (document, mut mistakes) = Document::parse(file);
    if !mistakes.is_empty() {
        return (None, mistakes);
    }
    let (read, found) = document.read::<CustomFieldsFile>();
    mistakes.extend(found);
    let Some(read) = read else {
        return (None, mistakes);
    };
    let mut accounts = Vec::new();
    for section in read.account {
        let mut definitions: Vec<Definition> = Vec::new();
        for field in section.field {
            let key = field.key.get_ref();
            if definitions.iter().any(|known| known.key == *key) {
                let message = format!("the custom field `{key}` stands here twice");
                mistakes.push(Mistake::new("custom-fields", message).at(
                    file,
                    field.key.span(),
                    "the second time",
                ));
                continue;
            }
            definitions.push(definition(field, file, &mut mistakes));
        }
        accounts.push(AccountDefinitions {
            whose: Whose {
                target: section.target,
                base_url: section.base_url,
                account: section.account,
                tenants: section.tenants,
            },
            read: section
                .read
                .map(|read| read.to_string())
                .unwrap_or_default(),
            definitions,
        });
    }
    let good = mistakes.is_empty();
    (good.then_some(accounts), mistakes)
}

fn definition(
    field: FieldSection,
    file: &Arc<TextFile>,
    mistakes: &mut Vec<Mistake>,
) -> Definition {
    let kind = field.kind.as_ref().and_then(|kind| {
        let parsed = Type::parse(kind.get_ref());
        if parsed.is_none() {
            let known = || Type::ALL.iter().map(|kind| kind.name());
            let help = match nearest(kind.get_ref(), known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", known().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no type `{}`", kind.get_ref());
            mistakes.push(
                Mistake::new("unknown-type", message)
                    .at(file, kind.span(), "not known")
                    .help(help),
            );
        }
        parsed
    });
    let options = field.options.iter().map(|option| match option {
        toml::Value::Table(table) => Choice {
            value: table.get("value").map(to_json).unwrap_or_default(),
            label: table
                .get("label")
                .and_then(toml::Value::as_str)
                .map(str::to_owned),
        },
        value => Choice {
            value: to_json(value),
            label: None,
        },
    });
    Definition {
        options: options.filter(|option| !option.value.is_null()).collect(),
        key: field.key.into_inner(),
        id: field.id,
        label: field.label,
        theirs: field.their_type,
        required: field.required,
        kind,
    }
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

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
        let file: TargetFile = toml::from_str(
            "name = \"A\"\nbase_url = \"https://a.example\"\n[create]\npath = \"/c\"\n",
        )
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
}
