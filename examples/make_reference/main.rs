//! Writes the JSON Schemas under `docs/schemas/` and the pages under `docs/reference/`, from the types
//! that read mapping and target files and print summaries, and from the examples that the tests run.
//! With `--check` nothing is written, and the exit code is 1 where a file differs from what would be
//! written, or where a key has no example.
#![allow(clippy::unwrap_used)] // a file that cannot be read ends it

use std::path::Path;
use std::process::ExitCode;

use cases::cases;
use rowferry::schema::Kind;

#[path = "../../tests/common/cases.rs"]
#[allow(unreachable_pub)] // it is a part of the tests
mod cases;
mod page;

fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            say(&format!("`{other}` is not known; only `--check` is"));
            return ExitCode::FAILURE;
        }
    };
    let mut files = Vec::new();
    let mut good = true;
    for kind in Kind::ALL {
        let name = kind.name();
        files.push((format!("docs/schemas/{name}.schema.json"), kind.text()));
        let examples = match kind {
            Kind::Report | Kind::Issue => Vec::new(),
            _ => cases(&format!("docs/reference/examples/{name}")),
        };
        let page = page::page(kind, &kind.schema(), &examples);
        for key in &page.lacking {
            say(&format!(
                "{key} has no example: write a case `== {key}: …` in docs/reference/examples/{name}"
            ));
            good = false;
        }
        for place in &page.unused {
            say(&format!("the example at {place} is of no key"));
            good = false;
        }
        files.push((format!("docs/reference/{name}.md"), page.text));
    }
    for (name, text) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        if !check {
            std::fs::write(&path, text).unwrap();
        } else if std::fs::read_to_string(&path).ok() != Some(text) {
            say(&format!(
                "{name} is not what this program writes; run it without --check"
            ));
            good = false;
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[allow(clippy::print_stderr)] // an example's own voice
fn say(text: &str) {
    eprintln!("{text}");
}
