//! The packages of a container image: what its package managers noted of themselves, and the language packages in it.

mod apk;
mod copyright;
mod dpkg;
mod dpkg_version;
mod files;
mod gem;
mod go;
mod inventory;
mod node;
mod os_release;
mod python;
mod rpm;
mod rpm_header;

use std::path::Path;

use serde::Deserialize;

use self::files::Files;
use self::inventory::Inventory;
use super::model::{Component, ComponentKind, Hash, Metadata, Property, Sbom, Tools};
use super::{plain, purl};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{Choice, Id, Image, Search};
use crate::timestamp::Timestamp;

/// What [`generate_image`] is told beside the image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ImageOptions {
    /// Digest of the image, or of an index that lists it; its id in an archive of older versions of Docker.
    pub digest: Option<Digest>,
    /// Tag of the image, or all of the reference that the layout or archive has for it.
    pub tag: Option<String>,
    /// What the image runs on, as `linux/amd64` or `linux/arm/v7`.
    pub platform: Option<String>,
    /// Name of the product. Else the last part of its reference names it, else its digest.
    pub name: Option<String>,
    /// Version of the product, else its digest.
    pub version: Option<String>,
    /// Package url of the product, else made from its reference and its digest.
    pub purl: Option<String>,
    /// `bom-ref` of the product, else its package url, else its name and version.
    pub bom_ref: Option<String>,
    /// `metadata.timestamp`. Without it, the same image gives the same bytes at any time.
    pub timestamp: Option<Timestamp>,
}

/// Makes a BOM of a container image that lies at `path`: an OCI image layout, in a folder or in a tarball, or what
/// `docker save` wrote; a tarball may be compressed. If it holds several images, the options say which is meant.
///
/// Read are the databases of dpkg (also those of distroless images), apk and rpm, installed packages of Python, Node and
/// Ruby, and the modules that programs of Go were built from, with their licences, their sources and what they need, as far
/// as these tell. Layers are laid over each other as a runtime does, so that what a later layer removed or replaced is not in
/// the BOM. A property tells the layer and the file that a package was found in; for packages of the system it is the layer
/// that last wrote the database.
///
/// Nothing of an image is run or written to disk, and no network is asked. Each blob is held against its digest, and the
/// content of each layer against the one in the image's config.
///
/// ```
/// use sealwright::sbom::{ImageOptions, generate_image};
/// # let image = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/images/layout.tar.gz");
/// let mut options = ImageOptions::default();
/// options.platform = Some("linux/amd64".to_owned());
/// options.name = Some("app".to_owned());
/// let sbom = generate_image(image.as_ref(), &options)?;
/// assert!(sbom.metadata.component.purl.is_some_and(|purl| purl.starts_with("pkg:oci/app@sha256:")));
/// assert!(sbom.components.iter().any(|component| component.name == "musl"));
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `NOT_FOUND` if there is no such image, or a part of it is missing; `API_MISUSE` if several are meant; `DIGEST_MISMATCH`
/// for a blob or layer that is another than the image says; `MALFORMED` for what is no image, is cut, or holds a database that
/// can't be read; `UNSUPPORTED` for images that are not for Linux, and those with packages of a kind that is not read, such
/// as pacman, or with none that is; `LIMIT_EXCEEDED` for what unpacks to too much; `IO` and its kin if a file can't be read.
pub fn generate_image(path: &Path, options: &ImageOptions) -> Result<Sbom> {
    let choice = Choice {
        digest: options.digest.clone(),
        tag: options.tag.clone(),
        platform: options.platform.as_deref().map(str::parse).transpose()?,
    };
    let mut image = Image::open(path, &choice, Search { is_likely: files::is_likely, look: go::search })?;
    let files = Files::find(&mut image)?;
    let inventory = Inventory::read(&mut image, files)?;
    let product = product(&image, options)?;
    let (components, dependencies) = inventory.write(product.bom_ref.as_deref().unwrap_or_default())?;
    Ok(Sbom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: Metadata {
            timestamp: options.timestamp,
            tools: Tools {
                components: vec![plain("sealwright".to_owned(), Some(env!("CARGO_PKG_VERSION").to_owned()))],
            },
            component: product,
            properties: Vec::new(),
        },
        components,
        dependencies,
        compositions: Vec::new(),
    })
}

