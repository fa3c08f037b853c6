//! `rowferry schema`: a JSON Schema, for editors and programs.

use super::common::print;
use crate::report::exit::Exit;
use crate::schema::Kind;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the schema is of.
    #[arg(value_enum)]
    kind: Kind,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    print(args.kind.text().trim_end())?;
    Ok(Exit::Ok)
}
