//! Every bound on what is read from outside, in one place.
//!
//! Sizes are in bytes. A value over its bound is refused with
//! [`ErrorKind::LimitExceeded`] before it is held in memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// A record (Sigstore bundle or DSSE envelope) as a file.
pub const RECORD_BYTES: u64 = 32 * 1024 * 1024;
/// The Statement inside a record, decoded.
pub const PAYLOAD_BYTES: usize = 24 * 1024 * 1024;
/// A key file.
pub const KEY_BYTES: u64 = 64 * 1024;
/// A lock file, SBOM or report that is read whole.
pub const DOCUMENT_BYTES: u64 = 256 * 1024 * 1024;
/// A report in JSON: as a tree of values it takes many times its length.
pub const REPORT_BYTES: u64 = 64 * 1024 * 1024;
/// One entry of a log.
pub const LOG_LINE_BYTES: usize = 8 * 1024 * 1024;
/// Records that one log may become, beside its segment.
pub const LOG_RECORDS: usize = 10_000;
/// An SBOM that is read whole; larger ones are of systems that are better told in parts.
pub const SBOM_BYTES: u64 = 128 * 1024 * 1024;
/// Values of one SBOM: each object, list, text and number. The smallest object takes some 600 bytes of memory.
pub const SBOM_VALUES: usize = 3_000_000;
/// Versions of one package in one lock file of Python, each of which a need may mean.
pub const LOCKED_VERSIONS: usize = 100;
/// A manifest beside a lock file, such as `package.json`.
pub const MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// Comparisons of one range of versions.
pub const VERSION_COMPARISONS: usize = 500;
/// A policy bundle.
pub const POLICY_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;
/// An attachment that the ledger keeps whole.
pub const ATTACHMENT_BYTES: u64 = 1024 * 1024 * 1024;
/// A ledger entry (sealwright-entry/v1).
pub const ENTRY_BYTES: usize = 1024;
/// The header of an encrypted body or attachment.
pub const SEALED_HEADER_BYTES: usize = 1024;
/// Keys of one keyring.
pub const KEYRING_KEYS: usize = 1000;
/// The keyring of an encrypted ledger.
pub const KEYRING_FILE_BYTES: usize = 1024 * 1024;
/// A retention schedule.
pub const SCHEDULE_BYTES: usize = 1024 * 1024;
/// A checkpoint with its cosignatures.
pub const CHECKPOINT_BYTES: u64 = 64 * 1024;
/// Signature lines read of one signed note.
pub const NOTE_SIGNATURES: usize = 64;
/// Rotations of the key of one log.
pub const LOG_KEY_ROTATIONS: usize = 256;
/// Cosignatures and timestamps this far from now count for a decision above dev, in milliseconds (predicates section 1.3).
pub const ANCHOR_MILLIS: i64 = 5 * 60 * 1000;
/// Proofs of forks kept of one ledger.
pub const FORKS: usize = 1000;
/// A consistency proof that a witness is sent (C2SP tlog-witness).
pub const WITNESS_PROOF_HASHES: usize = 63;
/// What a witness is sent, and what it answers.
pub const WITNESS_BYTES: usize = 128 * 1024;
/// A timestamp over a checkpoint.
pub const TIMESTAMP_BYTES: u64 = 64 * 1024;
/// An attachment that a mirror copies; it is never held in memory.
pub const MIRRORED_ATTACHMENT_BYTES: u64 = 1024 * 1024 * 1024 * 1024;
/// Keyrings of an encrypted ledger that wait in a mirror for its key.
pub const MIRRORED_KEYRINGS: usize = 8;
/// Longest wait for one file of a ledger over HTTP, in milliseconds.
pub const MIRROR_REQUEST_MILLIS: u64 = 300_000;
/// Nesting of JSON arrays and objects.
pub const JSON_DEPTH: usize = 128;
/// Signatures read of one DSSE envelope.
pub const ENVELOPE_SIGNATURES: usize = 32;
/// Log entries, and timestamps, and certificates of one bundle: so many of each.
pub const BUNDLE_PARTS: usize = 16;
/// Hashes of one inclusion proof.
pub const PROOF_HASHES: usize = 64;
/// A Sigstore trusted root.
pub const TRUSTED_ROOT_BYTES: usize = 4 * 1024 * 1024;
/// Logs and authorities of one Sigstore trusted root.
pub const TRUSTED_ROOT_PARTS: usize = 1000;
/// A pattern for an identity.
pub const PATTERN_BYTES: usize = 4096;
/// A pattern for an identity, compiled.
pub const PATTERN_PROGRAM_BYTES: usize = 1024 * 1024;
/// Findings of one guard rule in one text or value: past these, no further place tells more.
pub const GUARD_HITS: usize = 1000;
/// Subjects of one Statement.
pub const SUBJECTS: usize = 100_000;
/// A Git commit or tag object.
pub const COMMIT_BYTES: usize = 4 * 1024 * 1024;
/// The signature of a Git commit or tag.
pub const COMMIT_SIGNATURE_BYTES: usize = 64 * 1024;
/// Commits of one range.
pub const COMMITS: usize = 10_000;
/// A file of many public keys: a keyring or allowed signers.
pub const KEYRING_BYTES: usize = 4 * 1024 * 1024;
/// Files of a folder that is hashed or verified whole.
pub const FOLDER_FILES: usize = 1_000_000;
/// Depth of a folder that is walked.
pub const FOLDER_DEPTH: usize = 64;
/// Time of one policy evaluation, in milliseconds (policy section 1.5).
pub const POLICY_MILLIS: u64 = 10_000;
/// A classic in-toto layout or link.
pub const LAYOUT_BYTES: u64 = 16 * 1024 * 1024;
/// Steps, or keys, of one layout.
pub const LAYOUT_STEPS: usize = 1000;
/// Artifact rules for one side of a step of a layout.
pub const LAYOUT_RULES: usize = 1000;
/// Materials, or products, of one link.
pub const LAYOUT_ARTIFACTS: usize = 100_000;
/// A path or a pattern in a layout or link.
pub const LAYOUT_PATH_BYTES: usize = 4096;
/// Links read for one layout, those of its sublayouts included.
pub const LAYOUT_LINKS: usize = 10_000;
/// Artifacts that rules are applied to in one verification, counted once for each rule.
pub const LAYOUT_MATCHES: usize = 20_000_000;
/// Sublayouts within sublayouts.
pub const LAYOUT_DEPTH: usize = 8;
/// A manifest or index of an OCI registry (the least that registries must take, by the distribution specification).
pub const OCI_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// Entries of one OCI index, layers of one manifest, or referrers of one image.
pub const OCI_ENTRIES: usize = 1000;
/// Pages that a registry may split a list of referrers into.
pub const OCI_PAGES: usize = 100;
/// Hops from a registry to where it keeps a blob.
pub const OCI_REDIRECTS: usize = 5;
/// Unpacked bytes of all layers of one image, each time they are read.
pub const IMAGE_UNPACKED_BYTES: u64 = 32 * 1024 * 1024 * 1024;
/// How many times its length a layer may unpack to, past [`IMAGE_UNPACKED_FREELY`].
pub const IMAGE_RATIO: u64 = 100;
/// Bytes that a layer may unpack to whatever its length is.
pub const IMAGE_UNPACKED_FREELY: u64 = 256 * 1024 * 1024;
/// Files, folders and links in all layers of one image.
pub const IMAGE_ENTRIES: usize = 1_000_000;
/// Their paths and the targets of their links together, and the extended headers of one layer.
pub const IMAGE_NAME_BYTES: u64 = 256 * 1024 * 1024;
/// One path, or the target of a link, in an image.
pub const IMAGE_PATH_BYTES: usize = 4096;
/// Folders within folders in an image.
pub const IMAGE_DEPTH: usize = 256;
/// Links followed on the way to one file of an image.
pub const IMAGE_LINKS: usize = 40;
/// Names looked up in laying the layers of an image over each other and finding files in them.
pub const IMAGE_STEPS: u64 = 100_000_000;
/// An extended header of a tar archive.
pub const IMAGE_HEADER_BYTES: u64 = 1024 * 1024;
/// A file of an image that is read, such as a database of packages.
pub const IMAGE_FILE_BYTES: u64 = 128 * 1024 * 1024;
/// Names looked up to find what the packages of one package manager need.
pub const IMAGE_LOOKUPS: usize = 20_000_000;
/// Files of a tarball with images in it.
pub const IMAGE_ARCHIVE_ENTRIES: usize = 20_000;
/// Manifests, indexes and configs read of one layout or archive.
pub const IMAGE_MANIFESTS_BYTES: u64 = 64 * 1024 * 1024;
/// Indexes within indexes of an image layout.
pub const IMAGE_INDEXES: usize = 5;
/// Longest time for one request to a registry, in milliseconds.
pub const OCI_REQUEST_MILLIS: u64 = 60_000;
/// What one append to a ledger may bring in all.
pub const LEDGER_BATCH_BYTES: usize = 1024 * 1024 * 1024;
/// The journal of a ledger's folder: one append, and what it may hold before.
pub const LEDGER_JOURNAL_BYTES: u64 = LEDGER_BATCH_BYTES as u64 + 256 * 1024 * 1024;
/// Longest wait for another process that holds the ledger, in milliseconds.
pub const LEDGER_LOCK_MILLIS: u64 = 60_000;
/// All that one append writes into a bucket, in bytes.
pub const LEDGER_PENDING_BYTES: u64 = 1024 * 1024 * 1024;
/// An answer of a bucket that is no object.
pub const OBJECT_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// The environment of a build, as JSON.
pub const ENVIRONMENT_BYTES: usize = 4 * 1024 * 1024;
/// One variable of it that is put into a record.
pub const VARIABLE_BYTES: usize = 8 * 1024;
/// The description of a CI system.
pub const CI_SYSTEM_BYTES: usize = 64 * 1024;
/// What a signer command may answer, in bytes.
pub const SIGNER_ANSWER_BYTES: u64 = 64 * 1024;
/// Longest wait for one answer of a signer command or a key service, in milliseconds.
pub const SIGNER_MILLIS: u64 = 60_000;
/// Trusted roots of one archive.
pub const ARCHIVED_ROOTS: usize = 10_000;
/// An identity token.
pub const TOKEN_BYTES: usize = 16 * 1024;
/// An answer of a service that signs.
pub const SERVICE_ANSWER_BYTES: usize = 1024 * 1024;
/// Longest wait for a connection to a service, in milliseconds.
pub const SERVICE_CONNECT_MILLIS: u64 = 10_000;
/// Longest wait for an answer of a service, in milliseconds: a log answers after its next checkpoint.
pub const SERVICE_MILLIS: u64 = 60_000;
/// Rows of one page of search results.
pub const SEARCH_ROWS: usize = 10_000;

