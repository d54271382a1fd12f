//! Chooses an image of an OCI image layout (OCI image specification v1.1, image-layout, image-index, config).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::choice::{self, Choice};
use super::layer::Layer;
use super::manifest::{
    DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, Document, INDEX, MANIFEST, Manifest, Platform, guess,
};
use super::source::Source;
use super::{Chosen, Id, blob};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// Annotations that name an image: that of the specification, and that of containerd.
const NAMES: [&str; 2] = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];
/// How BuildKit marks what is beside an image in its index.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// The parts of an image's config that are read.
#[derive(Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    pub(super) os: String,
    pub(super) variant: Option<String>,
    pub(super) rootfs: RootFs,
}

#[derive(Deserialize)]
pub(super) struct RootFs {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    pub(super) diff_ids: Option<Vec<Digest>>,
}

/// What an index lists, with what is known of it from above.
#[derive(Clone)]
struct Listed {
    descriptor: Descriptor,
    names: BTreeSet<String>,
    /// Its own digest and those of the indexes that list it.
    digests: BTreeSet<Digest>,
}

pub(super) fn choose(source: &mut Source, choice: &Choice) -> Result<Chosen> {
    let index = open(source)?;
    let mut left = limits::IMAGE_MANIFESTS_BYTES;
    let (images, mut listed, others) = images(source, index, choice, &mut left)?;
    let wanted: Vec<&Descriptor> = images.iter().map(|(_, manifest)| &manifest.config).collect();
    let configs = blob::read(source, &wanted, &mut left)?;
    let mut found = Vec::new();
    for (image, manifest) in images {
        let Some(bytes) = configs.get(&manifest.config.digest) else { continue };
        let config = Config::parse(bytes)?;
        let platform = config.platform();
        listed.insert(choice::line(&image.descriptor.digest, Some(&platform), &image.names));
        if choice.platform.as_ref().is_none_or(|asked| asked.is(&platform)) {
            found.push(chosen(image, manifest, &config, platform)?);
        }
    }
    if found.is_empty() && listed.is_empty() && others > 0 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the layout holds no container image, but other artifacts; name a layout with an image",
        ));
    }
    choice.only(found, &listed)
}

fn open(source: &mut Source) -> Result<Vec<Descriptor>> {
    let names = ["oci-layout", "index.json"].map(str::to_owned);
    let mut files = source.read(&BTreeSet::from(names), limits::OCI_MANIFEST_BYTES)?;
    let mut file = |name: &str| {
        files.remove(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!("the image layout has no `{name}`, so it is not whole; write it anew"),
            )
        })
    };
    let marker: Marker = json::parse("`oci-layout`", &file("oci-layout")?)?;
    if !marker.image_layout_version.starts_with("1.") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("the image layout is of version `{}`; version 1 is read", marker.image_layout_version),
        ));
    }
    match guess(&file("index.json")?)? {
        Document::Index(index) => Ok(index.manifests),
        Document::Manifest(_) => {
            Err(Error::new(ErrorKind::Malformed, "`index.json` of the layout is no index; write the layout anew"))
        }
    }
}

/// The images that may be meant; lines that show the others; how many artifacts there are beside.
type Images = (Vec<(Listed, Manifest)>, BTreeSet<String>, usize);

