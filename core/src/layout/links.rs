//! The links given to a verification, by file name as the in-toto tools write them.

use std::collections::BTreeMap;
use std::path::Path;

use super::key::LayoutKey;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Links and sublayouts by name: `<step>.<first 8 characters of the key id>.link`; those of a sublayout lie in
/// `<step>.<first 8 characters of the key id>/`. Nothing of them is verified, and no file is looked for beyond them.
#[derive(Clone, Debug, Default)]
pub struct Links {
    files: BTreeMap<String, Vec<u8>>,
}

impl Links {
    /// No links yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link by its name, such as `build.776a00e2.link` or `build.776a00e2/test.2f89b927.link`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), bytes.into());
        self
    }

    /// Reads all `*.link` files of a folder, and of its subfolders that are named as those of sublayouts.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PERMISSION_DENIED`, `IO` if it can't be read; `LIMIT_EXCEEDED` for too many or too large files.
    pub fn of_folder(path: &Path) -> Result<Self> {
        let mut links = Self::new();
        let mut size = 0;
        let mut open = vec![(String::new(), path.to_path_buf(), 0)];
        while let Some((prefix, folder, depth)) = open.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("read folder", &folder, e))? {
                let entry = entry.map_err(|e| Error::io("read folder", &folder, e))?;
                let kind = entry.file_type().map_err(|e| Error::io("read", &entry.path(), e))?;
                // a step's name is text, so that another file name is none of ours
                let Ok(name) = entry.file_name().into_string() else { continue };
                if kind.is_dir() && is_sublayout_folder(&name) {
                    if depth == limits::LAYOUT_DEPTH {
                        return Err(too_much(path, "folders within folders", limits::LAYOUT_DEPTH));
                    }
                    open.push((format!("{prefix}{name}/"), entry.path(), depth + 1));
                } else if kind.is_file() && name.ends_with(".link") {
                    let bytes = limits::read_file("link", &entry.path(), limits::LAYOUT_BYTES)?;
                    size += bytes.len() as u64;
                    links.files.insert(format!("{prefix}{name}"), bytes);
                }
                if links.files.len() > limits::LAYOUT_LINKS || size > limits::DOCUMENT_BYTES {
                    return Err(too_much(path, "links", limits::LAYOUT_LINKS));
                }
            }
        }
        Ok(links)
    }

    /// The link of `step` by `key` in `folder`, with its name.
    pub(super) fn find(&self, folder: &str, step: &str, key: &LayoutKey) -> Option<(String, &[u8])> {
        let name = format!("{folder}{step}.{}.link", short(key));
        let bytes = self.files.get(&name)?;
        Some((name, bytes))
    }

    /// Names of links of `step` in `folder`, whoever made them.
    pub(super) fn of_step<'a>(&'a self, folder: &str, step: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{folder}{step}.");
        self.files.keys().map(String::as_str).filter(move |name| {
            let rest = name.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_suffix(".link"));
            rest.is_some_and(|id| !id.is_empty() && !id.contains(['.', '/']))
        })
    }

    /// Where the links of the sublayout lie by which `key` performed `step`.
    pub(super) fn folder_of_sublayout(folder: &str, step: &str, key: &LayoutKey) -> String {
        format!("{folder}{step}.{}/", short(key))
    }
}

fn short(key: &LayoutKey) -> &str {
    key.key_id().char_indices().nth(8).map_or(key.key_id(), |(end, _)| key.key_id().get(..end).unwrap_or_default())
}

/// `<step>.<8 characters>`
fn is_sublayout_folder(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(step, id)| !step.is_empty() && id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn too_much(path: &Path, of: &str, limit: usize) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("`{}` holds too many {of}; name the folder of the links alone", path.display()),
    )
    .with("limit", limit)
}
