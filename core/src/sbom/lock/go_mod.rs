//! The directives of a `go.mod` (Go Modules Reference, "go.mod files"), and the lines of a `go.sum`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// A module that is required.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Require {
    pub(super) path: String,
    pub(super) version: String,
    pub(super) is_indirect: bool,
}

/// What stands in the place of a module, in one version or in any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replace {
    pub(super) path: String,
    /// None for a folder.
    pub(super) version: Option<String>,
}

/// A `go.mod`.
#[derive(Debug, Default)]
pub(super) struct GoMod {
    pub(super) module: String,
    /// Major and minor version of Go.
    pub(super) go: Option<(u32, u32)>,
    pub(super) requires: Vec<Require>,
    pub(super) replaces: BTreeMap<(String, Option<String>), Replace>,
    pub(super) excludes: BTreeSet<(String, String)>,
}

/// Reads a `go.mod`.
pub(super) fn parse(path: &str, text: &str) -> Result<GoMod> {
    let mut parsed = GoMod::default();
    let mut block: Option<String> = None;
    for (n, line) in text.lines().enumerate() {
        let fault = |what: &str| malformed(path, format_args!("has in line {} {what}", n + 1));
        let (words, comment) = words(line).ok_or_else(|| fault("text that does not end"))?;
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let directive = match (&block, words.as_slice()) {
            (_, []) => continue,
            (Some(_), [")"]) => {
                block = None;
                continue;
            }
            (Some(directive), _) => directive.clone(),
            (None, [directive, "("]) => {
                block = Some((*directive).to_owned());
                continue;
            }
            (None, _) => words.remove(0).to_owned(),
        };
        let read = parsed.add(&directive, &words, comment.trim());
        read.map_err(|what| {
            fault(&format!("`{}`, {what}", line.trim().chars().take(100).collect::<String>().escape_debug()))
        })?;
    }
    if block.is_some() {
        return Err(malformed(path, "ends within a block, so it is cut"));
    }
    if parsed.module.is_empty() {
        return Err(malformed(path, "has no `module`"));
    }
    Ok(parsed)
}

impl GoMod {
    /// # Errors
    /// What is wrong with the directive.
    fn add(&mut self, directive: &str, words: &[&str], comment: &str) -> std::result::Result<(), &'static str> {
        match (directive, words) {
            ("module", [path]) if is_path(path) && self.module.is_empty() => self.module = (*path).to_owned(),
            ("go", [version]) if self.go.is_none() => self.go = Some(language(version).ok_or("which is no version")?),
            ("require", [path, version]) if is_path(path) => {
                if !is_version(version) {
                    return Err("which is no version of a module");
                }
                let is_indirect = comment == "indirect" || comment.starts_with("indirect;");
                self.requires.push(Require { path: (*path).to_owned(), version: (*version).to_owned(), is_indirect });
            }
            ("exclude", [path, version]) if is_path(path) && is_version(version) => {
                self.excludes.insert(((*path).to_owned(), (*version).to_owned()));
            }
            ("replace", [old, "=>", new @ ..]) if is_path(old) => self.replace(old, None, new)?,
            ("replace", [old, version, "=>", new @ ..]) if is_path(old) && is_version(version) => {
                self.replace(old, Some((*version).to_owned()), new)?;
            }
            // say nothing about which modules are selected
            ("toolchain" | "godebug" | "retract" | "tool" | "ignore", [_, ..]) => {}
            _ => return Err("which is not understood"),
        }
        Ok(())
    }

    fn replace(&mut self, old: &str, version: Option<String>, new: &[&str]) -> std::result::Result<(), &'static str> {
        let replace = match new {
            [path, version] if is_path(path) && is_version(version) => {
                Replace { path: (*path).to_owned(), version: Some((*version).to_owned()) }
            }
            [folder] if is_folder(folder) => Replace { path: (*folder).to_owned(), version: None },
            _ => return Err("which replaces a module by none"),
        };
        match self.replaces.insert((old.to_owned(), version), replace) {
            None => Ok(()),
            Some(_) => Err("which replaces a module a second time"),
        }
    }
}

