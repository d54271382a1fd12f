//! What a requirements file of pip and those that it includes say, line by line.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::python::{Reading, shown};
use super::requirements_lines::{Line, Via, lines};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sbom::model::Hash;
use crate::sbom::tree::{Found, read_text};

/// Files that one includes, all together, and files within files.
const INCLUDES: usize = 1000;
const DEPTH: usize = 64;

/// Options that don't say which packages are meant, and whether a value follows.
const OPTIONS: [(&str, bool); 15] = [
    ("-f", true),
    ("--allow-all-external", false),
    ("--allow-external", true),
    ("--allow-unverified", true),
    ("--find-links", true),
    ("--no-binary", true),
    ("--no-index", false),
    ("--only-binary", true),
    ("--pre", false),
    ("--prefer-binary", false),
    ("--process-dependency-links", false),
    ("--require-hashes", false),
    ("--trusted-host", true),
    ("--use-feature", true),
    ("--use-wheel", false),
];

/// Options after a requirement that say how it is built.
const BUILD_OPTIONS: [&str; 3] = ["--config-setting", "--global-option", "--install-option"];

/// A requirement, and where it stands.
pub(super) struct Wanted {
    /// The file, relative to the root of the tree.
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) hashes: Vec<Hash>,
    pub(super) via: Option<Vec<Via>>,
}

/// What several files say together.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) wanted: Vec<Wanted>,
    /// Of constraint files: versions of packages, if they are wanted.
    pub(super) constraints: Vec<Wanted>,
    /// The index that is asked; none if it is the default one, or one of several.
    pub(super) index: Option<String>,
}

/// Reads the file `found`, with the text `text`, and those that it includes.
pub(super) fn gather(reading: Reading<'_>, found: &Found, text: &str) -> Result<Gathered> {
    let depth = found.relative.matches('/').count();
    let mut files = Files {
        reading,
        root: found.folder.ancestors().nth(depth).unwrap_or(&found.folder).to_path_buf(),
        open: vec![found.relative.clone()],
        seen: BTreeSet::new(),
        left: limits::DOCUMENT_BYTES,
        gathered: Gathered::default(),
        has_more_indexes: false,
    };
    files.read(text, false)?;
    if files.has_more_indexes {
        files.gathered.index = None;
    }
    Ok(files.gathered)
}

struct Files<'a> {
    reading: Reading<'a>,
    root: PathBuf,
    /// The file that is read, below those that include it.
    open: Vec<String>,
    seen: BTreeSet<(String, bool)>,
    left: u64,
    gathered: Gathered,
    has_more_indexes: bool,
}

