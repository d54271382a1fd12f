//! Package URLs (purl-spec).

use packageurl::PackageUrl;

use crate::error::{Error, ErrorKind, Result};

const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];
const NPM: [&str; 2] = ["https://registry.npmjs.org", "https://registry.yarnpkg.com"];

/// The purl of a crate; `source` is that of `Cargo.lock`, none for a local crate.
pub(super) fn cargo(name: &str, version: &str, source: Option<&str>) -> Result<String> {
    let mut purl = new("cargo", name)?;
    purl.with_version(version).map_err(|e| bad(name, &e))?;
    match source {
        None => {}
        Some(source) if CRATES_IO.contains(&source) => {}
        Some(source) if source.starts_with("git+") => {
            let (url, commit) = split_fragment(source);
            let at = commit.map(|c| format!("@{c}")).unwrap_or_default();
            purl.add_qualifier("vcs_url", format!("{}{at}", public_url(url))).map_err(|e| bad(name, &e))?;
        }
        Some(source) => {
            let url = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+")).unwrap_or(source);
            purl.add_qualifier("repository_url", public_url(url)).map_err(|e| bad(name, &e))?;
        }
    }
    Ok(purl.to_string())
}

/// The purl of a package of another kind, whose name and version need nothing that its specification asks beyond the
/// common rules; with at most one qualifier.
pub(super) fn of(
    kind: &'static str,
    namespace: Option<&str>,
    name: &str,
    version: Option<&str>,
    qualifier: Option<(&'static str, &str)>,
) -> Result<String> {
    let mut purl = new(kind, name)?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).map_err(|e| bad(name, &e))?;
    }
    if let Some(version) = version {
        purl.with_version(version).map_err(|e| bad(name, &e))?;
    }
    if let Some((key, value)) = qualifier {
        purl.add_qualifier(key, value).map_err(|e| bad(name, &e))?;
    }
    Ok(purl.to_string())
}

/// The purl of an npm package; `resolved` is where the lock file says it comes from.
pub(super) fn npm(name: &str, version: Option<&str>, resolved: Option<&str>) -> Result<String> {
    let mut purl = match name.split_once('/') {
        Some((scope, rest)) => {
            let mut purl = new("npm", rest)?;
            purl.with_namespace(scope).map_err(|e| bad(name, &e))?;
            purl
        }
        None => new("npm", name)?,
    };
    if let Some(version) = version {
        purl.with_version(version).map_err(|e| bad(name, &e))?;
    }
    if let Some((key, value)) = resolved.and_then(|r| npm_origin(name, r)) {
        purl.add_qualifier(key, value).map_err(|e| bad(name, &e))?;
    }
    Ok(purl.to_string())
}

/// `text` with one more qualifier.
pub(super) fn with_qualifier(text: &str, key: &'static str, value: &str) -> Result<String> {
    let mut purl: PackageUrl<'_> = text.parse().map_err(|e| bad(text, &e))?;
    purl.add_qualifier(key, value).map_err(|e| bad(text, &e))?;
    Ok(purl.to_string())
}

/// The `vcs_url` of a commit of the Git repository at `url`, which may be written `user@host:path` (purl-spec, "Known
/// qualifiers key/value pairs").
pub(super) fn git_url(url: &str, commit: Option<&str>) -> String {
    let url = match url.split_once(':') {
        _ if url.contains("://") => url.to_owned(),
        _ if url.starts_with('/') => format!("file://{url}"),
        Some((host, path)) if !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => url.to_owned(),
    };
    let plus = if url.starts_with("git+") || url.starts_with("git://") { "" } else { "git+" };
    let at = commit.map(|c| format!("@{c}")).unwrap_or_default();
    format!("{plus}{}{at}", public_url(&url))
}

/// `text` with another version.
pub(super) fn with_version(text: &str, version: &str) -> Result<String> {
    let mut purl: PackageUrl<'_> = text.parse().map_err(|e| bad(text, &e))?;
    purl.with_version(version).map_err(|e| bad(text, &e))?;
    Ok(purl.to_string())
}