/// Records of one submission to a ledger behind an address.
pub const SUBMISSION_RECORDS: usize = 1000;
/// Such a submission as it crosses the wire: one record of the largest size fits, in base64.
pub const SUBMISSION_BYTES: u64 = 64 * 1024 * 1024;
/// How often a request to a ledger behind an address is made before it is given up.
pub const REMOTE_ATTEMPTS: u32 = 5;
/// Longest time for one request to a ledger behind an address, in milliseconds.
pub const REMOTE_MILLIS: u64 = 120_000;
/// Longest time to send or fetch an attachment of such a ledger, in milliseconds.
pub const REMOTE_FILE_MILLIS: u64 = 7_200_000;
/// Longest wait between two attempts, in milliseconds, whatever the service asks for.
pub const REMOTE_PAUSE_MILLIS: u64 = 30_000;
/// An answer of such a service that is no content of the ledger: a refusal, or a list of indexes.
pub const REMOTE_ANSWER_BYTES: u64 = 1024 * 1024;
/// Tiles of a ledger behind an address that are kept in memory.
pub const REMOTE_TILES: usize = 1024;
/// The keys of an issuer of identity tokens (a JWK set).
pub const JWKS_BYTES: u64 = 256 * 1024;
/// Keys of one such set.
pub const JWKS_KEYS: usize = 100;
/// Records that wait in one spool folder.
pub const SPOOLED_RECORDS: usize = 100_000;