impl Files<'_> {
    fn read(&mut self, text: &str, is_constraint: bool) -> Result<()> {
        for mut line in lines(text) {
            let Some((option, value)) = option(&line.text) else {
                self.want(line, is_constraint)?;
                continue;
            };
            match option {
                "-r" | "--requirement" => self.include(line.number, value, is_constraint)?,
                "-c" | "--constraint" => self.include(line.number, value, true)?,
                "-e" | "--editable" => {
                    line.text = value.to_owned();
                    self.want(line, is_constraint)?;
                }
                "-i" | "--index-url" | "--pypi-url" => self.gathered.index = Some(value.to_owned()),
                "--extra-index-url" => self.has_more_indexes = true,
                _ if OPTIONS.contains(&(option, !value.is_empty())) => {}
                _ => return Err(self.fault(line.number, format_args!("the unknown option `{}`", shown(&line.text)))),
            }
        }
        Ok(())
    }

    /// Takes a requirement from its options.
    fn want(&mut self, line: Line, is_constraint: bool) -> Result<()> {
        let mut body: Vec<&str> = Vec::new();
        let mut hashes = Vec::new();
        let mut is_built = false;
        let mut words = line.text.split_whitespace();
        while let Some(word) = words.next() {
            if let Some(value) = word.strip_prefix("--hash") {
                let hash = value.strip_prefix('=').or_else(|| words.next()).unwrap_or_default();
                hashes.extend(self.reading.hash(body.first().unwrap_or(&""), hash)?);
            } else if BUILD_OPTIONS.iter().any(|option| word.starts_with(option)) {
                is_built = true;
            } else if !is_built && word.starts_with("--") {
                return Err(self.fault(line.number, format_args!("the unknown option `{}`", shown(word))));
            } else if !is_built {
                body.push(word);
            }
        }
        let text = body.join(" ");
        let file = self.open.last().cloned().unwrap_or_default();
        let wanted = Wanted { file, line: line.number, text, hashes, via: line.via };
        let list = if is_constraint { &mut self.gathered.constraints } else { &mut self.gathered.wanted };
        list.push(wanted);
        Ok(())
    }

    fn include(&mut self, line: usize, value: &str, is_constraint: bool) -> Result<()> {
        let value = value.trim_matches(['"', '\'']);
        let current = self.open.last().map_or("", String::as_str);
        let above = current.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some(relative) = within(above, value) else {
            return Err(self.fault(line, format_args!("an include of `{}`, which is not in the tree", shown(value))));
        };
        if self.open.contains(&relative) {
            return Err(self.fault(line, format_args!("an include of `{}`, which includes it", shown(&relative))));
        }
        if !self.seen.insert((relative.clone(), is_constraint)) {
            return Ok(());
        }
        if self.seen.len() > INCLUDES || self.open.len() > DEPTH {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "`{}` includes more than {INCLUDES} files, or files more than {DEPTH} deep; put them together",
                    self.reading.path
                ),
            ));
        }
        let text = self.open(line, &relative)?;
        self.open.push(relative);
        self.read(&text, is_constraint)?;
        self.open.pop();
        Ok(())
    }

    /// The text of a file of the tree; links are not followed.
    fn open(&mut self, line: usize, relative: &str) -> Result<String> {
        let mut path = self.root.clone();
        for part in relative.split('/') {
            path.push(part);
            if path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
                return Err(self.fault(line, format_args!("an include of `{}`, which is a link", shown(relative))));
            }
        }
        let text = read_text(&path, relative, self.left).map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                self.fault(line, format_args!("an include of `{}`, which is not there", shown(relative)))
            }
            _ => e,
        })?;
        self.left = self.left.saturating_sub(text.len() as u64);
        Ok(text)
    }

    fn fault(&self, line: usize, what: std::fmt::Arguments<'_>) -> Error {
        let file = self.open.last().map_or("", String::as_str);
        self.reading.fault(format_args!("has in line {line} of `{file}` {what}"))
    }
}

/// The option that a line begins with, and its value.
fn option(text: &str) -> Option<(&str, &str)> {
    let end = match text.strip_prefix('-')?.starts_with('-') {
        true => text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len()),
        // `-rfile` is `-r file`
        false => 2,
    };
    let (option, value) = text.split_at_checked(end).unwrap_or((text, ""));
    Some((option, value.trim_start_matches('=').trim()))
}

/// The path that `value` means in the folder `above`, relative to the root of the tree; none if it leads out of it.
pub(super) fn within(above: &str, value: &str) -> Option<String> {
    if value.starts_with(['/', '\\', '~']) || value.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = above.split('/').filter(|part| !part.is_empty()).collect();
    for part in value.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_does_not_lead_out_of_the_tree() {
        assert_eq!(within("a/b", "../c.txt").as_deref(), Some("a/c.txt"));
        assert_eq!(within("", "./c.txt").as_deref(), Some("c.txt"));
        for value in ["../../../c", "/c", "C:/c", "~/c", "https://x.example/c", "\\c", "a/../../../../c"] {
            assert_eq!(within("a/b", value), None, "{value}");
        }
    }

    #[test]
    fn options_are_told_from_their_values() {
        assert_eq!(option("-rfile"), Some(("-r", "file")));
        assert_eq!(option("-r file"), Some(("-r", "file")));
        assert_eq!(option("--requirement=file"), Some(("--requirement", "file")));
        assert_eq!(option("--pre"), Some(("--pre", "")));
        assert_eq!(option("-"), Some(("-", "")));
        assert_eq!(option("a"), None);
    }
}