/// `text` with more qualifiers, those that have a value.
pub(super) fn with(text: &str, qualifiers: &[(&'static str, Option<&str>)]) -> Result<String> {
    let mut purl: PackageUrl<'_> = text.parse().map_err(|e| bad(text, &e))?;
    for (key, value) in qualifiers {
        if let Some(value) = value {
            purl.add_qualifier(*key, value.to_owned()).map_err(|e| bad(text, &e))?;
        }
    }
    Ok(purl.to_string())
}

/// Refuses what is no purl.
pub(super) fn check(text: &str) -> Result<()> {
    match fault(text) {
        None => Ok(()),
        Some(fault) => Err(Error::new(
            ErrorKind::Malformed,
            format!("`{}` is no package url: {fault}; write it as `pkg:type/name@version`", text.escape_debug()),
        )),
    }
}

/// What is wrong with `text` as a purl, if anything.
pub(super) fn fault(text: &str) -> Option<String> {
    text.parse::<PackageUrl<'static>>().err().map(|e| e.to_string())
}

/// The namespace of `text`, decoded, if it is a package url that has one.
pub(super) fn namespace(text: &str) -> Option<String> {
    let purl: PackageUrl<'_> = text.parse().ok()?;
    purl.namespace().map(str::to_owned)
}

/// The qualifier for a package that is not from the default registry.
fn npm_origin(name: &str, resolved: &str) -> Option<(&'static str, String)> {
    if resolved.starts_with("git") {
        let (url, commit) = split_fragment(resolved);
        let url = match url.split_once(':') {
            Some(("github", path)) => format!("git+https://github.com/{path}"),
            Some(("gitlab", path)) => format!("git+https://gitlab.com/{path}"),
            _ => url.to_owned(),
        };
        let at = commit.map(|c| format!("@{c}")).unwrap_or_default();
        return Some(("vcs_url", format!("{}{at}", public_url(&url))));
    }
    if !resolved.starts_with("http://") && !resolved.starts_with("https://") {
        return None;
    }
    // older lock files have the `/` of a scope as `%2f`, and the registry without TLS
    let plain = resolved.replacen("%2f", "/", 1).replacen("%2F", "/", 1);
    match plain.split_once(&format!("/{name}/-/")) {
        Some((registry, _)) if NPM.contains(&&*registry.replacen("http:", "https:", 1)) => None,
        Some((registry, _)) => Some(("repository_url", public_url(registry))),
        None => Some(("download_url", public_url(resolved))),
    }
}

fn split_fragment(url: &str) -> (&str, Option<&str>) {
    url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)))
}

/// `url` without what may be a secret: user and password (but for the plain user `git`), query and fragment.
pub(super) fn public_url(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user != "git" => host,
        _ => authority,
    };
    format!("{scheme}://{host}{path}")
}

fn new<'a>(kind: &'static str, name: &'a str) -> Result<PackageUrl<'a>> {
    PackageUrl::new(kind, name).map_err(|e| bad(name, &e))
}

fn bad(name: &str, e: &packageurl::Error) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the package `{}` has no package url: {e}; look at its name and version", name.escape_debug()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_named_with_where_they_come_from_unless_it_is_crates_io() {
        for source in CRATES_IO {
            assert_eq!(cargo("serde", "1.0.0", Some(source)).unwrap(), "pkg:cargo/serde@1.0.0");
        }
        assert_eq!(cargo("own", "1.0.0+x", None).unwrap(), "pkg:cargo/own@1.0.0%2Bx");
        assert_eq!(
            cargo("a", "1.0.0", Some("git+https://github.com/a/a?branch=main#0123abcd")).unwrap(),
            "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fa%2Fa%400123abcd"
        );
        assert_eq!(
            cargo("a", "1.0.0", Some("sparse+https://crates.corp.example/index/")).unwrap(),
            "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fcrates.corp.example%2Findex%2F"
        );
    }

    #[test]
    fn npm_scopes_are_encoded_and_other_origins_named() {
        let npmjs = Some("https://registry.npmjs.org/@babel/core/-/core-7.0.0.tgz");
        assert_eq!(npm("@babel/core", Some("7.0.0"), npmjs).unwrap(), "pkg:npm/%40babel/core@7.0.0");
        let corp = Some("https://npm.corp.example/x/@babel/core/-/core-7.0.0.tgz");
        assert_eq!(
            npm("@babel/core", Some("7.0.0"), corp).unwrap(),
            "pkg:npm/%40babel/core@7.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fx"
        );
        for older in [
            "http://registry.npmjs.org/@babel/core/-/core-7.0.0.tgz",
            "https://registry.yarnpkg.com/@babel%2fcore/-/core-7.0.0.tgz",
        ] {
            assert_eq!(npm("@babel/core", Some("7.0.0"), Some(older)).unwrap(), "pkg:npm/%40babel/core@7.0.0");
        }
        assert_eq!(
            npm("a", Some("1.0.0"), Some("git+ssh://git@github.com/a/a.git#0123abcd")).unwrap(),
            "pkg:npm/a@1.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fa%2Fa.git%400123abcd"
        );
        assert_eq!(
            npm("a", None, Some("https://x.example/a.tgz")).unwrap(),
            "pkg:npm/a?download_url=https:%2F%2Fx.example%2Fa.tgz"
        );
    }

    #[test]
    fn no_credential_of_a_url_gets_into_a_purl() {
        for url in [
            "git+https://user:s3cret@git.corp.example/a#0123",
            "git+https://s3cret@git.corp.example/a#0123",
            "https://npm.corp.example/download/a.tgz?token=s3cret",
            "https://a:s3cret@npm.corp.example/a/-/a-1.0.0.tgz",
        ] {
            let purl = npm("a", Some("1.0.0"), Some(url)).unwrap();
            assert!(!purl.contains("s3cret"), "{purl}");
            let purl = cargo("a", "1.0.0", Some(url)).unwrap();
            assert!(!purl.contains("s3cret"), "{purl}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"\PC{0,40}", tail in "[%@#?&=/:a-f0-9]{0,20}") {
            fault(&text);
            fault(&format!("pkg:npm/{tail}"));
            let _ = npm(&text, Some(&tail), Some(&text));
            let _ = cargo(&tail, &text, Some(&text));
        }
    }
}
