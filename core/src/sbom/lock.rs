//! Lock files: which there are, by what name each is found, and what reads it.
//!
//! A reader gives the packages of one file as [`LockFile`]; one more format is one file below this one and one row of
//! [`FORMATS`].

mod cargo;
mod cargo_manifest;
mod composer;
mod gem;
mod gem_sections;
mod gradle;
mod maven;
mod maven_poms;
mod mix;
mod mix_term;
mod npm;
mod npm_v1;
mod nuget;
mod swift;

use super::GenerateOptions;
use super::graph::{Coverage, LockFile};
use super::tree::Found;
use crate::error::{Error, ErrorKind, Result};

pub(super) use maven_poms::Poms;

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
    Format { names: &["*gradle.lockfile"], read: gradle::read },
    Format { names: &["Gemfile.lock", "gems.locked"], read: gem::read },
    Format { names: &["composer.lock"], read: composer::read },
    Format { names: &["packages.lock.json"], read: nuget::read },
    Format { names: &["Package.resolved"], read: swift::read },
    Format { names: &["mix.lock"], read: mix::read },
    Format { names: &[Poms::NAME], read: maven::read },
];

/// Formats that tell less than all packages and what each needs.
const PARTIAL: &[(&str, Coverage)] = &[
    ("*gradle.lockfile", Coverage::Unlinked),
    ("Package.resolved", Coverage::Unlinked),
    (Poms::NAME, Coverage::Direct),
];

/// The format of files named `name`, if they are lock files.
pub(super) fn format_of(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.names.iter().any(|pattern| is_named(name, pattern)))
}

/// The names of files that are lock files.
pub(super) fn names() -> String {
    let names = FORMATS.iter().flat_map(|format| format.names).map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

/// How much a file of this path tells.
pub(super) fn coverage(path: &str) -> Coverage {
    let name = path.rsplit('/').next().unwrap_or_default();
    let partial = PARTIAL.iter().find(|(pattern, _)| is_named(name, pattern));
    partial.map_or(Coverage::Whole, |(_, coverage)| *coverage)
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
