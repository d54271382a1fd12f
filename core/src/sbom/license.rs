//! Licences as manifests and lock files declare them, brought to the forms CycloneDX has.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use spdx::identifiers::{EXCEPTIONS, LICENSES};
use spdx::{Expression, ParseMode};

use super::schema::LICENSE_IDS;
use crate::json::Value;

/// One entry of a component's `licenses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum LicenseChoice {
    /// A licence by SPDX id, or by a name of its own.
    License {
        /// The licence.
        license: License,
    },
    /// An SPDX licence expression.
    Expression {
        /// The expression.
        expression: String,
    },
}

/// A licence: an id of the SPDX list, or a name that is not on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum License {
    /// An id of the SPDX licence list.
    Id(String),
    /// What the author wrote, where it is no SPDX id or expression.
    Name(String),
}

/// How Cargo and npm let a licence be written: SPDX, deprecated ids, and `/` for `OR`. Guessed ids are not among it.
const DECLARED: ParseMode = ParseMode {
    allow_slash_as_or_operator: true,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// The licence that `text` declares; none if it is blank.
pub(super) fn declared(text: &str) -> Option<LicenseChoice> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if is_id(text) {
        return Some(LicenseChoice::License { license: License::Id(text.to_owned()) });
    }
    let plain = with_plain_operators(text);
    if is_id(&plain) {
        return Some(LicenseChoice::License { license: License::Id(plain) });
    }
    Some(match Expression::parse_mode(&plain, DECLARED) {
        Ok(_) => LicenseChoice::Expression { expression: plain },
        Err(_) => LicenseChoice::License { license: License::Name(text.to_owned()) },
    })
}

/// How documents write an expression: SPDX, deprecated ids too.
pub(super) const WRITTEN: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// What is wrong with `text` as a licence expression, if anything.
pub(super) fn fault(text: &str) -> Option<String> {
    Expression::parse_mode(text, WRITTEN).err().map(|e| e.reason.to_string())
}

/// Ids of the SPDX list from before exceptions had ids of their own, and how they are written now.
const WITH_EXCEPTION: [(&str, &str); 7] = [
    ("GPL-2.0-with-autoconf-exception", "GPL-2.0-only WITH Autoconf-exception-2.0"),
    ("GPL-2.0-with-bison-exception", "GPL-2.0-only WITH Bison-exception-2.2"),
    ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("GPL-2.0-with-font-exception", "GPL-2.0-only WITH Font-exception-2.0"),
    ("GPL-2.0-with-GCC-exception", "GPL-2.0-only WITH GCC-exception-2.0"),
    ("GPL-3.0-with-autoconf-exception", "GPL-3.0-only WITH Autoconf-exception-3.0"),
    ("GPL-3.0-with-GCC-exception", "GPL-3.0-only WITH GCC-exception-3.1"),
];

/// The one form in which licences are compared: ids in the letters of the SPDX list, for their case says nothing (SPDX 2.3,
/// annex D.2), and GNU licences by their ids of now. What is no expression stays as it stands.
pub(super) fn canonical(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| c.is_whitespace() || "()".contains(c)) {
        let id = word.trim_end_matches(|c: char| c.is_whitespace() || "()".contains(c));
        plain.push_str(&canonical_id(id));
        plain.push_str(word.strip_prefix(id).unwrap_or_default());
    }
    let plain = plain.trim();
    if Expression::parse_mode(plain, WRITTEN).is_ok() { plain.to_owned() } else { text.to_owned() }
}

fn canonical_id(word: &str) -> String {
    let (id, later) = word.strip_suffix('+').map_or((word, false), |id| (id, true));
    let listed = |id: &str| LICENSES.iter().map(|license| license.name).find(|name| name.eq_ignore_ascii_case(id));
    let gnu = ["GPL-", "LGPL-", "AGPL-", "GFDL-"];
    if gnu.iter().any(|family| id.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family))) {
        if let Some((_, now)) = WITH_EXCEPTION.iter().find(|(before, _)| before.eq_ignore_ascii_case(word)) {
            return (*now).to_owned();
        }
        let bare = id.len().checked_sub("-only".len()).and_then(|end| id.split_at_checked(end));
        let bare = bare.filter(|(_, end)| end.eq_ignore_ascii_case("-only")).map_or(id, |(bare, _)| bare);
        let ending = if later { "-or-later" } else { "-only" };
        if let Some(now) = listed(&format!("{bare}{ending}")) {
            return now.to_owned();
        }
    }
    let exception = || EXCEPTIONS.iter().map(|exception| exception.name).find(|name| name.eq_ignore_ascii_case(id));
    match listed(id).or_else(exception) {
        Some(name) if later => format!("{name}+"),
        Some(name) => name.to_owned(),
        None => word.to_owned(),
    }
}

