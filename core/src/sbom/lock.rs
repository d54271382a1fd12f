//! Lock files: which there are, by what name each is found, and what reads it.
//!
//! A reader gives the packages of one file as [`LockFile`]; one more format is one file below this one and one row of
//! [`FORMATS`].

mod bun;
mod cargo;
mod cargo_manifest;
mod composer;
mod gem;
mod gem_sections;
mod go;
mod go_mod;
mod gradle;
mod integrity;
mod maven;
mod maven_poms;
mod members;
mod mix;
mod mix_term;
mod npm;
mod npm_v1;
mod nuget;
mod package_json;
mod pdm;
mod pipfile;
mod pnpm;
mod pnpm_key;
mod poetry;
mod pylock;
mod pyproject;
mod python;
mod python_graph;
mod python_marker;
mod python_range;
mod requirements;
mod requirements_files;
mod requirements_lines;
mod scope;
mod swift;
mod uv;
mod yaml;
mod yarn;
mod yarn_berry;
mod yarn_locator;
mod yarn_resolutions;
mod yarn_syntax;
mod yarn_v1;

use std::path::Path;

use serde::de::DeserializeOwned;

use super::GenerateOptions;
use super::graph::{Coverage, LockFile};
use super::tree::Found;
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;

pub(super) use maven_poms::Poms;

/// A kind of lock file.
pub(super) struct Format {
    /// Names of files, `*` for any part of one.
    names: &'static [&'static str],
    /// How much such a file tells.
    pub(super) coverage: Coverage,
    /// Reads a file found by its name, as text, and what stands beside it.
    pub(super) read: fn(&Found, &str, &GenerateOptions) -> Result<LockFile>,
}

const FORMATS: &[Format] = &[
    Format { names: &["Cargo.lock"], coverage: Coverage::Whole, read: cargo::read },
    Format { names: &["package-lock.json", "npm-shrinkwrap.json"], coverage: Coverage::Whole, read: npm::read },
    Format { names: &["pnpm-lock.yaml"], coverage: Coverage::Whole, read: pnpm::read },
    Format { names: &["yarn.lock"], coverage: Coverage::Whole, read: yarn::read },
    Format { names: &["bun.lock"], coverage: Coverage::Whole, read: bun::read },
    Format { names: &["uv.lock"], coverage: Coverage::Whole, read: uv::read },
    Format { names: &["poetry.lock"], coverage: Coverage::Whole, read: poetry::read },
    Format { names: &["pdm.lock"], coverage: Coverage::Whole, read: pdm::read },
    Format { names: &["Pipfile.lock"], coverage: Coverage::Flat, read: pipfile::read },
    Format { names: &["pylock.toml", "pylock.*.toml"], coverage: Coverage::Whole, read: pylock::read },
    Format { names: &["requirements*.txt", "*requirements.txt"], coverage: Coverage::Flat, read: requirements::read },
    Format { names: &["go.mod"], coverage: Coverage::Flat, read: go::read },
    Format { names: &["*gradle.lockfile"], coverage: Coverage::Unlinked, read: gradle::read },
    Format { names: &["Gemfile.lock", "gems.locked"], coverage: Coverage::Whole, read: gem::read },
    Format { names: &["composer.lock"], coverage: Coverage::Whole, read: composer::read },
    Format { names: &["packages.lock.json"], coverage: Coverage::Whole, read: nuget::read },
    Format { names: &["Package.resolved"], coverage: Coverage::Unlinked, read: swift::read },
    Format { names: &["mix.lock"], coverage: Coverage::Whole, read: mix::read },
    Format { names: &[Poms::NAME], coverage: Coverage::Direct, read: maven::read },
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

/// What a parser says of its input, some of which it may quote.
fn brief(message: &str) -> String {
    message.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The manifest at `path`, which is TOML; none if there is no such file.
fn toml_manifest<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = optional(limits::read_file("manifest", path, limits::MANIFEST_BYTES))? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|e| broken_manifest(path, e))?;
    toml::from_str(text).map(Some).map_err(|e| broken_manifest(path, brief(e.message())))
}

fn broken_manifest(path: &Path, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the manifest `{}` can't be read: {fault}; mend it", path.display()))
}
