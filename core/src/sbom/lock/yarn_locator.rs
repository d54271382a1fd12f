//! How Yarn since version 2 says what a package is: `name@npm:1.0.0`, `name@patch:name@npm%3A1.0.0#file.patch`.

use super::package_json::git;

/// Patches of patches.
const PATCHES: usize = 8;

/// Where the bytes of a package come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A registry; the address of its archive where the configuration alone does not tell it.
    Registry(Option<String>),
    /// A project of the workspace, in this folder.
    Project(String),
    /// Another folder or an archive of the tree.
    Local,
    /// An archive or a repository elsewhere.
    Elsewhere(String),
}

/// A package and where it comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Locator {
    pub(super) name: String,
    pub(super) source: Source,
    /// The version, where the reference is one.
    pub(super) version: Option<String>,
}

/// The package that `text` names; a patched one is the package that was patched. Else what in it is not known.
pub(super) fn parse(text: &str) -> Result<Locator, String> {
    let mut text = text.to_owned();
    for _ in 0..=PATCHES {
        let (name, reference) = split(&text).ok_or_else(|| text.clone())?;
        let reference = match reference.strip_prefix("virtual:").and_then(|virtual_| virtual_.split_once('#')) {
            Some((_, of)) => of,
            None => reference,
        };
        let (bare, bound) = reference.split_once("::").unwrap_or((reference, ""));
        if let Some(patch) = bare.strip_prefix("patch:") {
            text = decoded(patch.split('#').next().unwrap_or_default());
            continue;
        }
        let (protocol, rest) = bare.split_once(':').unwrap_or(("", bare));
        let mut version = None;
        let source = match protocol {
            "npm" => {
                version = Some(rest.to_owned());
                Source::Registry(parameter(bound, "__archiveUrl").map(decoded))
            }
            "workspace" => Source::Project(rest.to_owned()),
            "link" | "portal" | "file" | "exec" => Source::Local,
            _ => match bare.split_once('#').and_then(|(repo, of)| Some((repo, parameter(of, "commit")?))) {
                Some((repo, commit)) => Source::Elsewhere(git(repo, commit)),
                None if ["http", "https"].contains(&protocol) => Source::Elsewhere(bare.to_owned()),
                None => return Err(bare.to_owned()),
            },
        };
        return Ok(Locator { name: name.to_owned(), source, version });
    }
    Err(text)
}

/// The name, and what follows its `@`.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// A parameter of `a=1&b=2`.
fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// `text` with `%3A` and its like as the characters they stand for.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code {
            Some(code) if first == b'%' => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locators_name_the_package_and_where_it_comes_from() {
        let elsewhere = |text: &str| Source::Elsewhere(text.to_owned());
        for (text, name, source, version) in [
            ("@s/a@npm:1.0.0", "@s/a", Source::Registry(None), Some("1.0.0")),
            (
                "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.corp.example%2Fa%2F-%2Fa-1.0.0.tgz",
                "a",
                Source::Registry(Some("https://npm.corp.example/a/-/a-1.0.0.tgz".to_owned())),
                Some("1.0.0"),
            ),
            ("a@virtual:0123#npm:1.0.0", "a", Source::Registry(None), Some("1.0.0")),
            (
                "a@patch:a@npm%3A1.0.0#~/.yarn/patches/a.patch::version=1.0.0&hash=0123",
                "a",
                Source::Registry(None),
                Some("1.0.0"),
            ),
            (
                "a@patch:a@patch%3Aa@npm%253A1.0.0%23b.patch#c.patch::hash=0123",
                "a",
                Source::Registry(None),
                Some("1.0.0"),
            ),
            ("a@workspace:packages/a", "a", Source::Project("packages/a".to_owned()), None),
            ("a@file:./a.tgz#./a.tgz::hash=0123&locator=b%40workspace%3A.", "a", Source::Local, None),
            ("a@link:./a::locator=b%40workspace%3A.", "a", Source::Local, None),
            ("a@https://github.com/a/a.git#commit=0123", "a", elsewhere("git+https://github.com/a/a.git#0123"), None),
            ("a@git@github.com:a/a.git#commit=0123", "a", elsewhere("git+ssh://git@github.com/a/a.git#0123"), None),
            (
                "a@ssh://git@x.example/a.git#workspace=b&commit=0123",
                "a",
                elsewhere("git+ssh://git@x.example/a.git#0123"),
                None,
            ),
            ("a@https://x.example/a-1.0.0.tgz", "a", elsewhere("https://x.example/a-1.0.0.tgz"), None),
        ] {
            let expected = Locator { name: name.to_owned(), source, version: version.map(str::to_owned) };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        let deep = (0..20).fold("a@npm:1.0.0".to_owned(), |of, _| {
            format!("a@patch:{}#p", of.replace('%', "%25").replace(':', "%3A").replace('#', "%23"))
        });
        for text in ["a", "", "a@plugin:1", "a@patch:#x", &*deep] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_locator_makes_the_reader_panic(text in r"\PC{0,30}", marks in "[@:#%&=a0é]{0,30}") {
            let _ = parse(&text);
            let _ = parse(&format!("a@patch:{marks}"));
            let _ = parse(&format!("a@{marks}"));
        }
    }
}
