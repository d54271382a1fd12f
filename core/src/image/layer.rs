//! Reads layers: what stands in them, and single files of them (OCI image specification v1.1, layer).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::Search;
use super::blob::{self, Hashed};
use super::manifest::Descriptor;
use super::source::Source;
use super::tar::{self, Entry, Kind, Tar};
use super::tree::FileRef;
use super::unpack::{Unpack, fault_of};
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
        let is_layer =
            LAYERS.iter().any(|start| kind.starts_with(start)) && PACKING.iter().any(|end| kind.ends_with(end));
        if !is_layer {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "a layer of the image is `{}`; tar, tar with gzip and tar with zstd are read",
                    kind.escape_debug()
                ),
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

/// What one reading of all layers gives.
#[derive(Default)]
pub(super) struct Scan {
    /// What stands in each layer, by the place of the layer.
    pub(super) entries: BTreeMap<String, Vec<Entry>>,
    /// Contents of files that are likely asked for, as long as there was room.
    pub(super) kept: BTreeMap<FileRef, Vec<u8>>,
    /// What was found in others.
    pub(super) found: BTreeMap<FileRef, Vec<u8>>,
}

pub(super) fn scan(source: &mut Source, layers: &[Layer], budget: &mut Budget, search: Search) -> Result<Scan> {
    let mut scan = Scan::default();
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
            if let Kind::File { size } = entry.kind {
                let file = FileRef::new(number, ordinal, size);
                if !(search.is_likely)(&entry.path) {
                    if let Some(found) = (search.look)(content).map_err(fault_of)? {
                        *room = room.checked_sub(found.len() as u64).ok_or_else(too_much)?;
                        scan.found.insert(file, found);
                    }
                } else if size <= limits::IMAGE_FILE_BYTES
                    && let Some(less) = room.checked_sub(size)
                {
                    *room = less;
                    scan.kept.insert(file, tar::content(content)?);
                }
            }
            entries.push(entry);
            Ok(())
        })?;
        scan.entries.insert(layer.place.clone(), entries);
        Ok(())
    })?;
    for layer in layers {
        if !scan.entries.contains_key(&layer.place) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the layer `{}` of the image is not there; copy the image with all of its layers",
                    layer.digest()
                ),
            ));
        }
    }
    Ok(scan)
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
    visit(source, layers, &needed, |number, layer, size, reader| {
        layer.read(size, reader, &mut budget.unpacked, &mut |ordinal, entry, content| {
            let Kind::File { size } = entry.kind else { return Ok(()) };
            let file = FileRef::new(number, ordinal, size);
            if files.contains(&file) {
                contents.insert(file, tar::content(content)?);
            }
            Ok(())
        })
    })?;
    match files.iter().find(|file| !contents.contains_key(*file)) {
        None => Ok(contents),
        Some(_) => Err(Error::new(ErrorKind::Malformed, "the image changed while it was read; read it again")),
    }
}

fn too_much() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!(
            "what the programs of the image tell has over {} bytes; see whether it is a bomb",
            limits::DOCUMENT_BYTES
        ),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The end of an archive, after `files` empty files.
    fn archive(files: usize) -> Vec<u8> {
        let mut header = [0; 512];
        header[0] = b'a';
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        [header.repeat(files), vec![0; 1024]].concat()
    }

    #[test]
    fn the_layers_of_an_image_share_one_bound_of_files_and_names() {
        let dir = tempfile::tempdir().unwrap();
        let layer = |files: usize| {
            let (bytes, place) = (archive(files), files.to_string());
            std::fs::write(dir.path().join(&place), &bytes).unwrap();
            Layer::of_path(place, Digest::sha256(&bytes))
        };
        let layers = [layer(2), layer(3)];
        let mut source = Source::open(dir.path()).unwrap();
        let mut code = |budget: Budget| {
            let mut budget = budget;
            let scanned = scan(&mut source, &layers, &mut budget, Search { is_likely: |_| false, look: |_| Ok(None) });
            scanned.map_or_else(|e| e.code(), |_| "")
        };
        assert_eq!(code(Budget { entries: 5, name_bytes: 5, ..Budget::default() }), "");
        assert_eq!(code(Budget { entries: 4, ..Budget::default() }), "LIMIT_EXCEEDED");
        assert_eq!(code(Budget { name_bytes: 4, ..Budget::default() }), "LIMIT_EXCEEDED");
        assert_eq!(code(Budget { unpacked: 4000, ..Budget::default() }), "LIMIT_EXCEEDED");
    }
}
