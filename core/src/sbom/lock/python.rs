//! What the lock files of Python have in common: names, versions, hashes, requirements, and where a package comes from.

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sbom::graph::{Origin, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;

/// Addresses of the Python Package Index, which purls leave out.
const PYPI: [&str; 3] = ["https://pypi.org/simple", "https://pypi.python.org/simple", "https://pypi.org/pypi"];

/// The hashes that CycloneDX 1.6 has, by their names in Python, and how many hex digits each has.
const HASHES: [(&str, &str, usize); 9] = [
    ("sha256", "SHA-256", 64),
    ("sha512", "SHA-512", 128),
    ("sha384", "SHA-384", 96),
    ("sha1", "SHA-1", 40),
    ("md5", "MD5", 32),
    ("sha3_256", "SHA3-256", 64),
    ("sha3_384", "SHA3-384", 96),
    ("sha3_512", "SHA3-512", 128),
    ("blake2b", "BLAKE2b-512", 128),
];

/// Hashes of `hashlib` that CycloneDX has no name for.
const NAMELESS_HASHES: [&str; 2] = ["sha224", "sha3_224"];

/// Where a package comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// An index, by the address that installers are told; empty for the Python Package Index.
    Index(&'a str),
    /// A repository at a revision, and the folder in it.
    Repository { kind: &'a str, url: &'a str, revision: Option<&'a str>, folder: Option<&'a str> },
    /// One file on a server.
    File(&'a str),
    /// The tree itself.
    Tree,
}

/// A lock file that is being read: its path, and what is to be done when it can't be.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) path: &'a str,
    pub(super) remedy: &'static str,
}

impl Reading<'_> {
    /// What is wrong with the file.
    pub(super) fn fault(&self, fault: impl std::fmt::Display) -> Error {
        super::malformed(self.path, fault, self.remedy)
    }

    /// More versions of a package than are looked through for each need.
    pub(super) fn too_many_versions(&self, name: &str) -> Error {
        Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "`{}` has more than {} versions of `{name}`; lock each environment by itself",
                self.path,
                limits::LOCKED_VERSIONS
            ),
        )
    }

    /// Reads TOML.
    pub(super) fn toml<T: DeserializeOwned>(&self, text: &str) -> Result<T> {
        toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
            self.fault(format_args!("can't be read at line {line}: {}", super::brief(e.message())))
        })
    }

    /// `text` as a name that installers compare (PEP 503).
    pub(super) fn name(&self, text: &str) -> Result<String> {
        name(text).ok_or_else(|| {
            self.fault(format_args!("has a package named `{}`, which is no name of a package", shown(text)))
        })
    }

    /// A package without hashes and needs.
    pub(super) fn package(&self, name: &str, version: Option<&str>, source: Source<'_>) -> Result<Package> {
        let name = self.name(name)?;
        let sound = |v: &str| {
            v.starts_with(|c: char| c.is_ascii_alphanumeric())
                && v.len() <= 200
                && v.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+!-".contains(&b))
        };
        if let Some(version) = version.filter(|v| !sound(v)) {
            return Err(self.fault(format_args!("has `{name}` in version `{}`, which is none", shown(version))));
        }
        let purl = package_url(&name, version, source).map_err(|e| e.while_doing(format_args!("`{}`", self.path)))?;
        Ok(Package {
            group: None,
            name,
            version: version.map(str::to_owned),
            purl,
            origin: if matches!(source, Source::Tree) { Origin::Local } else { Origin::Fetched },
            scope: Scope::Required,
            hashes: Vec::new(),
            files: Vec::new(),
            licenses: Vec::new(),
            needs: Vec::new(),
        })
    }

    /// A hash written as `sha256:` and hex digits; none if it is of an algorithm that CycloneDX does not have.
    pub(super) fn hash(&self, of: &str, text: &str) -> Result<Option<Hash>> {
        let (alg, content) = text.split_once(':').unwrap_or(("", text));
        self.hash_by(of, alg, content)
    }

    /// A hash by the name of its algorithm.
    pub(super) fn hash_by(&self, of: &str, alg: &str, content: &str) -> Result<Option<Hash>> {
        if NAMELESS_HASHES.contains(&alg) {
            return Ok(None);
        }
        let known = HASHES.into_iter().find(|(name, _, _)| *name == alg);
        match known.filter(|(_, _, digits)| content.len() == *digits && content.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            Some((_, alg, _)) => Ok(Some(Hash { alg, content: content.to_ascii_lowercase() })),
            None => Err(self.fault(format_args!(
                "has the hash `{}:{}` for `{}`, which is none of a known algorithm and its length",
                shown(alg),
                shown(content),
                shown(of)
            ))),
        }
    }
}

/// The part of `text` that an error shows.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).collect::<String>().escape_debug().to_string()
}

/// `text` in the one form in which names are compared: lower case, one `-` for each run of `-`, `_` and `.` (PEP 503);
/// none if it is no name (PEP 508).
pub(super) fn name(text: &str) -> Option<String> {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if !edge(bytes.first()) || !edge(bytes.last()) || bytes.len() > 200 || !bytes.iter().copied().all(sound) {
        return None;
    }
    let parts: Vec<&str> = text.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    Some(parts.join("-").to_ascii_lowercase())
}

