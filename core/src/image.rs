//! Container images at rest: OCI image layouts in folders and tarballs (OCI image specification v1.1), and what
//! `docker save` writes.
//!
//! An image is chosen, its layers are laid over each other in memory, and single files are read out of them. Nothing of it
//! is ever written to disk or run. Every blob is held against its digest, and each layer against the digest that the config
//! gives its unpacked content, before anything of it is given out.

mod archive;
mod blob;
mod choice;
mod layer;
mod layout;
pub(crate) mod manifest;
mod source;
mod tar;
mod tree;
mod unpack;

pub use self::manifest::{Annotations, Platform};

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

pub(crate) use self::choice::Choice;
use self::layer::{Budget, Layer, Scan};
use self::source::Source;
pub(crate) use self::tree::{FileRef, Place, Tree};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// An image, and the files that its layers make together.
pub(crate) struct Image {
    pub(crate) chosen: Chosen,
    pub(crate) tree: Tree,
    source: Source,
    kept: BTreeMap<FileRef, Vec<u8>>,
    found: BTreeMap<FileRef, Vec<u8>>,
    budget: Budget,
}

/// What is looked for in layers while they are read.
#[derive(Clone, Copy)]
pub(crate) struct Search {
    /// Whether the file at a path is likely asked for.
    pub(crate) is_likely: fn(&[u8]) -> bool,
    /// Reads any other file as far as it must, and gives what is to be kept of it.
    pub(crate) look: fn(&mut dyn Read) -> io::Result<Option<Vec<u8>>>,
}

/// The image that was chosen, before its layers are read.
pub(crate) struct Chosen {
    /// What names it.
    pub(crate) id: Id,
    /// The references that point to it, such as `docker.io/library/debian:12` or `12`.
    pub(crate) names: BTreeSet<String>,
    pub(crate) platform: Platform,
    layers: Vec<Layer>,
}

/// The digest that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// That of its manifest, as registries know it.
    Manifest(Digest),
    /// That of its config, which Docker calls the image's id; an archive without manifests has no other.
    Config(Digest),
}

impl Id {
    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Manifest(digest) | Self::Config(digest) => digest,
        }
    }
}

impl Image {
    /// Opens the image that `choice` means in the layout or archive at `path`, and reads its layers, in which `search` looks
    /// for files.
    ///
    /// # Errors
    /// `API_MISUSE` if several images are meant; `NOT_FOUND` if none is, or a part of it is not there; `DIGEST_MISMATCH`;
    /// `MALFORMED`, `UNSUPPORTED`, `LIMIT_EXCEEDED` for what is no image that can be read whole.
    pub(crate) fn open(path: &Path, choice: &Choice, search: Search) -> Result<Self> {
        let mut source = Source::open(path)?;
        let chosen = if source.find("oci-layout")?.is_some() || source.find("index.json")?.is_some() {
            layout::choose(&mut source, choice)?
        } else if source.find("manifest.json")?.is_some() {
            archive::choose(&mut source, choice)?
        } else {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!(
                    "`{}` holds neither `oci-layout` nor `manifest.json`; name an OCI image layout, or what \
                     `docker save` wrote",
                    path.display()
                ),
            ));
        };
        if !matches!(&*chosen.platform.os, "linux" | "") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the image is for `{}`; images for linux are read", chosen.platform.os),
            ));
        }
        let mut budget = Budget::default();
        let Scan { mut entries, kept, found } = layer::scan(&mut source, &chosen.layers, &mut budget, search)?;
        let mut tree = Tree::default();
        for (number, layer) in chosen.layers.iter().enumerate() {
            // a layer that is there twice is one in which files are
            let first = chosen.layers.iter().position(|same| same.place == layer.place).unwrap_or(number);
            let last = !chosen.layers.iter().skip(number + 1).any(|later| later.place == layer.place);
            let entries = if last { entries.remove(&layer.place) } else { entries.get(&layer.place).cloned() };
            for (ordinal, entry) in (0..).zip(entries.unwrap_or_default()) {
                tree.add(number, |size| FileRef::new(first, ordinal, size), entry)
                    .map_err(|e| e.while_doing(format_args!("layer `{}`", layer.digest())))?;
            }
        }
        Ok(Self { chosen, tree, source, kept, found, budget })
    }

    /// The digest of the layer that a file is from, as the image's manifest names it.
    pub(crate) fn layer_of(&self, file: &FileRef) -> Option<&Digest> {
        self.chosen.layers.get(file.layer).map(Layer::digest)
    }

    /// What [`Search::look`] found in a file.
    pub(crate) fn found_in(&self, file: &FileRef) -> Option<&Vec<u8>> {
        self.found.get(file)
    }

    /// The contents of files.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if they are too long, `UNSUPPORTED` for a sparse file, and those of reading a layer.
    pub(crate) fn read(&mut self, files: &BTreeSet<FileRef>) -> Result<BTreeMap<FileRef, Vec<u8>>> {
        let mut contents = BTreeMap::new();
        let mut missing: BTreeSet<FileRef> = BTreeSet::new();
        let mut total = 0u64;
        for file in files {
            total = total.saturating_add(file.size);
            if file.size > limits::IMAGE_FILE_BYTES || total > limits::DOCUMENT_BYTES {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "the files that describe the packages of the image have over {} bytes, or one of them over {}; \
                         see what it holds",
                        limits::DOCUMENT_BYTES,
                        limits::IMAGE_FILE_BYTES
                    ),
                ));
            }
            match self.kept.remove(file) {
                Some(content) => {
                    contents.insert(file.clone(), content);
                }
                None => {
                    missing.insert(file.clone());
                }
            }
        }
        self.kept.clear();
        if !missing.is_empty() {
            contents.extend(layer::fetch(&mut self.source, &self.chosen.layers, &mut self.budget, &missing)?);
        }
        Ok(contents)
    }
}

/// Reads a layer, laid over itself, for tests of hostile input.
///
/// # Errors
/// `MALFORMED`, `UNSUPPORTED` or `LIMIT_EXCEEDED` if it is none that can be read.
pub fn check_layer(bytes: &[u8]) -> Result<()> {
    let mut left = limits::IMAGE_UNPACKED_BYTES;
    let mut tar = tar::Tar::new(unpack::Unpack::new(bytes, &mut left)?);
    let mut tree = Tree::default();
    while let Some(entry) = tar.next()? {
        for layer in [0, 1] {
            tree.add(layer, |size| FileRef::new(layer, 0, size), entry.clone())?;
        }
    }
    tree.each_file(&mut |_, _, _| {});
    Ok(())
}