/// The licences that `text`, an expression or a name, names.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "()".contains(c));
    std::iter::once(text).chain(words.filter(|word| !word.is_empty()))
}

/// The licences of an npm `license` field: a string, or the older `{type}` and lists of these.
pub(super) fn of_npm(field: Option<&Value>) -> Vec<LicenseChoice> {
    let one = |value: &Value| declared(value.as_str().or_else(|| value.get("type")?.as_str())?);
    match field {
        None => Vec::new(),
        // CycloneDX takes one expression or several licences, never both
        Some(Value::Array(list)) if list.len() > 1 => {
            let named = |choice| match choice {
                LicenseChoice::Expression { expression } => {
                    LicenseChoice::License { license: License::Name(expression) }
                }
                license => license,
            };
            list.iter().filter_map(one).map(named).collect()
        }
        Some(Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
    }
}

/// Of `texts` any may be chosen: one expression, or where they are none, a licence each.
pub(super) fn any_of<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<LicenseChoice> {
    let texts: Vec<&str> = texts.map(str::trim).filter(|text| !text.is_empty()).collect();
    let grouped = texts.iter().map(|text| if text.contains(' ') { format!("({text})") } else { (*text).to_owned() });
    let one = match &texts[..] {
        [one] => declared(one),
        _ => declared(&grouped.collect::<Vec<_>>().join(" OR ")),
    };
    match one {
        Some(LicenseChoice::License { license: License::Name(_) }) => {
            texts.iter().map(|text| LicenseChoice::License { license: named(text) }).collect()
        }
        one => one.into_iter().collect(),
    }
}

/// A licence that stands beside others, where CycloneDX takes no expression.
fn named(text: &str) -> License {
    if is_id(text) { License::Id(text.to_owned()) } else { License::Name(text.to_owned()) }
}

/// Whether the schema takes `text` as an id; its list is not quite that of the `spdx` crate.
pub(super) fn is_id(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Schema {
        #[serde(rename = "enum")]
        ids: HashSet<String>,
    }
    static IDS: LazyLock<HashSet<String>> =
        LazyLock::new(|| serde_json::from_str(LICENSE_IDS).map(|schema: Schema| schema.ids).unwrap_or_default());
    IDS.contains(text)
}

fn with_plain_operators(text: &str) -> String {
    let words = text.replace('/', " OR ");
    let words = words.split_whitespace().map(|word| match word {
        "or" | "Or" => "OR",
        "and" | "And" => "AND",
        "with" | "With" => "WITH",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        serde_json::to_string(&declared(text)).unwrap()
    }

    #[test]
    fn an_id_an_expression_and_a_name_are_told_apart() {
        assert_eq!(json("MIT"), r#"{"license":{"id":"MIT"}}"#);
        assert_eq!(json(" GPL-2.0 "), r#"{"license":{"id":"GPL-2.0"}}"#);
        assert_eq!(json("MIT/Apache-2.0"), r#"{"expression":"MIT OR Apache-2.0"}"#);
        assert_eq!(json("(MIT or Apache-2.0) and Zlib"), r#"{"expression":"(MIT OR Apache-2.0) AND Zlib"}"#);
        assert_eq!(json("Apache-2.0 WITH LLVM-exception"), r#"{"expression":"Apache-2.0 WITH LLVM-exception"}"#);
        // known to the crate and not to the schema
        assert_eq!(json("GFDL-1.1-invariants"), r#"{"expression":"GFDL-1.1-invariants"}"#);
        for name in ["UNLICENSED", "SEE LICENSE IN LICENSE.md", "BSD", "MIT OR", "Apache License, Version 2.0"] {
            assert_eq!(json(name), format!(r#"{{"license":{{"name":"{name}"}}}}"#));
        }
        assert_eq!(json("  "), "null");
    }

    #[test]
    fn older_npm_forms_are_read() {
        let of = |text: &str| serde_json::to_string(&of_npm(Some(&serde_json::from_str(text).unwrap()))).unwrap();
        assert_eq!(of(r#"{"type":"MIT","url":"https://x.example"}"#), r#"[{"license":{"id":"MIT"}}]"#);
        assert_eq!(
            of(r#"[{"type":"MIT"},"MIT OR Zlib"]"#),
            r#"[{"license":{"id":"MIT"}},{"license":{"name":"MIT OR Zlib"}}]"#
        );
        assert_eq!(of("true"), "[]");
    }

    #[test]
    fn deep_parentheses_do_not_end_the_process() {
        let deep = format!("{}MIT OR Zlib{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(declared(&deep).is_some());
        assert!(declared(&"(".repeat(100_000)).is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"\PC{0,40}", words in "((MIT|OR|/|WITH|[+]|[(]|[)]|GPL-2.0|LicenseRef-) ?){0,12}") {
            declared(&text);
            declared(&words);
        }
    }
}
