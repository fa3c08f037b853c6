//! Whose custom fields an import or a check goes by, of those that the file holds.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use super::{AccountDefinitions, AccountFields, CustomFields, FILE, Whose, bare_url, read};
use crate::issue::Mistake;
use crate::target::Target;
use crate::target::file::TargetFile;

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

pub(super) fn choose(
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
