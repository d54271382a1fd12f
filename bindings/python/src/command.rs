//! The command line.

use pyo3::prelude::*;

/// Runs the `sealwright` command with these arguments, the first of which is the name of the program, and gives its exit
/// code. It prints, and never ends the process.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| sealwright::cli::run(arguments))
}
