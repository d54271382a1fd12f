//! Reads layers: what stands in them, and single files of them (OCI image specification v1.1, layer).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::blob::{self, Hashed};
use super::manifest::Descriptor;
use super::source::Source;
use super::tar::{self, Entry, Kind, Tar};
use super::tree::FileRef;
use super::unpack::Unpack;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Media types of layers; what they say of compression, runtimes read from the bytes, and so do we.
const LAYERS: [&str; 2] = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];
const PACKING: [&str; 5] = [".tar", ".tar+gzip", ".tar+zstd", ".tar.gzip", ".tar.zstd"];

pub(super) struct Layer {
    /// Where it lies.
    pub(super) place: String,
    /// What its manifest says of it; in an archive without manifests none.
    blob: Option<(Digest, u64)>,
    /// The digest of its unpacked content.
    diff_id: Digest,
}

/// What the layers of an image may still take.
pub(super) struct Budget {
    unpacked: u64,
    entries: usize,
    name_bytes: u64,
    kept: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            unpacked: limits::IMAGE_UNPACKED_BYTES,
            entries: limits::IMAGE_ENTRIES,
            name_bytes: limits::IMAGE_NAME_BYTES,
            kept: limits::DOCUMENT_BYTES,
        }
    }
}

impl Layer {
    pub(super) fn of_blob(descriptor: Descriptor, diff_id: Digest) -> Result<Self> {
        let kind = &*descriptor.media_type;
        let is_layer = LAYERS.iter().any(|start| kind.starts_with(start)) && PACKING.iter().any(|end| kind.ends_with(end));
        if !is_layer {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a layer of the image is `{}`; tar, tar with gzip and tar with zstd are read", kind.escape_debug()),
            ));
        }
        let place = blob::place_of(&descriptor.digest)?;
        Ok(Self { place, blob: Some((descriptor.digest, descriptor.size)), diff_id })
    }

    pub(super) fn of_path(place: String, diff_id: Digest) -> Self {
        Self { place, blob: None, diff_id }
    }

    /// What names it: its digest in the manifest, else that of its content.
    pub(super) fn digest(&self) -> &Digest {
        self.blob.as_ref().map_or(&self.diff_id, |(digest, _)| digest)
    }

    /// Gives its entries to `see`, and then checks that it was what the image names. What `see` gathered counts only if
    /// this passes.
    fn read(&self, size: u64, reader: &mut dyn Read, unpacked: &mut u64, see: See<'_>) -> Result<()> {
        let Some((digest, told)) = &self.blob else { return self.read_unpacked(reader, unpacked, see) };
        blob::check_size(digest, *told, size)?;
        let mut hashed = Hashed::new(reader, digest)?;
        let read = self.read_unpacked(&mut hashed, unpacked, see);
        match &read {
            // a bomb is not read to its end
            Err(e) if e.kind() == ErrorKind::LimitExceeded => read,
            // other bytes than they should be are that first
            _ => hashed.finish("a layer", digest).and(read),
        }
    }

    fn read_unpacked(&self, reader: &mut dyn Read, unpacked: &mut u64, see: See<'_>) -> Result<()> {
        let unpack = Unpack::new(reader, unpacked)?;
        let mut tar = Tar::new(Hashed::new(unpack, &self.diff_id)?);
        let mut ordinal = 0;
        while let Some(entry) = tar.next()? {
            see(ordinal, entry, &mut tar)?;
            ordinal += 1;
        }
        tar.into_stream().finish("the content of a layer", &self.diff_id)
    }
}

/// The number of an entry, the entry, and what gives its content.
type See<'a> = &'a mut dyn FnMut(u64, Entry, &mut dyn Read) -> Result<()>;