/// Opens a file to read, of any length; `what` names it in errors. A folder is none, and neither is a named pipe: opening
/// one waits for a writer that may never come. What the shell hands over in `/dev/fd` is read as it comes.
///
/// # Errors
/// `MALFORMED` for a folder, a named pipe or a socket; `NOT_FOUND`, `PERMISSION_DENIED` or `IO`.
pub(crate) fn open_file(what: &str, path: &Path) -> Result<File> {
    let found = |found: &str, advice: &str| {
        Error::new(ErrorKind::Malformed, format!("expected {what} at `{}`, found {found}; {advice}", path.display()))
            .with("path", path.display())
    };
    let failed = |e| Error::io(&format!("read {what}"), path, e);
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(found("a folder", "name a file in it"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let handed_over = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
        if meta.file_type().is_socket() || (meta.file_type().is_fifo() && !handed_over) {
            return Err(found("a pipe or a socket", "write what it gives to a file, and name that"));
        }
    }
    File::open(path).map_err(failed)
}

/// Reads a whole file of at most `limit` bytes; `what` names it in errors ("key file", "lock file").
///
/// # Errors
/// `NOT_FOUND`, `PERMISSION_DENIED`, `IO` if it can't be read, `LIMIT_EXCEEDED` if it is longer.
pub fn read_file(what: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |e| Error::io(&format!("read {what}"), path, e);
    let file = open_file(what, path)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.len() > limit {
        return Err(too_long(what, path, limit));
    }
    // the file may grow, or be a pipe of length 0, so the bound holds for what is read, too
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_long(what, path, limit));
    }
    Ok(bytes)
}

pub(crate) fn too_long(what: &str, path: &Path, limit: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("{what} `{}` is longer than {limit} bytes; check that it is the file you mean", path.display()),
    )
    .with("limit", limit)
}
