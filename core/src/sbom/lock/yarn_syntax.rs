//! The syntax of `yarn.lock` of version 1, which looks like YAML and is none.

use std::collections::BTreeSet;

use super::package_json::Ranges;

/// A package as the file has it.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// `name@range` for each range that it was chosen for.
    pub(super) patterns: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) resolved: Option<String>,
    pub(super) integrity: Option<String>,
    pub(super) dependencies: Ranges,
    pub(super) optional_dependencies: Ranges,
}

/// The packages of `text`, else what is wrong with it.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut reader = Reader::default();
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let read = words(line).and_then(|line| line.map_or(Ok(()), |line| reader.take(line)));
        read.map_err(|fault| format!("has in line {} {fault}", n + 1))?;
    }
    Ok(reader.entries)
}

/// What stands in one line.
struct Line {
    /// Half of the spaces before it.
    depth: usize,
    words: Vec<String>,
    commas: usize,
    /// Whether it ends in a colon, so that more lines belong to it.
    opens: bool,
}

#[derive(Default)]
struct Reader {
    entries: Vec<Entry>,
    /// The fields of the last entry and, after a dot, of its last section.
    fields: BTreeSet<String>,
    /// The part of the last entry that deeper lines belong to.
    section: Option<String>,
}

impl Reader {
    fn take(&mut self, line: Line) -> Result<(), String> {
        let Line { depth, words, commas, opens } = line;
        let list = if depth == 0 { commas + 1 == words.len() } else { commas == 0 };
        let mut words = words.into_iter();
        let (first, second, third) = (words.next().unwrap_or_default(), words.next(), words.next());
        match (depth, self.entries.last_mut(), second, third, opens) {
            _ if !list => Err("words that are not apart".to_owned()),
            (0, _, second, third, true) => {
                let patterns = [Some(first), second, third].into_iter().flatten().chain(words).collect();
                self.entries.push(Entry { patterns, ..Entry::default() });
                self.fields.clear();
                self.section = None;
                Ok(())
            }
            (1, Some(_), None, _, true) => {
                self.once(&first)?;
                self.section = Some(first);
                Ok(())
            }
            (1, Some(entry), Some(value), None, false) => {
                let mut passed = None;
                let field = match &*first {
                    "name" => &mut entry.name,
                    "version" => &mut entry.version,
                    "resolved" => &mut entry.resolved,
                    "integrity" => &mut entry.integrity,
                    // what says nothing of where a package comes from
                    _ => &mut passed,
                };
                *field = Some(value);
                self.section = None;
                self.once(&first)
            }
            (2, Some(entry), Some(value), None, false) => {
                let Some(section) = &self.section else { return Err("a field of nothing".to_owned()) };
                let field = format!("{section}.{first}");
                match &**section {
                    "dependencies" => entry.dependencies.insert(first, value),
                    "optionalDependencies" => entry.optional_dependencies.insert(first, value),
                    _ => None,
                };
                self.once(&field)
            }
            _ => Err("what is neither a package nor a field of one".to_owned()),
        }
    }

    fn once(&mut self, field: &str) -> Result<(), String> {
        if self.fields.insert(field.to_owned()) { Ok(()) } else { Err(format!("`{}` twice", field.escape_debug())) }
    }
}

/// The words of a line; none if it is blank or a comment.
fn words(line: &str) -> Result<Option<Line>, String> {
    let text = line.trim_start_matches(' ');
    let spaces = line.len() - text.len();
    let mut rest = text.trim_end();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    if !spaces.is_multiple_of(2) {
        return Err("an odd number of spaces at its beginning".to_owned());
    }
    let mut line = Line { depth: spaces / 2, words: Vec::new(), commas: 0, opens: false };
    while let Some(c) = rest.chars().next() {
        if line.opens {
            return Err("more after the colon".to_owned());
        }
        let length = match c {
            ' ' | ',' | ':' => {
                line.commas += usize::from(c == ',');
                line.opens = c == ':';
                1
            }
            '"' => {
                let length = quoted(rest).ok_or("a quotation that does not end")?;
                let text = rest.get(..length).and_then(|quoted| serde_json::from_str(quoted).ok());
                line.words.push(text.ok_or("a quotation that can't be read")?);
                length
            }
            c if c.is_control() => return Err("a control character".to_owned()),
            _ => {
                let length = rest.find([' ', ',', ':']).unwrap_or(rest.len());
                line.words.push(rest.get(..length).unwrap_or_default().to_owned());
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(Some(line))
}

/// The length of the quotation at the beginning of `text`, its marks included.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fields_and_sections_are_read() {
        let text = "# yarn lockfile v1\r\n\n\"@s/a@^1.0.0, 2\", b@:\r\n  version \"1.0.0\"\n  integrity sha1-x=\n  \
                    permissions:\n    x true\n  dependencies:\n    \"@s/c\" \"~1 || \\\"2\\\"\"\n    d 1.x\n";
        let read = entries(text).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].patterns, ["@s/a@^1.0.0, 2", "b@"]);
        assert_eq!((read[0].version.as_deref(), read[0].integrity.as_deref()), (Some("1.0.0"), Some("sha1-x=")));
        let needs: Vec<_> = read[0].dependencies.iter().map(|(name, range)| format!("{name}@{range}")).collect();
        assert_eq!(needs, ["@s/c@~1 || \"2\"", "d@1.x"]);
    }

    #[test]
    fn what_yarn_does_not_write_is_refused_with_its_line() {
        for (text, line) in [
            ("a@1:\n version 1\n", 2),
            ("a@1:\n  version\n", 2),
            ("a@1:\n  version 1 2\n", 2),
            ("a@1:\n  version \"1\n", 2),
            ("a@1:\n  version \"\\x\"\n", 2),
            ("a@1:\n  version 1\n  version 1\n", 3),
            ("a@1:\n  dependencies:\n    b 1\n    b 1\n", 4),
            ("a@1:\n    b 1\n", 2),
            ("a@1:\n      b 1\n", 2),
            ("a@1\n", 1),
            ("  version 1\n", 1),
            ("a@1: b\n", 1),
            ("a@1 b@1:\n", 1),
            ("a@1,:\n", 1),
            (":\n", 1),
            ("a@1:\n  version \u{1}\n", 2),
        ] {
            let fault = entries(text).unwrap_err();
            assert!(fault.starts_with(&format!("has in line {line} ")), "{text}: {fault}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"\PC{0,40}", marks in "[\"\\\\:, #a@1\n\r]{0,40}") {
            let _ = entries(&text);
            let _ = entries(&marks);
        }
    }
}
