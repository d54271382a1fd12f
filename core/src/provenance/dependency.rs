//! What a build was made from: dependencies of allowed sources, approved images.

use super::{one_of, unmet};
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// Checks that an allowed source is a URI that ends at a boundary or can.
pub(super) fn validate(source: &str) -> Result<()> {
    let after_scheme = source.split_once(':').map(|(_, rest)| rest.trim_start_matches('/'));
    if after_scheme.is_none_or(str::is_empty) || dotted(source) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!(
                "the allowed source `{}` is no URI with a scheme and a place; write it as \
                 `git+https://github.com/octo/` or `pkg:npm/`",
                source.escape_debug()
            ),
        ));
    }
    Ok(())
}

/// Checks that each dependency comes from one of the allowed sources, by its URI.
pub(super) fn from_sources(dependencies: &[ResourceDescriptor], allowed: &[String]) -> Result<()> {
    for (index, dependency) in dependencies.iter().enumerate() {
        let uri = dependency.uri.as_deref().unwrap_or_default();
        if uri.is_empty() || dotted(uri) || !allowed.iter().any(|a| lies_in(uri, a)) {
            let found = if uri.is_empty() { dependency.name.as_deref().unwrap_or("no URI") } else { uri };
            return Err(unmet(format_args!("resolvedDependencies[{index}].uri"), one_of(allowed), found));
        }
    }
    Ok(())
}

/// Whether `uri` is `source` or lies in it. `https://example.org` holds neither `https://example.org.evil` nor
/// `https://example.org@evil`.
fn lies_in(uri: &str, source: &str) -> bool {
    let Some(rest) = uri.strip_prefix(source) else { return false };
    let host_only = source.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
    match rest.chars().next() {
        None | Some('/' | '?' | '#') => true,
        Some('@') => !host_only,
        Some(_) => source.ends_with(['/', '@', '?', '#']),
    }
}

/// Whether a path climbs, which no spelling of a source needs.
fn dotted(uri: &str) -> bool {
    let plain = uri.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace('\\', "/");
    let end = plain.find(['?', '#']).unwrap_or(plain.len());
    plain.get(..end).unwrap_or_default().split('/').any(|part| part == "." || part == "..")
}

/// Checks that the build has base images, and each has an approved digest.
pub(super) fn base_images(dependencies: &[ResourceDescriptor], approved: &[Digest]) -> Result<()> {
    let images: Vec<_> = dependencies.iter().filter(|d| d.uri.as_deref().is_some_and(is_image)).collect();
    all_approved("baseImage", &images, approved)
}

/// Checks that the build says which image its environment was made of, and that each is approved.
pub(super) fn environment_images(
    builder_dependencies: &[ResourceDescriptor],
    builder_image: Option<&Value>,
    approved: &[Digest],
) -> Result<()> {
    // the container-based builder lets the caller choose the image, and writes it as a parameter
    let chosen: Option<ResourceDescriptor> = builder_image.and_then(|v| serde_json::from_value(v.clone()).ok());
    let images: Vec<_> = builder_dependencies.iter().chain(&chosen).collect();
    all_approved("environmentImage", &images, approved)
}

fn all_approved(field: &str, images: &[&ResourceDescriptor], approved: &[Digest]) -> Result<()> {
    let expected = || one_of(approved);
    if images.is_empty() {
        return Err(unmet(field, expected(), "no image with a digest"));
    }
    for image in images {
        if !approved.iter().any(|digest| image.has(digest)) {
            let name = image.uri.as_deref().or(image.name.as_deref()).unwrap_or("an image");
            let digest = image.digests().next().map_or_else(|| "without a digest".to_owned(), |d| d.to_string());
            return Err(unmet(field, expected(), format_args!("{name} {digest}")));
        }
    }
    Ok(())
}