/// What stands in each of the layers, by its place. Contents that `keep` is for are kept as long as there is room.
pub(super) fn scan(
    source: &mut Source,
    layers: &[Layer],
    budget: &mut Budget,
    keep: fn(&[u8]) -> bool,
    kept: &mut BTreeMap<FileRef, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<Entry>>> {
    let mut scanned: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    visit(source, layers, &wanted(layers), |number, layer, size, reader| {
        let mut entries = Vec::new();
        let Budget { unpacked, entries: left, name_bytes, kept: room } = &mut *budget;
        layer.read(size, reader, unpacked, &mut |ordinal, entry, content| {
            let links = match &entry.kind {
                Kind::Symlink(target) | Kind::Hardlink(target) => target.len(),
                _ => 0,
            };
            let length = (entry.path.len() + links) as u64;
            match (left.checked_sub(1), name_bytes.checked_sub(length)) {
                (Some(fewer), Some(shorter)) => (*left, *name_bytes) = (fewer, shorter),
                _ => {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format!(
                            "the image holds over {} files, or names of over {} bytes; see whether it is a bomb",
                            limits::IMAGE_ENTRIES,
                            limits::IMAGE_NAME_BYTES
                        ),
                    ));
                }
            }
            if let Kind::File { size } = entry.kind
                && size <= limits::IMAGE_FILE_BYTES
                && keep(&entry.path)
                && let Some(less) = room.checked_sub(size)
            {
                *room = less;
                kept.insert(FileRef::new(number, ordinal, size), tar::content(content)?);
            }
            entries.push(entry);
            Ok(())
        })?;
        scanned.insert(layer.place.clone(), entries);
        Ok(())
    })?;
    for layer in layers {
        if !scanned.contains_key(&layer.place) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the layer `{}` of the image is not there; copy the image with all of its layers",
                    layer.digest()
                ),
            ));
        }
    }
    Ok(scanned)
}

/// The contents of `files`.
pub(super) fn fetch(
    source: &mut Source,
    layers: &[Layer],
    budget: &mut Budget,
    files: &BTreeSet<FileRef>,
) -> Result<BTreeMap<FileRef, Vec<u8>>> {
    let needed: BTreeSet<usize> = files.iter().map(|file| file.layer).collect();
    let needed = needed.iter().filter_map(|number| layers.get(*number)).map(|layer| layer.place.clone()).collect();
    let mut contents = BTreeMap::new();
    visit(source, layers, &needed, |_, layer, size, reader| {
        let numbers: Vec<usize> = (0..).zip(layers).filter(|(_, l)| l.place == layer.place).map(|(n, _)| n).collect();
        layer.read(size, reader, &mut budget.unpacked, &mut |ordinal, entry, content| {
            let Kind::File { size } = entry.kind else { return Ok(()) };
            let mut wanted = numbers.iter().map(|number| FileRef::new(*number, ordinal, size));
            if let Some(file) = wanted.find(|file| files.contains(file)) {
                let content = tar::content(content)?;
                contents.extend(wanted.filter(|same| files.contains(same)).map(|same| (same, content.clone())));
                contents.insert(file, content);
            }
            Ok(())
        })
    })?;
    match files.iter().find(|file| !contents.contains_key(*file)) {
        None => Ok(contents),
        Some(_) => Err(Error::new(ErrorKind::Malformed, "the image changed while it was read; read it again")),
    }
}

fn wanted(layers: &[Layer]) -> BTreeSet<String> {
    layers.iter().map(|layer| layer.place.clone()).collect()
}

/// Gives each of the `places` once, with the number of the first layer that lies there.
fn visit(
    source: &mut Source,
    layers: &[Layer],
    places: &BTreeSet<String>,
    mut take: impl FnMut(usize, &Layer, u64, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let mut first: BTreeMap<&str, (usize, &Layer)> = BTreeMap::new();
    for (number, layer) in layers.iter().enumerate() {
        let (_, same) = first.entry(&layer.place).or_insert((number, layer));
        if same.diff_id != layer.diff_id || same.blob != layer.blob {
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!("the layer `{}` is said to have two contents; fetch the image anew", layer.digest()),
            ));
        }
    }
    source.visit(places, &mut |place, size, reader| match first.get(place) {
        Some((number, layer)) => {
            take(*number, layer, size, reader).map_err(|e| e.while_doing(format_args!("layer `{}`", layer.digest())))
        }
        None => Ok(()),
    })
}
