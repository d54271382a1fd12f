//! Lock files: which there are, by what name each is found, and what reads it.
//!
//! A reader gives the packages of one file as [`LockFile`]; one more format is one file below this one and one row of
//! [`FORMATS`].

mod bun;
mod cargo;
mod cargo_manifest;
mod integrity;
mod members;
mod npm;
mod npm_v1;
mod package_json;
mod pnpm;
mod pnpm_key;
mod scope;
mod yaml;
mod yarn;
mod yarn_berry;
mod yarn_locator;
mod yarn_resolutions;
mod yarn_syntax;
mod yarn_v1;

use super::GenerateOptions;
use super::graph::LockFile;
use super::tree::Found;
use crate::error::{Error, ErrorKind, Result};

/// A kind of lock file.
pub(super) struct Format {
    /// Names of files, `*` for any part of one.
    names: &'static [&'static str],
    /// Reads a file found by its name, as text, and what stands beside it.
    pub(super) read: fn(&Found, &str, &GenerateOptions) -> Result<LockFile>,
}

const FORMATS: &[Format] = &[
    Format { names: &["Cargo.lock"], read: cargo::read },
    Format { names: &["package-lock.json", "npm-shrinkwrap.json"], read: npm::read },
    Format { names: &["pnpm-lock.yaml"], read: pnpm::read },
    Format { names: &["yarn.lock"], read: yarn::read },
    Format { names: &["bun.lock"], read: bun::read },
];

/// The format of files named `name`, if they are lock files.
pub(super) fn format_of(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.names.iter().any(|pattern| is_named(name, pattern)))
}

fn is_named(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
    }
}

/// What is wrong with the lock file at `path`, and what to do.
fn malformed(path: &str, fault: impl std::fmt::Display, remedy: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the lock file `{path}` {fault}; {remedy}"))
}
