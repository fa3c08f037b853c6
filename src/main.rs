//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(rowferry::cli::run(std::env::args_os()).code())
}
