//! `SIGNERS`: who may sign records and manifests of a pack, as whoever verifies knows it from elsewhere.

use std::path::Path;

use crate::bundle::{Bundle, Material};
use crate::envelope::IN_TOTO;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey, read_public};
use crate::limits;
use crate::timestamp::Timestamp;
use crate::trust::certificate::Certificate;
use crate::trust::scheme::VerifyingKey;
use crate::trust::{CertificateFile, Window};

/// The signers that a verifier of a pack believes.
///
/// Read from the file that `verify.sh` reads, one signer a line:
///
/// ```text
/// key   KEYID            p256|p384|ed25519|rsa  PUBLIC.pem  [pack]
/// cert  IDENTITY ISSUER  p256|p384|ed25519|rsa  CA.pem      [pack]
/// ```
///
/// KEYID is the DSSE `keyid` or the hint of the bundle. A certificate must name exactly this identity (an e-mail address
/// or a URI) and this issuer of its token (`-`: not asked), and be given by an authority of CA.pem, root included, at the
/// time of the entry. `pack` lets the signer sign manifests; all may sign records.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    who: Who,
    may_pack: bool,
}

#[derive(Clone, Debug)]
enum Who {
    Key { id: String, key: PublicKey },
    Certificate { identity: String, issuer: Option<String>, key_type: KeyType, authority: CertificateFile },
}

/// What a signature is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Manifest,
    Record,
}

/// How an issuer that is not asked for is written.
const ANY_ISSUER: &str = "-";

impl Signers {
    /// Reads a SIGNERS file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PERMISSION_DENIED` or `IO` if it or a file that it names can't be read, `MALFORMED` for another line
    /// or file, `UNTRUSTED_SIGNER` for a key of another type than its line says.
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
                ["cert", identity, issuer, key_type, file, rest @ ..] if rest.is_empty() || rest == ["pack"] => {
                    let pem = limits::read_file("file of authorities", &folder.join(file), limits::KEY_BYTES)?;
                    let issuer = Some(*issuer).filter(|issuer| *issuer != ANY_ISSUER);
                    signers = signers
                        .with_certificate(*identity, issuer, key_type.parse()?, &pem, !rest.is_empty())
                        .map_err(|e| e.while_doing(format_args!("`{file}`")).with("path", file))?;
                }
                _ => {
                    return Err(wrong(
                        ErrorKind::Malformed,
                        "is no signer; write `key KEYID TYPE PUBLIC.pem [pack]` or `cert IDENTITY ISSUER TYPE CA.pem \
                         [pack]`"
                            .to_owned(),
                    ));
                }
            }
        }
        Ok(signers)
    }

    /// Believes signatures of `key` on records under `key_id`, and on manifests if it `may_pack`.
    #[must_use]
    pub fn with_key(mut self, key_id: impl Into<String>, key: PublicKey, may_pack: bool) -> Self {
        self.lines.push(Line { who: Who::Key { id: key_id.into(), key }, may_pack });
        self
    }

    /// Believes signatures of whoever holds a certificate for exactly `identity`, given for a token of `issuer` if one is
    /// said, with a key of this type, by an authority whose certificates, the root among them, are in `authority` (PEM).
    ///
    /// # Errors
    /// `MALFORMED` or `LIMIT_EXCEEDED` if `authority` is no such file.
    pub fn with_certificate(
        mut self,
        identity: impl Into<String>,
        issuer: Option<&str>,
        key_type: KeyType,
        authority: &[u8],
        may_pack: bool,
    ) -> Result<Self> {
        let authority = CertificateFile::parse(authority)?;
        let issuer = issuer.map(str::to_owned);
        let who = Who::Certificate { identity: identity.into(), issuer, key_type, authority };
        self.lines.push(Line { who, may_pack });
        Ok(self)
    }

    /// Checks that one of them, asked by the name it signed under, signed the bundle; a certificate at one of `times`.
    pub(super) fn check(&self, bundle: &Bundle, r#use: Use, times: &[Timestamp]) -> Result<()> {
        let envelope = bundle.envelope()?;
        if envelope.payload_type() != IN_TOTO {
            return Err(Error::new(
                ErrorKind::PackTampered,
                format!("expected a payload of type `{IN_TOTO}`, found `{}`", envelope.payload_type().escape_debug()),
            ));
        }
        let message = envelope.pae();
        let may = self.lines.iter().filter(|line| r#use == Use::Record || line.may_pack);
        let what = match r#use {
            Use::Manifest => "a manifest",
            Use::Record => "a record",
        };
        let edited = || {
            Error::new(
                ErrorKind::BadSignature,
                format!("no signature over it is valid, though it names a listed signer of {what}: it was edited"),
            )
        };
        let mut refusal = None;
        if let Some(leaf) = bundle.certificate() {
            let holder = Holder::read(leaf)?;
            for line in may {
                let Who::Certificate { identity, issuer, key_type, authority } = &line.who else { continue };
                if !holder.is(identity, issuer.as_deref(), *key_type) {
                    continue;
                }
                match holder.check_given(authority, times) {
                    Ok(()) if envelope.signatures().iter().any(|s| holder.key.verifies(&message, &s.sig)) => {
                        return Ok(());
                    }
                    Ok(()) => refusal = Some(edited()),
                    Err(e) => _ = refusal.get_or_insert(e),
                }
            }
        } else {
            let hint = match bundle.material() {
                Material::PublicKey { hint } => hint.as_deref(),
                _ => None,
            };
            for line in may {
                let Who::Key { id, key } = &line.who else { continue };
                for signature in envelope.signatures() {
                    if signature.keyid.as_deref() == Some(id) || hint == Some(id) {
                        if key.verify(&message, &signature.sig).is_ok() {
                            return Ok(());
                        }
                        refusal = Some(edited());
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "none of those who signed it is listed in SIGNERS as a signer of {what}; check who must sign it"
                ),
            )
        }))
    }
}

/// The certificate of a bundle, with its key.
struct Holder<'a> {
    leaf: &'a [u8],
    certificate: Certificate<'a>,
    key: VerifyingKey,
}

impl<'a> Holder<'a> {
    fn read(leaf: &'a [u8]) -> Result<Self> {
        let certificate = Certificate::parse(leaf)?;
        let key = VerifyingKey::from_spki(certificate.spki)?;
        Ok(Self { leaf, certificate, key })
    }

    fn is(&self, identity: &str, issuer: Option<&str>, key_type: KeyType) -> bool {
        let is_issued = |issuer| self.certificate.token_issuer().is_ok_and(|found| found == Some(issuer));
        self.certificate.holder() == Some(identity)
            && self.key.family().key_type() == key_type
            && issuer.is_none_or(is_issued)
    }

    fn check_given(&self, authority: &CertificateFile, times: &[Timestamp]) -> Result<()> {
        // openssl counts a certificate up to its last second and not in it, in whole seconds
        let window = Window { from: Some(self.certificate.not_before), until: Some(self.certificate.not_after) };
        let mut refusal = None;
        for at in times {
            let at = Timestamp::from_unix_millis(at.unix_seconds() * 1000)?;
            match window.check("the signer's certificate", at) {
                Ok(()) if authority.gave(self.leaf, at) => return Ok(()),
                Ok(()) => {
                    refusal = Some(Error::new(
                        ErrorKind::UntrustedCertificate,
                        format!("no authority that SIGNERS names for its signer gave the certificate, as of `{at}`"),
                    ));
                }
                Err(e) => _ = refusal.get_or_insert(e),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no time of signing was given")))
    }
}
