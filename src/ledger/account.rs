//! Whose ledger it is: the account, its place by default, and the fingerprint of its secret.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::LedgerError;

/// What an account is. Two runs share a ledger exactly if all of this is equal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The target's name.
    pub target: String,
    /// The base URL, without its last slash.
    pub base_url: String,
    /// The OAuth2 client id, where there is one.
    pub client_id: Option<String>,
    /// Names and values of the headers that name a tenant, in any order.
    pub tenants: Vec<(String, String)>,
    /// The name given by `--account`.
    pub name: Option<String>,
}

impl Account {
    /// A hash that is the same for the same account, over versions and machines.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut text = |text: &str| {
            // The length keeps neighbours apart: ("ab", "c") is not ("a", "bc").
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        text("rowferry account 1");
        text(&self.target);
        text(&one_form(&self.base_url));
        for part in [&self.client_id, &self.name] {
            text(if part.is_some() { "+" } else { "-" });
            text(part.as_deref().unwrap_or_default());
        }
        let mut tenants: Vec<(String, &str)> = self
            .tenants
            .iter()
            // Header names are equal whatever their case.
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
            .collect();
        tenants.sort_unstable();
        for (name, value) in &tenants {
            text(name);
            text(value);
        }
        *hasher.finalize().as_bytes()
    }

    /// The account in words, without anything secret.
    pub(super) fn describe(&self) -> String {
        describe(&self.target, &self.base_url, self.name.as_deref())
    }
}

/// An account in words.
pub(super) fn describe(target: &str, base_url: &str, name: Option<&str>) -> String {
    let base_url = without_user(base_url);
    match name {
        Some(name) => format!("the account \"{name}\" of {target} at {base_url}"),
        None => format!("{target} at {base_url}"),
    }
}

/// The URL without a user and password, which have no place in a ledger.
pub(crate) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// The one form of addresses that lead to the same place: scheme and host in small letters, no user,
/// no port that goes without saying, no slash at the end.
fn one_form(url: &str) -> String {
    let url = without_user(url);
    let url = url.trim_end_matches('/');
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "https" => ":443",
        _ => ":80",
    };
    let host = host.strip_suffix(usual).unwrap_or(&host);
    format!("{scheme}://{host}{path}")
}

/// Where the ledger of this account stands if `--ledger` does not say: in `$XDG_STATE_HOME/rowferry`,
/// or `~/.local/state/rowferry`. Nothing is created.
///
/// # Errors
/// `NoHome` if neither folder is known.
pub fn default_path(account: &Account) -> Result<PathBuf, LedgerError> {
    Ok(default_folder()?.join(file_name(account)))
}

/// The folder in which all that we remember stands if nothing else is said. It is not created.
///
/// # Errors
/// `NoHome` if neither `XDG_STATE_HOME` nor the home folder is known.
pub fn default_folder() -> Result<PathBuf, LedgerError> {
    let home = std::env::home_dir().map(PathBuf::into_os_string);
    state_folder(std::env::var_os("XDG_STATE_HOME"), home)
}

/// The folder of all ledgers. A relative or empty `XDG_STATE_HOME` does not count
/// (XDG Base Directory Specification 0.8, "Basics").
fn state_folder(state: Option<OsString>, home: Option<OsString>) -> Result<PathBuf, LedgerError> {
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home
        .filter(|home| !home.is_empty())
        .map(|home| PathBuf::from(home).join(".local").join("state"));
    state
        .or(home)
        .map(|folder| folder.join("rowferry"))
        .ok_or(LedgerError::NoHome)
}

fn file_name(account: &Account) -> String {
    let name: String = account
        .target
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => c,
            _ => '-',
        })
        .take(48)
        .collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "target" } else { name };
    let hash = account.hash();
    format!(
        "{name}-{:02x}{:02x}{:02x}{:02x}.db",
        hash[0], hash[1], hash[2], hash[3]
    )
}

/// A secret's salted fingerprint. Only 64 bits are kept: enough to notice another secret, too few to
/// confirm a guess of a weak one beyond doubt.
pub(super) fn fingerprint(salt: &[u8; 32], secret: &[u8]) -> [u8; 8] {
    let hash = blake3::keyed_hash(salt, secret);
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            target: "flextell".into(),
            base_url: "https://api.example.org/v1".into(),
            client_id: Some("client".into()),
            tenants: vec![
                ("X-Tenant".into(), "a".into()),
                ("X-Unit".into(), "b".into()),
            ],
            name: None,
        }
    }

    #[test]
    fn every_part_of_an_account_counts() {
        let base = account();
        let changes: [fn(&mut Account); 7] = [
            |a| a.target = "other".into(),
            |a| a.base_url = "https://api.example.com/v1".into(),
            |a| a.client_id = None,
            |a| a.client_id = Some(String::new()),
            |a| a.name = Some(String::new()),
            |a| a.tenants[0].1 = "b".into(),
            |a| a.tenants.truncate(1),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = account();
            change(&mut other);
            assert_ne!(base.hash(), other.hash(), "change {number}");
        }
    }

    #[test]
    fn what_does_not_matter_does_not_count() {
        let base = account();
        let mut other = account();
        other.tenants.reverse();
        other.tenants[0].0 = "x-unit".into();
        other.base_url = "https://user:pass@api.example.org/v1/".into();
        assert_eq!(base.hash(), other.hash());
        assert!(!other.describe().contains("pass"), "{}", other.describe());
    }

    #[test]
    fn the_hash_is_stable() {
        // A change here makes every ledger in the world another account's.
        let hash = account().hash();
        let text: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "064b2abad6239794");
    }

    #[test]
    fn folders() {
        let folder = |state: Option<&str>, home: Option<&str>| {
            state_folder(state.map(Into::into), home.map(Into::into))
        };
        let absolute = if cfg!(windows) { r"C:\state" } else { "/state" };
        for (state, home, expected) in [
            (
                Some(absolute),
                Some("/home/u"),
                Ok(PathBuf::from(absolute).join("rowferry")),
            ),
            (
                Some("relative"),
                Some("/home/u"),
                Ok("/home/u/.local/state/rowferry".into()),
            ),
            (
                Some(""),
                Some("/home/u"),
                Ok("/home/u/.local/state/rowferry".into()),
            ),
            (None, Some(""), Err(LedgerError::NoHome)),
            (None, None, Err(LedgerError::NoHome)),
        ] {
            assert_eq!(folder(state, home), expected, "{state:?} {home:?}");
        }
    }

    #[test]
    fn file_names_are_plain() {
        for (target, start) in [
            ("kaiten", "kaiten-"),
            ("sandbox:kaiten", "sandbox-kaiten-"),
            ("../../etc/x.toml", "etc-x-toml-"),
            ("", "target-"),
        ] {
            let name = file_name(&Account {
                target: target.into(),
                ..account()
            });
            assert!(name.starts_with(start) && name.ends_with(".db"), "{name}");
            assert_eq!(name.len(), start.len() + 8 + 3, "{name}");
        }
    }

    #[test]
    fn addresses_that_lead_to_the_same_place_are_one_account() {
        let of = |base_url: &str| {
            let base_url = base_url.to_owned();
            let account = Account {
                base_url,
                ..Account::default()
            };
            account.hash()
        };
        let plain = of("https://api.example.com/v1");
        for same in [
            "https://API.Example.com/v1",
            "HTTPS://api.example.com:443/v1/",
            "https://u:pw@api.example.com/v1",
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
        for other in [
            "https://api.example.com/V1",
            "https://api.example.com:80/v1",
            "http://api.example.com/v1",
        ] {
            assert_ne!(of(other), plain, "{other}");
        }
    }
}