/// The image as a component.
fn product(image: &Image, options: &ImageOptions) -> Result<Component> {
    let chosen = &image.chosen;
    let id = chosen.id.digest();
    // the longest is the one with a registry and a repository in it
    let reference = chosen.names.iter().max_by_key(|name| name.len()).map(|name| Reference::parse(name));
    let repository = reference.as_ref().and_then(|reference| reference.repository);
    let told = options.name.clone().or_else(|| repository?.rsplit('/').next().map(str::to_owned));
    let mut purl = match &told {
        Some(name) => Some(purl_of(image, name, reference.as_ref())?),
        None => None,
    };
    if let Some(given) = &options.purl {
        purl::check(given)?;
        purl = Some(given.clone());
    }
    let mut product = plain(told.unwrap_or_else(|| id.to_string()), Some(id.to_string()));
    product.kind = ComponentKind::Container;
    if options.version.is_some() {
        product.version.clone_from(&options.version);
    }
    if let Id::Manifest(digest) = &chosen.id {
        let alg = match digest.algorithm() {
            Algorithm::Sha384 => "SHA-384",
            Algorithm::Sha512 => "SHA-512",
            _ => "SHA-256",
        };
        product.hashes.insert(Hash { alg, content: digest.hex() });
    }
    let platform = [&chosen.platform.os, &chosen.platform.architecture].map(String::as_str);
    let platform = platform.into_iter().chain(chosen.platform.variant.as_deref()).filter(|part| !part.is_empty());
    let platform = platform.collect::<Vec<_>>().join("/");
    let property = |name, value: &str| Property { name, value: value.to_owned() };
    if !platform.is_empty() {
        product.properties.push(property("sealwright:platform", &platform));
    }
    product.properties.extend(chosen.names.iter().map(|name| property("sealwright:reference", name)));
    product.bom_ref = options.bom_ref.clone().or_else(|| purl.clone());
    product.bom_ref.get_or_insert_with(|| match &product.version {
        Some(version) if *version != product.name => format!("{}@{version}", product.name),
        _ => product.name.clone(),
    });
    product.purl = purl;
    Ok(product)
}

/// The package url of an image: of the type `oci` by the digest of its manifest, of the type `docker` by its id.
fn purl_of(image: &Image, name: &str, reference: Option<&Reference<'_>>) -> Result<String> {
    let digest = image.chosen.id.digest().to_string();
    let repository = reference.and_then(|reference| reference.repository);
    let architecture = &image.chosen.platform.architecture;
    match &image.chosen.id {
        Id::Manifest(_) => {
            let purl = purl::of("oci", None, &name.to_lowercase(), Some(&digest), None)?;
            let tag = reference.and_then(|reference| reference.tag);
            purl::with(
                &purl,
                &[
                    ("arch", Some(architecture.as_str()).filter(|text| !text.is_empty())),
                    ("repository_url", repository.map(str::to_lowercase).as_deref().filter(|text| text.contains('/'))),
                    ("tag", tag),
                ],
            )
        }
        Id::Config(_) => {
            let folder = repository.and_then(|repository| repository.rsplit_once('/')).map(|(folder, _)| folder);
            let (host, folder) = match folder.map(|folder| folder.split_once('/').unwrap_or((folder, ""))) {
                // a name before the first slash is a registry if it looks like one (distribution's reference grammar)
                Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), Some(rest)),
                _ => (None, folder),
            };
            let purl = purl::of("docker", folder.filter(|text| !text.is_empty()), name, Some(&digest), None)?;
            purl::with(
                &purl,
                &[("repository_url", host.filter(|host| !matches!(*host, "docker.io" | "index.docker.io")))],
            )
        }
    }
}

/// The parts of a reference: `registry/repository:tag`, or a tag alone.
struct Reference<'a> {
    repository: Option<&'a str>,
    tag: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Self {
        let named = text.split('@').next().unwrap_or_default();
        match named.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => Self { repository: Some(repository), tag: Some(tag) },
            _ if named.contains('/') => Self { repository: Some(named), tag: None },
            _ => Self { repository: None, tag: Some(named) },
        }
    }
}

/// What is wrong with a file of the image, and that it is nothing to go on from.
fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("`{}` of the image {fault}; build the image anew", path.escape_debug()))
}
