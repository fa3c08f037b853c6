//! `rowferry fields`: asks an account for its custom fields, and writes them beside the mapping.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use super::common::{Voice, complain, folder_of, print, say, shown};
use super::import::{given_base_url, insecure};
use crate::issue::Mistake;
use crate::mapping::Mapping;
use crate::pipeline::discover::{Settings, discover};
use crate::pipeline::import::rates_of;
use crate::pipeline::load::load_mapping;
use crate::report::exit::Exit;
use crate::sandbox::{self, Sandbox};
use crate::target::custom::{self, AccountDefinitions, Definition, FILE, Whose, bare_url};
use crate::target::{self, Target};
use crate::upload::auth;

/// The widest list of options in the table, in columns of the terminal.
const WIDEST: usize = 72;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The target: a built-in one, or the path of a target file.
    #[arg(value_name = "TARGET", required_unless_present = "mapping")]
    target: Option<String>,
    /// A mapping file: its target is asked, and the file is written beside it.
    #[arg(long, short, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Where the custom fields are written; default: custom-fields.toml beside the mapping file, or in
    /// this folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the custom fields as JSON on standard output.
    #[arg(long)]
    json: bool,
    /// Ask an embedded server that plays the target, whose account has a few samples.
    #[arg(long, conflicts_with = "base_url")]
    sandbox: bool,
    /// The base URL in place of the target's own [env: ROWFERRY_BASE_URL]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The name of this account, as `import` is given it.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Allow a base URL with http that is not on this machine.
    #[arg(long)]
    insecure_http: bool,
}

/// A sandbox that runs as long as this does.
struct Played {
    base_url: String,
    _server: Sandbox,
    _runtime: tokio::runtime::Runtime,
}

impl Played {
    fn start(target: &Target) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let options = sandbox::Options::default();
        let server = runtime.block_on(Sandbox::start(target.file.clone(), options))?;
        Ok(Self {
            base_url: server.base_url(),
            _server: server,
            _runtime: runtime,
        })
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let voice = Voice {
        json: args.json,
        quiet: false,
        log_json: false,
    };
    let named = args.mapping.clone().unwrap_or_default();
    let refuse = |mistakes: &[Mistake]| voice.mistakes("fields", &named, &[], mistakes);
    let (target, mapping, mistakes) = load(args);
    let Some(target) = target else {
        return refuse(&mistakes);
    };
    complain(&mistakes);
    let Some(listed) = &target.discover else {
        return refuse(&[no_listing(&target)]);
    };
    let place = match &args.output {
        Some(output) => output.clone(),
        None => {
            let folder = args.mapping.as_ref().and_then(|path| path.parent());
            folder.unwrap_or(Path::new("")).join(FILE)
        }
    };
    // Before anything is asked: what stands there may be no file of ours.
    let mut accounts = match place.exists() {
        false => Vec::new(),
        true => match custom::read(&place) {
            (Some(accounts), _) => accounts,
            (None, mut mistakes) => {
                let message = format!(
                    "`{}` cannot be read, so nothing was asked, and it was left as it is",
                    shown(&place)
                );
                mistakes.push(
                    Mistake::new("custom-fields", message)
                        .help("mend it, move it away, or name another file by --output"),
                );
                return refuse(&mistakes);
            }
        },
    };
    let played = match args.sandbox.then(|| Played::start(&target)).transpose() {
        Ok(played) => played,
        Err(error) => {
            let message = format!("the sandbox cannot be started: {error:#}");
            return refuse(&[Mistake::new("sandbox", message)]);
        }
    };
    let base_url = match &played {
        Some(played) => played.base_url.clone(),
        None => {
            given_base_url(args.base_url.as_ref()).unwrap_or_else(|| target.file.base_url.clone())
        }
    };
    if let Some(mistake) = insecure(&base_url, args.insecure_http) {
        return refuse(&[mistake]);
    }
    let environment = |name: &str| match &played {
        // Whoever knocks is let in.
        Some(_) => (!name.ends_with("_FILE")).then(|| "sandbox".to_owned()),
        None => std::env::var(name).ok(),
    };
    let credentials = match auth::resolve(&target, &environment) {
        Ok(credentials) => credentials,
        Err(mistakes) => return refuse(&mistakes),
    };
    let tenants: BTreeMap<String, String> = match &played {
        Some(_) => BTreeMap::new(),
        None => credentials.tenants.iter().cloned().collect(),
    };
    let settings = Settings {
        base_url: base_url.clone(),
        credentials,
        rates: rates_of(&target, mapping.as_ref()),
    };
    let found = match discover(&target, listed, settings) {
        Ok(found) => found,
        Err(error) => {
            let mut mistake = Mistake::new("fields", error.message);
            mistake.help = error.help;
            return voice.broken_off("fields", &named, &[], &[mistake], Exit::Stopped);
        }
    };
    let whose = Whose {
        target: target.name.clone(),
        base_url: match &played {
            Some(_) => format!("sandbox:{}", target.name),
            None => bare_url(&base_url),
        },
        account: args.account.clone(),
        tenants,
    };
    let own = AccountDefinitions {
        read: jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .map(|now| now.to_string())
            .unwrap_or_default(),
        definitions: found.definitions,
        whose,
    };
    let said = tell(args, &own, &found.notes, &place)?;
    match accounts.iter().position(|one| one.whose == own.whose) {
        Some(at) => accounts[at] = own,
        None => accounts.push(own),
    }
    if let Err(error) = write(&place, &custom::write(&accounts)) {
        let message = format!("the file `{}` cannot be written: {error}", shown(&place));
        complain(&[Mistake::new("custom-fields", message)]);
        return Ok(Exit::Usage);
    }
    say(&said);
    Ok(Exit::Ok)
}