/// The words of a line, and the comment after them; none if a quoted one does not end.
fn words(line: &str) -> Option<(Vec<String>, &str)> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    loop {
        if rest.is_empty() {
            return Some((found, ""));
        }
        if let Some(comment) = rest.strip_prefix("//") {
            return Some((found, comment));
        }
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`'));
        if let Some(quote) = quote {
            let (word, after) = rest.get(1..)?.split_once(quote)?;
            found.push(word.to_owned());
            rest = after.trim_start();
            continue;
        }
        let end = rest
            .char_indices()
            .find(|(at, c)| c.is_whitespace() || rest.get(*at..).is_some_and(|r| r.starts_with("//")));
        let (word, after) = rest.split_at_checked(end.map_or(rest.len(), |(at, _)| at))?;
        // a parenthesis needs no blank before it
        match word.strip_suffix('(') {
            Some(word) if !word.is_empty() => found.extend([word.to_owned(), "(".to_owned()]),
            _ => found.push(word.to_owned()),
        }
        rest = after.trim_start();
    }
}

fn is_path(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~/+".contains(&b);
    path.len() <= 500 && path.bytes().all(sound) && path.split('/').all(part)
}

fn is_folder(path: &str) -> bool {
    let drive = |b: &[u8]| matches!(b, [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['.', '/', '\\']) || drive(path.as_bytes())
}

fn is_version(version: &str) -> bool {
    let numbers = version.strip_prefix('v').unwrap_or_default();
    let core = numbers.split(['-', '+']).next().unwrap_or_default();
    let number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-.+".contains(&b);
    version.len() <= 200 && core.split('.').count() == 3 && core.split('.').all(number) && numbers.bytes().all(sound)
}

fn language(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

/// The modules of a `go.sum`, with the `h1` of their files where it has one: of those that nothing is built from it has
/// the hash of their `go.mod` alone.
pub(super) fn sums(path: &str, text: &str) -> Result<BTreeMap<(String, String), Option<String>>> {
    let mut found: BTreeMap<(String, String), Option<String>> = BTreeMap::new();
    let mut manifests = BTreeMap::new();
    for (n, line) in text.lines().enumerate() {
        let fault = |what: &str| malformed(path, format_args!("has in line {} {what}", n + 1));
        let words: Vec<&str> = line.split_whitespace().collect();
        let [module, version, sum] = words.as_slice() else {
            if words.is_empty() {
                continue;
            }
            return Err(fault("no module, version and hash"));
        };
        let (version, of_manifest) = version.strip_suffix("/go.mod").map_or((*version, false), |v| (v, true));
        if !is_path(module) || !is_version(version) {
            return Err(fault("no module, version and hash"));
        }
        // `go` passes over algorithms that it does not know
        let Some(sum) = sum.strip_prefix("h1:") else { continue };
        if STANDARD.decode(sum).ok().is_none_or(|bytes| bytes.len() != 32) {
            return Err(fault("an `h1` that is no SHA-256"));
        }
        let key = ((*module).to_owned(), version.to_owned());
        let before = if of_manifest {
            found.entry(key.clone()).or_default();
            manifests.insert(key, sum.to_owned())
        } else {
            found.insert(key, Some(sum.to_owned())).flatten()
        };
        if before.is_some_and(|before| before != sum) {
            return Err(fault("another hash than before for the same version"));
        }
    }
    Ok(found)
}

pub(super) fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `go mod tidy` and look at it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_and_blocks_are_read() {
        let text = "// Deprecated: no\nmodule \"example.org/a\" // here\n\ngo 1.21rc1\ntoolchain go1.22.0\n\
            require (\n\texample.org/b v1.0.0\n\texample.org/c v0.0.0-20200101000000-0123456789ab // indirect\n)\n\
            require example.org/d v2.0.0+incompatible//indirect; x\n\
            replace example.org/b => ../b\nreplace(\n `example.org/c` v1.0.0 => example.org/e v1.2.3\n)\n\
            exclude example.org/x v1.0.0\nretract [v1.0.0, v1.1.0]\nretract (\n v1.0.0\n)\ngodebug x=y\ntool example.org/b/c\n";
        let parsed = parse("go.mod", text).unwrap();
        assert_eq!((parsed.module.as_str(), parsed.go), ("example.org/a", Some((1, 21))));
        let requires: Vec<_> = parsed.requires.iter().map(|r| (&*r.path, r.is_indirect)).collect();
        assert_eq!(requires, [("example.org/b", false), ("example.org/c", true), ("example.org/d", true)]);
        assert_eq!(parsed.replaces.len(), 2);
        assert_eq!(parsed.replaces[&("example.org/b".to_owned(), None)].version, None);
        assert_eq!(parsed.excludes.len(), 1);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "go 1.21",
            "module a\nmodule b",
            "module a b",
            "module \"a",
            "module ../a",
            "module a\nrequire (\n b v1.0.0\n",
            "module a\nrequire b master",
            "module a\nrequire b v1.0",
            "module a\nrequire b",
            "module a\nreplace b => c",
            "module a\nreplace b => ./c\nreplace b => ./d",
            "module a\nunknown b",
            "module a\ngo x",
            "module a\n)",
        ] {
            assert_eq!(parse("go.mod", text).unwrap_err().code(), "MALFORMED", "{text}");
        }
        for text in ["a v1.0.0", "a v1.0.0 h1:AAAA", "a 1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] {
            assert_eq!(sums("go.sum", text).unwrap_err().code(), "MALFORMED", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"(\PC|\n){0,60}", near in "((module|require|replace|=>|a|v1.0.0|[(]|[)]|//|\"|`|\n) ?){0,16}") {
            for text in [text, near] {
                let _ = (parse("go.mod", &text), sums("go.sum", &text));
            }
        }
    }
}
