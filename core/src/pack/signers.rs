//! `SIGNERS`: who may sign records and manifests of a pack, as whoever verifies knows it from elsewhere.

use std::path::Path;

use crate::bundle::{Bundle, Material};
use crate::envelope::IN_TOTO;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey, read_public};
use crate::limits;

/// The signers that a verifier of a pack believes.
///
/// Read from the file that `verify.sh` reads, one signer a line:
///
/// ```text
/// key  KEYID  p256|ed25519  PUBLIC.pem  [pack]
/// ```
///
/// KEYID is the DSSE `keyid` or the hint of the bundle; `pack` lets the signer sign manifests; all may sign records.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    key_id: String,
    key: PublicKey,
    may_pack: bool,
}

/// What a signature is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Manifest,
    Record,
}

impl Signers {
    /// Reads a SIGNERS file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PERMISSION_DENIED` or `IO` if it or a key can't be read, `MALFORMED` for another line,
    /// `UNTRUSTED_SIGNER` for a key of another type than its line says, `UNSUPPORTED` for `cert` lines, which only `verify.sh` reads for now.
    pub fn read(path: &Path) -> Result<Self> {
        let text = limits::read_file("SIGNERS", path, limits::DOCUMENT_BYTES)?;
        let text = String::from_utf8(text)
            .map_err(|e| Error::new(ErrorKind::Malformed, "SIGNERS is not plain text in UTF-8").caused_by(e))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut signers = Self::default();
        for (number, line) in text.lines().enumerate() {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let wrong = |kind, what: String| {
                Error::new(kind, format!("line {} of SIGNERS {what}: `{}`", number + 1, line.escape_debug()))
            };
            match fields.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["key", key_id, key_type, file, rest @ ..] if rest.is_empty() || rest == ["pack"] => {
                    let key_type: KeyType = key_type.parse()?;
                    let key = read_public(&folder.join(file))?;
                    if key.key_type() != key_type {
                        let found = key.key_type();
                        return Err(wrong(
                            ErrorKind::UntrustedSigner,
                            format!("says {key_type}, and its key is {found}"),
                        ));
                    }
                    signers = signers.with_key(*key_id, key, !rest.is_empty());
                }
                ["cert", ..] => {
                    return Err(wrong(
                        ErrorKind::Unsupported,
                        "names a certificate, which this version can't verify; use `verify.sh`, or name keys"
                            .to_owned(),
                    ));
                }
                _ => {
                    return Err(wrong(
                        ErrorKind::Malformed,
                        "is no signer; write `key KEYID p256|ed25519 PUBLIC.pem [pack]`".to_owned(),
                    ));
                }
            }
        }
        Ok(signers)
    }

    /// Believes signatures of `key` on records under `key_id`, and on manifests if it `may_pack`.
    #[must_use]
    pub fn with_key(mut self, key_id: impl Into<String>, key: PublicKey, may_pack: bool) -> Self {
        self.lines.push(Line { key_id: key_id.into(), key, may_pack });
        self
    }

    /// Checks that one of them, asked by the name it signed under, signed the bundle.
    pub(super) fn check(&self, bundle: &Bundle, r#use: Use) -> Result<()> {
        let envelope = bundle.envelope()?;
        if envelope.payload_type() != IN_TOTO {
            return Err(Error::new(
                ErrorKind::PackTampered,
                format!("expected a payload of type `{IN_TOTO}`, found `{}`", envelope.payload_type().escape_debug()),
            ));
        }
        let hint = match bundle.material() {
            Material::PublicKey { hint } => hint.as_deref(),
            Material::Bare => None,
            Material::Certificate(_) | Material::CertificateChain(_) => {
                return Err(Error::new(
                    ErrorKind::UntrustedSigner,
                    "signed with a certificate, and SIGNERS names keys alone; check it with `verify.sh`",
                ));
            }
        };
        let message = envelope.pae();
        let mut named = false;
        for signature in envelope.signatures() {
            let by_name = self.lines.iter().filter(|l| {
                (r#use == Use::Record || l.may_pack)
                    && (signature.keyid.as_deref() == Some(&l.key_id) || hint == Some(l.key_id.as_str()))
            });
            for line in by_name {
                named = true;
                if line.key.verify(&message, &signature.sig).is_ok() {
                    return Ok(());
                }
            }
        }
        let what = match r#use {
            Use::Manifest => "a manifest",
            Use::Record => "a record",
        };
        if named {
            return Err(Error::new(
                ErrorKind::BadSignature,
                format!("no signature over it is valid, though it names a listed signer of {what}: it was edited"),
            ));
        }
        Err(Error::new(
            ErrorKind::UntrustedSigner,
            format!("none of those who signed it is listed in SIGNERS as a signer of {what}; check who must sign it"),
        ))
    }
}
