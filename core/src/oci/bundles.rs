//! Bundles of an image: attaching, finding, copying.

use serde::{Deserialize, Serialize, Serializer};

use super::Registry;
use super::legacy::{self, Legacy};
use super::manifest::{Annotations, Descriptor, Document, EMPTY, MANIFEST, Manifest};
use super::reference::Reference;
use super::referrers::fallback_tag;
use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::envelope::Envelope;
use crate::error::{Error, ErrorClass, ErrorKind, Result};
use crate::json::{self, Value};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// What the media types of all bundles begin with.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
const CREATED: &str = "org.opencontainers.image.created";

/// A bundle that a registry keeps for an image. Nothing of it is verified. As data it has neither `bundle` nor `payload`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Found {
    /// The bundle, or a bare DSSE envelope that cosign wrote for a key.
    #[serde(skip)]
    pub bundle: Vec<u8>,
    /// What the bundle signs, if that is no statement: a simple-signing payload of cosign. Verify the bundle over it,
    /// then compare [`super::signed_image`] with the digest of the image.
    #[serde(skip)]
    pub payload: Option<Vec<u8>>,
    /// Digest of the manifest that holds it.
    pub manifest: Digest,
    /// Where it was found.
    pub place: Place,
    /// The annotations of the manifest, or of the layer for what cosign wrote before bundles.
    pub annotations: Annotations,
}

/// Where a bundle was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Place {
    /// A manifest that refers to the image.
    Referrer,
    /// The tag `sha256-<hex>.att` of older cosign versions.
    CosignAttestation,
    /// The tag `sha256-<hex>.sig` of older cosign versions.
    CosignSignature,
}

/// Something that should be a bundle and could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// Digest of the manifest or layer, or of the image where that is not known.
    pub digest: Digest,
    /// Why.
    pub error: Error,
}

/// The bundles of an image. One that cannot be read hides no other, and is not passed over in silence.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Bundles {
    /// Those that could be read.
    pub found: Vec<Found>,
    /// Those that could not.
    pub unreadable: Vec<Unreadable>,
}

impl Serialize for Unreadable {
    /// Its `digest`, and `code` and `message` of the error.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            digest: &'a Digest,
            code: &'static str,
            message: &'a str,
        }
        Wire { digest: &self.digest, code: self.error.code(), message: self.error.message() }.serialize(serializer)
    }
}

