//! The lines of a requirements file, as pip reads them: joined, without comments, with the notes of `pip-compile`.

use super::python::name;

/// A line that says something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: usize,
    pub(super) text: String,
    /// Who needs it, by the note after it; none if there is no note.
    pub(super) via: Option<Vec<Via>>,
}

/// One user in a note.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Via {
    Package(String),
    /// A file of direct requirements.
    File,
}

/// The lines of `text`.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut joined = String::new();
    let mut listing = false;
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let bare = line.trim();
        let is_comment = bare.starts_with('#');
        match line.strip_suffix('\\') {
            Some(start) if !is_comment => {
                joined.push_str(start);
                continue;
            }
            _ if is_comment => {
                joined.push(' ');
                joined.push_str(bare);
            }
            _ => joined.push_str(line),
        }
        let whole = std::mem::take(&mut joined);
        push(&mut found, &mut listing, n + 1, &whole);
    }
    // pip takes a last line that is to be continued as it stands
    push(&mut found, &mut listing, text.lines().count(), &joined);
    found
}

fn push(found: &mut Vec<Line>, listing: &mut bool, number: usize, whole: &str) {
    let (text, comment) = split(whole);
    if !text.is_empty() {
        *listing = false;
        found.push(Line { number, text: text.to_owned(), via: None });
    }
    match (comment, found.last_mut()) {
        (Some(comment), Some(line)) => note(line, listing, comment),
        _ => *listing &= !whole.trim().is_empty(),
    }
}

/// What stands before a comment, and the comment: it begins a line or follows a blank.
fn split(line: &str) -> (&str, Option<&str>) {
    let mut blank = true;
    for (at, c) in line.char_indices() {
        if c == '#' && blank {
            let (text, comment) = line.split_at(at);
            return (text.trim(), comment.get(1..));
        }
        blank = c.is_whitespace();
    }
    (line.trim(), None)
}

/// Reads `via a, b`, or `via` and lines that are indented below it.
fn note(line: &mut Line, listing: &mut bool, comment: &str) {
    let users = match comment.trim_start().strip_prefix("via") {
        Some(users) if users.is_empty() || users.starts_with(' ') => {
            *listing = true;
            line.via.get_or_insert_default();
            users
        }
        _ if *listing && comment.starts_with("  ") => comment,
        _ => {
            *listing = false;
            return;
        }
    };
    for user in users.split(',').map(str::trim).filter(|user| !user.is_empty() && !user.starts_with("-c")) {
        let via = name(user).map_or(Via::File, Via::Package);
        line.via.get_or_insert_default().push(via);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let text = "# head\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11  # end\n\nb#x==1\n  # c==2\nd \\";
        let found: Vec<_> = lines(text).into_iter().map(|line| (line.number, line.text)).collect();
        let expected = [(4, "a==1     --hash=sha256:00     --hash=sha256:11"), (6, "b#x==1"), (8, "d")];
        assert_eq!(found, expected.map(|(n, text)| (n, text.to_owned())));
        assert_eq!(lines("").len(), 0);
    }

    #[test]
    fn a_comment_ends_a_line_that_is_continued() {
        let texts: Vec<_> = lines("a==1 \\\n# note \\\nb==1\n").into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["a==1", "b==1"]);
    }

    #[test]
    fn notes_of_pip_compile_are_read() {
        let text = "click==8.0 # via flask, Black\nflask==2.0\n    # via -r x.in\nidna==1\n    # via\n    #   -c y.txt\n    \
                    #   app (pyproject.toml)\n    #   requests\n\n# via nobody\nx==1\n# viable\n";
        let vias: Vec<_> = lines(text).into_iter().map(|line| line.via).collect();
        let of = |name: &str| Via::Package(name.to_owned());
        assert_eq!(vias[0], Some(vec![of("flask"), of("black")]));
        assert_eq!(vias[1], Some(vec![Via::File]));
        assert_eq!(vias[2], Some(vec![Via::File, of("requests"), of("nobody")]));
        assert_eq!(vias[3], None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"(\PC|[#\n\\ ]|via){0,60}") {
            lines(&text);
        }
    }
}