fn images(source: &mut Source, index: Vec<Descriptor>, choice: &Choice, left: &mut u64) -> Result<Images> {
    let mut images: BTreeMap<Digest, (Listed, Manifest)> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    let mut others = 0;
    let mut open = unite(index.into_iter().map(|d| (d, BTreeSet::new(), BTreeSet::new())), &mut others)?;
    for _ in 0..limits::IMAGE_INDEXES {
        let wanted: Vec<&Descriptor> = open.values().map(|listed| &listed.descriptor).collect();
        let blobs = blob::read(source, &wanted, left)?;
        let mut members = Vec::new();
        for (digest, listed) in open {
            let Some(bytes) = blobs.get(&digest) else {
                let line = choice::line(&digest, listed.descriptor.platform.as_ref(), &listed.names);
                shown.insert(format!("{line}, whose manifest is not there"));
                continue;
            };
            let parsed = Document::parse(bytes, &listed.descriptor.media_type);
            match parsed.map_err(|e| e.while_doing(format_args!("the manifest `{digest}`")))? {
                Document::Index(index) => {
                    let above = |d| (d, listed.names.clone(), listed.digests.clone());
                    members.extend(index.manifests.into_iter().map(above));
                }
                Document::Manifest(manifest) if CONFIGS.contains(&&*manifest.config.media_type) => {
                    if choice.has_digest(listed.digests.iter()) && choice.has_tag(&listed.names) {
                        images.entry(digest).and_modify(|known| known.0.join(&listed)).or_insert((listed, manifest));
                    } else {
                        shown.insert(choice::line(&digest, listed.descriptor.platform.as_ref(), &listed.names));
                    }
                }
                Document::Manifest(_) => others += 1,
            }
        }
        open = unite(members.into_iter(), &mut others)?;
        if open.is_empty() {
            return Ok((images.into_values().collect(), shown, others));
        }
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format!("indexes list indexes more than {} deep; it is no image of ours", limits::IMAGE_INDEXES),
    ))
}

/// Each image or index once, by its digest; what is neither is counted.
fn unite(
    descriptors: impl Iterator<Item = (Descriptor, BTreeSet<String>, BTreeSet<Digest>)>,
    others: &mut usize,
) -> Result<BTreeMap<Digest, Listed>> {
    let mut open: BTreeMap<Digest, Listed> = BTreeMap::new();
    for (descriptor, mut names, mut digests) in descriptors {
        let known = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX].contains(&&*descriptor.media_type);
        let annotations = descriptor.annotations.as_ref();
        let beside = descriptor.artifact_type.is_some() || annotations.is_some_and(|a| a.contains_key(REFERENCE_TYPE));
        if !known || beside {
            *others += 1;
            continue;
        }
        names.extend(NAMES.iter().filter_map(|key| annotations?.get(*key).cloned()));
        digests.insert(descriptor.digest.clone());
        let listed = Listed { names, digests, descriptor };
        match open.get_mut(&listed.descriptor.digest) {
            Some(same) => same.join(&listed),
            None => drop(open.insert(listed.descriptor.digest.clone(), listed)),
        }
        if open.len() > limits::OCI_ENTRIES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the layout lists over {} images; name a smaller one", limits::OCI_ENTRIES),
            ));
        }
    }
    Ok(open)
}

impl Listed {
    fn join(&mut self, same: &Self) {
        self.names.extend(same.names.iter().cloned());
        self.digests.extend(same.digests.iter().cloned());
    }
}

impl Config {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let config: Self = json::parse("the config of the image", bytes)?;
        if config.rootfs.kind != "layers" {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the image is made of `{}`; images made of `layers` are read", config.rootfs.kind),
            ));
        }
        Ok(config)
    }

    pub(super) fn platform(&self) -> Platform {
        Platform { os: self.os.clone(), architecture: self.architecture.clone(), variant: self.variant.clone() }
    }

    /// The digest that the unpacked content of each of `count` layers must have.
    pub(super) fn diff_ids(&self, count: usize) -> Result<Vec<Digest>> {
        let ids = self.rootfs.diff_ids.clone().unwrap_or_default();
        if ids.len() == count {
            return Ok(ids);
        }
        Err(Error::new(
            ErrorKind::Malformed,
            format!("the image has {count} layers, and its config {} digests of them; fetch it anew", ids.len()),
        ))
    }
}

fn chosen(image: Listed, manifest: Manifest, config: &Config, platform: Platform) -> Result<Chosen> {
    let ids = config.diff_ids(manifest.layers.len())?;
    let layers = manifest.layers.into_iter().zip(ids).map(|(descriptor, id)| Layer::of_blob(descriptor, id));
    let layers = layers.collect::<Result<_>>()?;
    Ok(Chosen { id: Id::Manifest(image.descriptor.digest), names: image.names, platform, layers })
}