impl Registry {
    /// Stores a bundle beside the image it is about, and gives the digest of the manifest made for it. Storing the same
    /// bundle again at the same time `at` changes nothing.
    ///
    /// # Errors
    /// `API_MISUSE` if the image is not named by digest; `UNSUPPORTED` if this is no bundle of a statement; `DIGEST_MISMATCH`
    /// if the statement is about something else, such as the index of the image or one of its platforms; otherwise as
    /// [`Registry::resolve`].
    pub fn attach(&self, image: &Reference, bundle: &[u8], at: Timestamp) -> Result<Digest> {
        let digest = image.pinned()?;
        let (media_type, predicate_type) = about(bundle, digest)?;
        let subject = self.transport.manifest_at(image, digest)?.descriptor();
        let annotations = Annotations::from([
            (CONTENT.to_owned(), "dsse-envelope".to_owned()),
            (PREDICATE_TYPE.to_owned(), predicate_type),
            (CREATED.to_owned(), at.to_string()),
        ]);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            artifact_type: Some(media_type.clone()),
            config: Descriptor::of(EMPTY, b"{}"),
            layers: vec![Descriptor::of(&media_type, bundle)],
            subject: Some(subject),
            annotations: Some(annotations),
        };
        self.transport.put_blob(image, b"{}")?;
        self.transport.put_blob(image, bundle)?;
        self.put_referrer(image, digest, &manifest, &json::canonical("manifest", &manifest)?)
    }

    /// All bundles that the registry keeps for the image: those that refer to it, and what cosign wrote before bundles.
    ///
    /// # Errors
    /// `API_MISUSE` if the image is not named by digest; otherwise as [`Registry::resolve`].
    pub fn bundles(&self, image: &Reference) -> Result<Bundles> {
        let digest = image.pinned()?;
        let mut bundles = Bundles::default();
        let (entries, error) = self.transport.referrers(image, digest)?;
        bundles.unreadable.extend(error.map(|error| Unreadable { digest: digest.clone(), error }));
        for entry in entries {
            if !may_be_bundle(&entry) {
                continue;
            }
            match self.referrer(image, digest, &entry) {
                Ok(Some((_, found))) => bundles.found.push(found),
                Ok(None) => {}
                Err(error) => bundles.unreadable.push(Unreadable { digest: entry.digest, error }),
            }
        }
        for (suffix, place) in [("att", Place::CosignAttestation), ("sig", Place::CosignSignature)] {
            match self.legacy(image, &format!("{}.{suffix}", fallback_tag(digest)), place, &mut bundles) {
                // what lies under the tag is at fault, not the way to it
                Err(error) if matches!(error.kind().class(), ErrorClass::InvalidInput) => {
                    bundles.unreadable.push(Unreadable { digest: digest.clone(), error });
                }
                other => other?,
            }
        }
        Ok(bundles)
    }

    /// Copies the bundles that refer to `from` to where the same image lies in another repository, byte for byte, so that
    /// digests and annotations are kept. Gives the digests of their manifests.
    ///
    /// # Errors
    /// `API_MISUSE` if the two are not named by the same digest; the error of the first bundle that can't be read;
    /// otherwise as [`Registry::resolve`].
    pub fn copy_bundles(&self, from: &Reference, to: &Reference) -> Result<Vec<Digest>> {
        let digest = from.pinned()?;
        if to.pinned()? != digest {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{from}` and `{to}` are different images, and bundles are about one; name the same digest"),
            ));
        }
        self.transport.manifest_at(to, digest)?;
        let mut copied = Vec::new();
        let (entries, error) = self.transport.referrers(from, digest)?;
        if let Some(error) = error {
            return Err(error);
        }
        for entry in entries.iter().filter(|entry| may_be_bundle(entry)) {
            let Some((manifest, found)) = self.referrer(from, digest, entry)? else { continue };
            let bytes = self.transport.manifest_at(from, &entry.digest)?.bytes;
            self.transport.put_blob(to, &self.transport.blob(from, &manifest.config)?)?;
            self.transport.put_blob(to, &found.bundle)?;
            copied.push(self.put_referrer(to, digest, &manifest, &bytes)?);
        }
        Ok(copied)
    }

    /// Puts a manifest with a subject, and lists it by tag if the registry does not list it by itself.
    fn put_referrer(&self, image: &Reference, subject: &Digest, manifest: &Manifest, bytes: &[u8]) -> Result<Digest> {
        let mut entry = Descriptor::of(MANIFEST, bytes);
        let answer = self.transport.put_manifest(image, &entry.digest.to_string(), MANIFEST, bytes)?;
        // with this header a registry says that it knows subjects
        if answer.header("oci-subject") != Some(subject.to_string().as_str()) {
            entry.artifact_type.clone_from(&manifest.artifact_type);
            entry.annotations.clone_from(&manifest.annotations);
            self.transport.add_to_fallback(image, subject, &entry)?;
        }
        Ok(entry.digest)
    }

    /// The bundle of a manifest that is said to refer to `subject`; `None` if it is another artifact.
    fn referrer(&self, image: &Reference, subject: &Digest, entry: &Descriptor) -> Result<Option<(Manifest, Found)>> {
        let fetched = self.transport.manifest_at(image, &entry.digest)?;
        let Document::Manifest(manifest) = fetched.document else { return Ok(None) };
        let kind = manifest.artifact_type.as_deref().unwrap_or(&manifest.config.media_type);
        if !kind.starts_with(BUNDLE) {
            return Ok(None);
        }
        if manifest.subject.as_ref().map(|s| &s.digest) != Some(subject) {
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!("`{}` is listed for `{subject}`, and its subject is another", entry.digest),
            )
            .with("expected", subject));
        }
        let [layer] = manifest.layers.as_slice() else {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` holds {} layers, expected one bundle", entry.digest, manifest.layers.len()),
            ));
        };
        let found = Found {
            bundle: self.transport.blob(image, layer)?,
            payload: None,
            manifest: entry.digest.clone(),
            place: Place::Referrer,
            annotations: manifest.annotations.clone().unwrap_or_default(),
        };
        Ok(Some((manifest, found)))
    }

    /// What cosign wrote under a tag before it wrote bundles.
    fn legacy(&self, image: &Reference, tag: &str, place: Place, bundles: &mut Bundles) -> Result<()> {
        let Some(fetched) = self.transport.manifest(image, tag, None)? else { return Ok(()) };
        let Document::Manifest(manifest) = fetched.document else { return Ok(()) };
        for layer in manifest.layers.iter().filter(|layer| legacy::is_legacy(layer)) {
            let read = self.transport.blob(image, layer).and_then(|bytes| legacy::read(layer, bytes));
            let (bundle, payload) = match read {
                Ok(Legacy::Attestation(bundle)) => (bundle, None),
                Ok(Legacy::Signature { bundle, payload }) => (bundle, Some(payload)),
                Err(error) => {
                    bundles.unreadable.push(Unreadable { digest: layer.digest.clone(), error });
                    continue;
                }
            };
            let annotations = layer.annotations.clone().unwrap_or_default();
            let manifest = fetched.digest.clone();
            bundles.found.push(Found { bundle, payload, manifest, place, annotations });
        }
        Ok(())
    }
}

/// Not every registry gives the type of an artifact truly in its lists; those of other kinds are passed over.
fn may_be_bundle(entry: &Descriptor) -> bool {
    entry.artifact_type.as_deref().is_none_or(|kind| kind.starts_with(BUNDLE) || kind == EMPTY)
}

/// Media type and predicate type of a bundle that says it is about `digest`.
fn about(bundle: &[u8], digest: &Digest) -> Result<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        media_type: Option<String>,
        dsse_envelope: Option<Value>,
    }
    Bundle::parse(bundle)?;
    let wire: Wire = json::parse("bundle", bundle)?;
    let (Some(media_type), Some(envelope)) = (wire.media_type, wire.dsse_envelope) else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "expected a Sigstore bundle of a statement, found a bare envelope or a signature of a file; sign a statement",
        ));
    };
    let statement = Statement::parse(Envelope::parse(envelope.to_string().as_bytes())?.into_payload())?;
    if !statement.has_subject(digest) {
        let found = statement.subjects().iter().flat_map(|s| s.digests()).next().map(|d| d.to_string());
        let found = found.unwrap_or_default();
        return Err(Error::new(
            ErrorKind::DigestMismatch,
            format!(
                "the bundle is about `{found}`, and would be stored beside `{digest}`; name the digest it is about: an \
                 index and the images of its platforms are different artifacts"
            ),
        )
        .with("expected", digest)
        .with("found", found));
    }
    Ok((media_type, statement.predicate_type().to_owned()))
}
