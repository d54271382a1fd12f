//! Blobs, held against their digests while they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::manifest::Descriptor;
use super::source::Source;
use super::tar::Stream;
use super::unpack::fault_of;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Where a blob lies in a layout (OCI image-layout, "Content Addressable Storage").
pub(super) fn place_of(digest: &Digest) -> Result<String> {
    if !digest.algorithm().is_over_bytes() {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!("`{digest}` names no blob; expected `sha256:<hex>`, so the image is broken"),
        ));
    }
    Ok(format!("blobs/{}/{}", digest.algorithm().name(), digest.hex()))
}

/// Bytes that are hashed as they are read. What they are used for counts once [`Hashed::finish`] has passed.
pub(super) struct Hashed<R> {
    reader: R,
    hasher: Hasher,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(reader: R, digest: &Digest) -> Result<Self> {
        Ok(Self { reader, hasher: Hasher::new(digest.algorithm())? })
    }

    /// Reads to the end, and says whether all was what `digest` names; `what` it is, in errors.
    pub(super) fn finish(mut self, what: &str, digest: &Digest) -> Result<()> {
        io::copy(&mut self, &mut io::sink()).map_err(fault_of)?;
        let found = self.hasher.finish();
        if found == *digest {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DigestMismatch,
            format!("{what} is not `{digest}` but `{found}`; don't use the image, fetch it anew"),
        )
        .with("expected", digest)
        .with("found", found))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        self.hasher.update(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Refuses a blob that has another size than its descriptor says: it need not be read.
pub(super) fn check_size(digest: &Digest, told: u64, found: u64) -> Result<()> {
    if told == found {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::DigestMismatch,
        format!("`{digest}` has {found} bytes, and by the image {told}; don't use the image, fetch it anew"),
    )
    .with("expected", told)
    .with("found", found))
}

/// The contents of the blobs that are there, of those that `descriptors` point to; they are read whole, so they are small.
pub(super) fn read(
    source: &mut Source,
    descriptors: &[&Descriptor],
    left: &mut u64,
) -> Result<BTreeMap<Digest, Vec<u8>>> {
    let mut wanted: BTreeMap<String, &Descriptor> = BTreeMap::new();
    for descriptor in descriptors {
        wanted.insert(place_of(&descriptor.digest)?, descriptor);
    }
    let names: BTreeSet<String> = wanted.keys().cloned().collect();
    let mut blobs = BTreeMap::new();
    for (name, content) in source.read(&names, limits::OCI_MANIFEST_BYTES)? {
        let Some(descriptor) = wanted.get(&name) else { continue };
        *left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "the manifests have over {} bytes; name the image by its digest",
                    limits::IMAGE_MANIFESTS_BYTES
                ),
            )
        })?;
        check_size(&descriptor.digest, descriptor.size, content.len() as u64)?;
        Hashed::new(&*content, &descriptor.digest)?.finish("a manifest", &descriptor.digest)?;
        blobs.insert(descriptor.digest.clone(), content);
    }
    Ok(blobs)
}

impl<R: Read> Stream for Hashed<R> {}