/// Whether a URI names a container image, as builders write it.
fn is_image(uri: &str) -> bool {
    ["pkg:docker/", "pkg:oci/", "oci://", "docker://", "docker-image://"].iter().any(|scheme| uri.starts_with(scheme))
}

/// Checks that no subject is named by a tag: neither `registry/app:v1` nor a purl with `tag=`.
pub(super) fn untagged(subjects: &[ResourceDescriptor]) -> Result<()> {
    for (index, subject) in subjects.iter().enumerate() {
        for (field, text) in [("name", &subject.name), ("uri", &subject.uri)] {
            if let Some(text) = text.as_deref().filter(|t| is_tagged(t)) {
                return Err(unmet(format_args!("subject[{index}].{field}"), "a name without a tag", text));
            }
        }
    }
    Ok(())
}

fn is_tagged(text: &str) -> bool {
    if let Some(purl) = text.strip_prefix("pkg:") {
        let (_, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
        let image = is_image(text);
        // `pkg:docker/app@v1` names a tag, `pkg:oci/app@sha256%3A…` a digest
        let version = purl.split(['?', '#']).next().and_then(|p| p.split_once('@')).map(|(_, v)| v);
        let by_digest = |v: &str| v.starts_with("sha256:") || v.to_ascii_lowercase().starts_with("sha256%3a");
        return qualifiers.split(['&', '#']).any(|q| q.starts_with("tag="))
            || (image && version.is_some_and(|v| !by_digest(v)));
    }
    let (_, place) = text.split_once("://").unwrap_or(("", text));
    let name = place.split_once('@').map_or(place, |(name, _)| name);
    let last = name.rsplit('/').next().unwrap_or_default();
    // `sha256:…` alone is a digest, and a host with a port stands before a slash
    last.split_once(':').is_some_and(|(head, _)| head != "sha256")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_ends_where_its_name_ends() {
        for (uri, source) in [
            ("git+https://github.com/octo/app@refs/heads/main", "git+https://github.com/octo/app"),
            ("git+https://github.com/octo/app", "git+https://github.com/octo/"),
            ("pkg:npm/left@1.0.0", "pkg:npm/"),
            ("pkg:npm/left@1.0.0", "pkg:npm/left"),
            ("https://example.org/a", "https://example.org"),
        ] {
            assert!(lies_in(uri, source), "{uri} {source}");
        }
        for (uri, source) in [
            ("https://example.org.evil/a", "https://example.org"),
            ("https://example.org@evil/a", "https://example.org"),
            ("https://example.org:9/a", "https://example.org"),
            ("git+https://github.com/octo/app2", "git+https://github.com/octo/app"),
            ("pkg:npm/left2@1", "pkg:npm/left"),
        ] {
            assert!(!lies_in(uri, source), "{uri} {source}");
        }
        for climbing in ["https://example.org/a/../../b", "https://example.org/%2E%2e/b", "https://h/a\\..\\b"] {
            assert!(dotted(climbing), "{climbing}");
        }
        for bad in ["", "github.com/octo", "https://", "https://h/../x"] {
            assert_eq!(validate(bad).unwrap_err().code(), "API_MISUSE", "{bad}");
        }
    }

    #[test]
    fn tags_are_told_from_digests_and_ports() {
        let hex = "0".repeat(64);
        for tagged in [
            "app:v1",
            "registry.example:5000/app:latest",
            "pkg:docker/app@v1",
            "pkg:oci/app?tag=v1",
            &format!("registry.example/app:v1@sha256:{hex}"),
        ] {
            assert!(is_tagged(tagged), "{tagged}");
        }
        for plain in [
            "app",
            "dist/app.tar.gz",
            "registry.example:5000/app",
            "pkg:generic/app@1.0",
            "https://h:8/app",
            &format!("registry.example/app@sha256:{hex}"),
            &format!("sha256:{hex}"),
            &format!("pkg:oci/app@sha256%3A{hex}"),
        ] {
            assert!(!is_tagged(plain), "{plain}");
        }
    }
}