/// The last part of an address or a path: the name of the file there.
pub(super) fn file_name(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn package_url(name: &str, version: Option<&str>, source: Source<'_>) -> Result<String> {
    let qualifier = match source {
        Source::Tree => None,
        Source::Index(url) => {
            let bare = purl::public_url(url);
            let bare = bare.trim_end_matches('/');
            (!bare.is_empty() && !PYPI.contains(&bare)).then(|| ("repository_url", bare.to_owned()))
        }
        Source::File(url) => Some(("download_url", purl::public_url(url))),
        Source::Repository { kind, url, revision, folder } => {
            let url = url.strip_prefix(kind).and_then(|url| url.strip_prefix('+')).unwrap_or(url);
            // as for ssh: `user@host:path`
            let url = match url.split_once(':') {
                Some((host, path)) if !path.starts_with("//") => format!("ssh://{host}/{path}"),
                _ => url.to_owned(),
            };
            let at = revision.map(|r| format!("@{r}")).unwrap_or_default();
            let within = folder.map(|f| format!("#{f}")).unwrap_or_default();
            Some(("vcs_url", format!("{kind}+{}{at}{within}", purl::public_url(&url))))
        }
    };
    purl::of("pypi", None, name, version, qualifier.as_ref().map(|(key, value)| (*key, value.as_str())))
}

/// A requirement on a package (PEP 508).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    /// Comparisons of versions, empty for any version.
    pub(super) specifier: &'a str,
    pub(super) url: Option<&'a str>,
    pub(super) marker: Option<&'a str>,
}

/// The name that a requirement begins with, and what follows it.
pub(super) fn leading_name(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (given, rest) = text.split_at_checked(end)?;
    Some((name(given)?, rest.trim_start()))
}

/// Reads `name[extra]>=1 ; marker` or `name @ url ; marker`.
pub(super) fn requirement(text: &str) -> Option<Requirement<'_>> {
    let (name, mut rest) = leading_name(text)?;
    let mut extras = Vec::new();
    if let Some(list) = rest.strip_prefix('[') {
        let (list, after) = list.split_once(']')?;
        for extra in list.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            extras.push(self::name(extra)?);
        }
        rest = after.trim_start();
    }
    if let Some(url) = rest.strip_prefix('@') {
        let url = url.trim_start();
        // a `;` may be part of an address, so that the one before a marker follows a blank
        let (url, marker) = match url.find([' ', '\t']) {
            None => (url, None),
            Some(end) => {
                let (url, rest) = url.split_at(end);
                (url, Some(rest.trim_start().strip_prefix(';')?.trim()))
            }
        };
        return (!url.is_empty()).then_some(Requirement { name, extras, specifier: "", url: Some(url), marker });
    }
    let (specifier, marker) = match rest.split_once(';') {
        Some((specifier, marker)) => (specifier.trim(), Some(marker.trim())),
        None => (rest.trim(), None),
    };
    let specifier = match specifier.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')')?.trim(),
        None => specifier,
    };
    if !specifier.is_empty() && !specifier.split(',').all(|part| comparison(part).is_some()) {
        return None;
    }
    Some(Requirement { name, extras, specifier, url: None, marker })
}

/// The operator and the version of one comparison (PEP 440).
fn comparison(part: &str) -> Option<(&'static str, &str)> {
    let part = part.trim();
    let operators = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];
    let operator = operators.into_iter().find(|operator| part.starts_with(operator))?;
    let version = part.strip_prefix(operator)?.trim();
    let sound = |b: u8| b.is_ascii_graphic() && !b"<>=~,;()[]'\"".contains(&b);
    (!version.is_empty() && version.bytes().all(sound)).then_some((operator, version))
}

/// The one version that a specifier allows, `==1.0` or `===1.0`; none if it allows more.
pub(super) fn pinned(specifier: &str) -> Option<&str> {
    specifier.split(',').filter_map(comparison).find_map(|(operator, version)| match operator {
        "===" => Some(version),
        "==" if !version.contains('*') => Some(version),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for (text, one) in [("Flask", "flask"), ("zope.interface", "zope-interface"), ("a-_.B", "a-b"), ("a1", "a1")] {
            assert_eq!(name(text).as_deref(), Some(one));
        }
        for text in ["", "-a", "a-", "a b", "a/b", "ä", "..", &"a".repeat(201)] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn requirements_are_taken_apart() {
        let full = requirement("Requests [Socks, security] >= 2.8.1, == 2.8.* ; python_version < '2.7'").unwrap();
        assert_eq!(full.name, "requests");
        assert_eq!(full.extras, ["socks", "security"]);
        assert_eq!(full.specifier, ">= 2.8.1, == 2.8.*");
        assert_eq!(full.marker, Some("python_version < '2.7'"));
        let url = requirement("pip @ https://x.example/pip-1.zip;x#sha256=00 ; extra == 'a'").unwrap();
        assert_eq!(url.url, Some("https://x.example/pip-1.zip;x#sha256=00"));
        assert_eq!(url.marker, Some("extra == 'a'"));
        assert_eq!(requirement("Sphinx (>=7.4,<8.0)").unwrap().specifier, ">=7.4,<8.0");
        for text in ["", "a b", "a==", "a=1", "a[", "a (>1", "a @", "a>1 2", "== 1", "a @ x y"] {
            assert_eq!(requirement(text), None, "{text}");
        }
    }

    #[test]
    fn only_one_version_is_a_pin() {
        for (specifier, version) in [
            ("==1.0", Some("1.0")),
            (" == 1.0 ", Some("1.0")),
            ("===1.0-foo", Some("1.0-foo")),
            (">=1, ==1.5", Some("1.5")),
            ("==1.*", None),
            (">=1.0", None),
            ("~=1.0", None),
            ("", None),
        ] {
            assert_eq!(pinned(specifier), version, "{specifier}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"\PC{0,60}", near in "[a-z\\[\\],;@=<>!~ ()'.-]{0,40}") {
            for text in [&text, &near] {
                let _ = requirement(text);
                let _ = pinned(text);
                let reading = Reading { path: "x", remedy: "y" };
                let _ = reading.hash("x", text);
                let _ = reading.package(text, Some(text), Source::Index(text));
            }
        }
    }
}
