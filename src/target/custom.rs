//! `custom-fields.toml`: the custom fields that an account has, as far as they are known.
//!
//! `rowferry fields` writes it; checks read it where it stands beside the mapping file. One file
//! holds those of several accounts, and each says whose it is.

mod choose;
mod known;
mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use self::choose::{Asked, beside, of_file};
pub use self::known::{AccountFields, CustomFields, KnownField, Named};
pub use self::read::read;
pub use self::write::write;

use crate::field::{Choice, Type};

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

#[cfg(test)]
mod tests;
