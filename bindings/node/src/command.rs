//! The command line.

use napi_derive::napi;

/// Runs the `sealwright` command with these arguments, the first of which is the name of the program, and gives its exit
/// code. It prints, and never ends the process.
#[napi]
pub fn run_command_sync(arguments: Vec<String>) -> u8 {
    sealwright::cli::run(arguments)
}
