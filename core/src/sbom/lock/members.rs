//! The folders that the patterns of a workspace mean.

use std::path::{Path, PathBuf};

use crate::limits;

/// The folders below `folder` that `pattern` means, sorted; `*` stands for any part of one name, `**` for any number of
/// folders. What leads outside, hidden folders and installed packages are left out.
pub(super) fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    for part in pattern.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." || part.contains(['\\', ':']) {
            return Vec::new();
        }
        found = match part.split_once('*') {
            _ if part == "**" => nested(found),
            None => found.into_iter().map(|f| f.join(part)).collect(),
            Some((start, end)) => found.iter().flat_map(|f| folders(f)).filter(|f| named(f, start, end)).collect(),
        };
    }
    found.sort();
    found.dedup();
    found
}

/// The folders in `parent`, sorted; none if it can't be listed.
pub(super) fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()).collect();
    found.sort();
    found
}

/// `tops` and all folders in them.
fn nested(tops: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, usize)> = tops.into_iter().map(|top| (top, 0)).collect();
    while let Some((folder, depth)) = open.pop() {
        if depth < limits::FOLDER_DEPTH && found.len() < limits::FOLDER_FILES {
            let inner = folders(&folder).into_iter().filter(|f| {
                let name = f.file_name().and_then(|n| n.to_str()).unwrap_or(".");
                !name.starts_with('.') && name != "node_modules"
            });
            open.extend(inner.map(|inner| (inner, depth + 1)));
        }
        found.push(folder);
    }
    found
}

fn named(folder: &Path, start: &str, end: &str) -> bool {
    let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
}