/// The target, and the mapping that names it, if one does.
fn load(args: &Args) -> (Option<Arc<Target>>, Option<Mapping>, Vec<Mistake>) {
    match (&args.target, &args.mapping) {
        (Some(name), _) => {
            let (target, mistakes) = target::load(name, Path::new(""));
            (target.map(Arc::new), None, mistakes)
        }
        (None, Some(path)) => {
            let (found, mistakes) = load_mapping(path);
            match found {
                // What else is wrong with the mapping is told by `check`; it may be half written.
                Some((mapping, target)) => (Some(target), Some(mapping), Vec::new()),
                None => (None, None, mistakes),
            }
        }
        (None, None) => (None, None, Vec::new()),
    }
}

fn no_listing(target: &Target) -> Mistake {
    let name = &target.file.name;
    let (message, help) = match &target.file.custom {
        None => (
            format!("{name} has no custom fields, as far as its target file says"),
            "if it has, describe them under [custom] and [custom.discover] in a target file that \
             extends this one"
                .to_owned(),
        ),
        Some(custom) if custom.open => (
            format!("{name} defines no custom fields: any key goes, with any value"),
            "nothing need be asked".to_owned(),
        ),
        Some(_) => (
            format!("the target file of {name} does not say where its custom fields can be listed"),
            "describe it under [custom.discover]".to_owned(),
        ),
    };
    Mistake::new("no-discover", message).help(help)
}

/// Prints what was found; the sentence that ends the command.
fn tell(
    args: &Args,
    own: &AccountDefinitions,
    notes: &[String],
    place: &Path,
) -> anyhow::Result<String> {
    let whose = &own.whose;
    if args.json {
        let fields: Vec<_> = own.definitions.iter().map(field_json).collect();
        print(
            &json!({
                "command": "fields", "target": whose.target, "base_url": whose.base_url,
                "account": whose.account, "read": own.read, "file": shown(place),
                "fields": fields, "notes": notes, "exit_code": Exit::Ok.code(),
            })
            .to_string(),
        )?;
    } else if !own.definitions.is_empty() {
        print(table(&own.definitions).trim_end())?;
    }
    for note in notes {
        say(&format!("note: {note}"));
    }
    let count = match own.definitions.len() {
        0 => "no custom fields".to_owned(),
        1 => "1 custom field".to_owned(),
        many => format!("{many} custom fields"),
    };
    Ok(format!(
        "{count} of {} written to {}",
        whose.describe(),
        shown(place)
    ))
}

fn field_json(definition: &Definition) -> serde_json::Value {
    let options: Vec<_> = definition
        .options
        .iter()
        .map(|option| json!({ "value": option.value, "label": option.label }))
        .collect();
    json!({
        "key": definition.key, "id": definition.id, "label": definition.label,
        "type": definition.kind.map(crate::field::Type::name), "their_type": definition.theirs,
        "required": definition.required, "options": options,
    })
}

/// The definitions in columns.
fn table(definitions: &[Definition]) -> String {
    let mut lines = vec![["key", "label", "type", "options"].map(str::to_owned)];
    lines.extend(definitions.iter().map(line));
    let mut widths = [0; 4];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width - cell.width() + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn line(definition: &Definition) -> [String; 4] {
    let theirs = definition.theirs.as_deref();
    let mut kind = match (definition.kind, theirs) {
        (Some(kind), Some(theirs)) if theirs != kind.name() => {
            format!("{} ({theirs})", kind.name())
        }
        (Some(kind), _) => kind.name().to_owned(),
        (None, Some(theirs)) => format!("any ({theirs})"),
        (None, None) => "any".to_owned(),
    };
    if definition.required {
        kind.push_str(", required");
    }
    let mut options = String::new();
    for (at, option) in definition.options.iter().enumerate() {
        let value = match &option.value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut text = match &option.label {
            Some(label) if *label != value => format!("{value} ({label})"),
            _ => value,
        };
        if at > 0 {
            text.insert_str(0, ", ");
        }
        if at > 0 && options.width() + text.width() > WIDEST {
            options.push_str(&format!(", and {} more", definition.options.len() - at));
            break;
        }
        options.push_str(&text);
    }
    let cell = |text: &str| -> String {
        // What an account calls its fields is not ours to let loose on a terminal.
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect()
    };
    [
        cell(&definition.key),
        cell(definition.label.as_deref().unwrap_or_default()),
        cell(&kind),
        cell(&options),
    ]
}

/// Writes the file beside its name and renames it into place.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    // No secret is in it: it may be shared like the mapping file.
    let mode = std::fs::metadata(path).map_or(0o644, |there| there.permissions().mode() & 0o777);
    let mut file = tempfile::Builder::new()
        .prefix(".rowferry-")
        .suffix(".part")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Choice, Type};

    #[test]
    fn the_table_is_cut_to_width_and_free_of_control_characters() {
        let options = (0..40).map(|number| Choice {
            value: number.into(),
            label: Some(format!("Label {number}")),
        });
        let definitions = [
            Definition {
                key: "size".into(),
                label: Some("Size\u{1b}[31m".into()),
                kind: Some(Type::Choice),
                theirs: Some("dropdown".into()),
                required: true,
                options: options.collect(),
                ..Definition::default()
            },
            Definition {
                key: "x".into(),
                theirs: Some("mystery".into()),
                ..Definition::default()
            },
        ];
        insta::assert_snapshot!(table(&definitions), @r"
        key   label      type                         options
        size  Size [31m  choice (dropdown), required  0 (Label 0), 1 (Label 1), 2 (Label 2), 3 (Label 3), 4 (Label 4), and 35 more
        x                any (mystery)
        ");
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        write(&path, "one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("no/where"), "x").is_err());
    }
}
