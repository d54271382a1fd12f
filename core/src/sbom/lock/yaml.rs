//! YAML as lock files have it: no anchors, no aliases, no merge keys, each key once, and not deep.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy};

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Nesting of mappings and lists. Those of lock files are at most eight deep.
const DEPTH: usize = 32;

/// The documents of `text`, at most `most`, else what is wrong with it.
pub(super) fn documents<T: DeserializeOwned>(text: &str, most: usize) -> std::result::Result<Vec<T>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_depth: DEPTH,
            max_documents: most,
            // the length of the text bounds these already
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        emit_comments: false,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|e| fault(&e))
}

/// What the settings in `file` say; nothing if there is no such file.
pub(super) fn settings<T: DeserializeOwned + Default>(file: &Path) -> Result<T> {
    let bytes = match limits::read_file("settings", file, limits::MANIFEST_BYTES) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(e) => return Err(e),
    };
    let read = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()).and_then(|text| documents(&text, 1));
    let read = read.map_err(|fault| {
        let file = file.display();
        Error::new(ErrorKind::Malformed, format!("the settings `{file}` can't be read: {fault}; mend them"))
    })?;
    Ok(read.into_iter().next().unwrap_or_default())
}

/// One line about `e`; the text it quotes is not trusted.
fn fault(e: &serde_saphyr::Error) -> String {
    let told = e.to_string();
    let line = told.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, String>;

    #[test]
    fn scalars_are_text_as_they_stand() {
        let read = documents::<Map>("a: 1.10\nb: '5'\nc: true\nd: 0x10\ne: \"\\u00e9\"\nf: 1e400\n", 1).unwrap();
        assert_eq!(read[0].values().collect::<Vec<_>>(), ["1.10", "5", "true", "0x10", "é", "1e400"]);
    }

    #[test]
    fn what_makes_a_short_text_long_or_unclear_is_refused() {
        for text in [
            "a: &x 1\n",
            "a: *x\n",
            "a: &a [x,x]\nb: &b [*a,*a]\n",
            "<<: {a: 1}\n",
            "a: 1\na: 2\n",
            "a: 1\n'a': 2\n",
            "a: 1\n---\nb: 1\n---\nc: 1\n",
            "a: 1\n b: 2\n",
            "a: [1\n",
            "a: \"1\n",
        ] {
            assert!(documents::<Map>(text, 2).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_ends_early_and_does_not_end_the_process() {
        for open in ["[", "{a: ", "- ", "? ", "a:\n"] {
            let deep = open.repeat(200_000);
            assert!(documents::<serde::de::IgnoredAny>(&deep, 1).is_err(), "{open}");
            assert!(documents::<Map>(&format!("x: {deep}"), 1).is_err(), "{open}");
        }
    }

    #[test]
    fn a_fault_is_told_in_one_short_line() {
        let told = documents::<Map>(&format!("a: 1\n? \"{}\\e[31m\\n\"\n: [", "x".repeat(900)), 1).unwrap_err();
        assert!(told.len() <= 1200 && !told.contains(char::is_control), "{told}");
    }
}
