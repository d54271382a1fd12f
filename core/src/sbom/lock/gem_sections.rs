//! The sections of a `Gemfile.lock`.

use std::collections::BTreeMap;

use super::gem::malformed;
use crate::error::Result;
use crate::sbom::model::Hash;

/// All that is read of it.
#[derive(Default)]
pub(super) struct Sections<'a> {
    pub(super) sources: Vec<Section<'a>>,
    /// What the `Gemfile` names.
    pub(super) dependencies: Vec<&'a str>,
    /// By `name (version)`, as gems have it.
    pub(super) checksums: BTreeMap<String, Vec<Hash>>,
    /// Whether it has the section that Bundler has put at its end since 1.10.
    pub(super) is_ended: bool,
}

/// What a section of gems says of where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `GEM`
    Registry,
    /// `GIT`
    Git,
    /// `PATH`
    Path,
    /// `PLUGIN SOURCE`
    Plugin,
}

/// Gems of one source.
pub(super) struct Section<'a> {
    pub(super) source: Source,
    pub(super) remotes: Vec<&'a str>,
    /// The commit, of `GIT`.
    pub(super) revision: Option<&'a str>,
    pub(super) specs: Vec<Spec<'a>>,
    has_specs: bool,
}

/// A gem.
pub(super) struct Spec<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) platform: Option<&'a str>,
    /// `name (version)` or `name (version-platform)`.
    pub(super) full: String,
    /// Names of what it needs.
    pub(super) needs: Vec<&'a str>,
}

/// The section that a line stands in.
enum Place {
    Start,
    Specs,
    Dependencies,
    Checksums,
    /// One that says nothing of gems.
    Passed,
}

/// Reads all sections.
pub(super) fn read<'a>(path: &str, text: &'a str) -> Result<Sections<'a>> {
    let mut read = Sections::default();
    let mut place = Place::Start;
    let mut has_dependencies = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let rest = line.trim_start_matches(' ');
        if rest.is_empty() {
            continue;
        }
        let fault =
            |what: &str| malformed(path, format_args!("has in line {} `{}`, {what}", number + 1, rest.escape_debug()));
        match (line.len() - rest.len(), &place) {
            (0, _) => {
                let source = match rest {
                    "GEM" => Some(Source::Registry),
                    "GIT" => Some(Source::Git),
                    "PATH" => Some(Source::Path),
                    "PLUGIN SOURCE" => Some(Source::Plugin),
                    _ => None,
                };
                place = match rest {
                    _ if source.is_some() => Place::Specs,
                    "DEPENDENCIES" => Place::Dependencies,
                    "CHECKSUMS" => Place::Checksums,
                    "PLATFORMS" | "RUBY VERSION" | "BUNDLED WITH" => Place::Passed,
                    _ => return Err(fault("which is no section that is read")),
                };
                has_dependencies |= rest == "DEPENDENCIES";
                read.is_ended |= rest == "BUNDLED WITH";
                if let Some(source) = source {
                    let (remotes, specs) = (Vec::new(), Vec::new());
                    read.sources.push(Section { source, remotes, revision: None, specs, has_specs: false });
                }
            }
            (indent, Place::Specs) => {
                let Some(section) = read.sources.last_mut() else { continue };
                match (indent, section.has_specs) {
                    (2, false) => option(section, rest).ok_or_else(|| fault("which is no option of a source"))?,
                    (4, true) => {
                        section.specs.push(spec(rest).ok_or_else(|| fault("which is no gem with its version"))?);
                    }
                    (6, true) => {
                        let need = dependency(rest).ok_or_else(|| fault("which is no need of a gem"))?;
                        section.specs.last_mut().ok_or_else(|| fault("which no gem needs"))?.needs.push(need);
                    }
                    _ => return Err(fault("which is indented as nothing that is read")),
                }
            }
            (2, Place::Dependencies) => {
                read.dependencies.push(dependency(rest).ok_or_else(|| fault("which is no dependency"))?);
            }
            (2, Place::Checksums) => {
                let (full, hashes) = checksums(rest).ok_or_else(|| fault("which is no checksum that is read"))?;
                if read.checksums.insert(full, hashes).is_some() {
                    return Err(fault("which stands there twice"));
                }
            }
            (_, Place::Passed) => {}
            _ => return Err(fault("which is indented as nothing that is read")),
        }
    }
    if !has_dependencies {
        return Err(malformed(path, "has no section `DEPENDENCIES`, so it is cut"));
    }
    if read.sources.iter().any(|s| !s.has_specs || (s.remotes.is_empty() && !s.specs.is_empty())) {
        return Err(malformed(path, "has a source of gems without its remote or `specs`"));
    }
    if read.sources.iter().any(|s| s.source == Source::Git && s.revision.is_none() && !s.specs.is_empty()) {
        return Err(malformed(path, "has a Git source without its revision"));
    }
    Ok(read)
}

/// `remote: …`, and others; none if it is no option.
fn option<'a>(section: &mut Section<'a>, line: &'a str) -> Option<()> {
    let (key, value) = line.split_once(':')?;
    let value = value.trim();
    match key {
        "remote" if !value.is_empty() => section.remotes.push(value),
        "revision" if !value.is_empty() => section.revision = Some(value),
        "specs" => section.has_specs = true,
        _ => {}
    }
    Some(())
}

/// `name (version)` or `name (version-platform)`; a version has no hyphen of its own.
fn spec(line: &str) -> Option<Spec<'_>> {
    let (name, version) = line.strip_suffix(')')?.split_once(" (")?;
    let full = line.to_owned();
    let (version, platform) = version.split_once('-').map_or((version, None), |(v, p)| (v, Some(p)));
    let sound = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "()!/".contains(c))
    };
    let is_sound = sound(name) && sound(version) && platform.is_none_or(sound);
    is_sound.then_some(Spec { name, version, platform, full, needs: Vec::new() })
}

/// `name`, `name (>= 1, < 2)` or either with `!`, which says that a source of its own was named.
fn dependency(line: &str) -> Option<&str> {
    let line = line.strip_suffix('!').unwrap_or(line);
    let name = match line.split_once(' ') {
        Some((name, requirement)) if requirement.starts_with('(') && requirement.ends_with(')') => name,
        Some(_) => return None,
        None => line,
    };
    (!name.is_empty() && !name.contains(['(', ')', '!'])).then_some(name)
}

/// `name (version) sha256=…,sha512=…`, or without a hash.
fn checksums(line: &str) -> Option<(String, Vec<Hash>)> {
    let end = line.find(')')? + 1;
    let (full, rest) = line.split_at_checked(end)?;
    let full = spec(full)?.full;
    let mut hashes = Vec::new();
    for hash in rest.trim().split(',').filter(|hash| !hash.is_empty()) {
        let (algorithm, content) = hash.split_once('=')?;
        let (alg, digits) = match algorithm {
            "sha1" => ("SHA-1", 40),
            "sha256" => ("SHA-256", 64),
            "sha384" => ("SHA-384", 96),
            "sha512" => ("SHA-512", 128),
            _ => return None,
        };
        let is_hex = content.len() == digits && content.bytes().all(|b| b.is_ascii_hexdigit());
        hashes.push(is_hex.then(|| Hash { alg, content: content.to_ascii_lowercase() })?);
    }
    Some((full, hashes))
}
