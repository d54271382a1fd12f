//! Authorities with their chains: the way up from the certificate that signs to the root is walked once.
//!
//! Beside them, certificates of authorities in a file, of which nothing is remembered.

use std::sync::OnceLock;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, anchor_from_trusted_cert};

use super::Window;
use super::certificate::Certificate;
use super::scheme::VerifyingKey;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// id-kp-codeSigning
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
/// id-kp-timeStamping
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// One that gives certificates to signers (Fulcio).
#[derive(Debug)]
pub(crate) struct CertificateAuthority {
    name: String,
    chain: Chain,
    /// What signs leaves, as the end of a path.
    issuing: TrustAnchor<'static>,
    /// SHA-256 of its SubjectPublicKeyInfo, which logs of certificates sign.
    pub(crate) key_hash: Digest,
    /// Whether a path from a leaf to the root was found good, so that the part above the leaf need not be walked again.
    walked: OnceLock<()>,
    /// Whether a certificate above the one that signs constrains names, which depends on the leaf.
    constrained: bool,
}

/// One that says when a signature was there (RFC 3161).
#[derive(Debug)]
pub(crate) struct TimestampAuthority {
    pub(crate) name: String,
    chain: Chain,
    /// Issuer and serial number of the certificate that signs, and its key id.
    pub(crate) issuer: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) key_id: Option<Vec<u8>>,
    pub(crate) key: VerifyingKey,
    /// Whether its chain was found good; its own certificate is the leaf, so the answer is the same for every token.
    walked: OnceLock<bool>,
}

/// Certificates from the one that signs to the root, and when all of them count.
#[derive(Debug)]
struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    root: TrustAnchor<'static>,
    window: Window,
}

impl Chain {
    fn new(certificates: Vec<Vec<u8>>, window: Window) -> Result<Self> {
        let window = certificates.iter().try_fold(window, |window, der| {
            Certificate::parse(der).map(|certificate| window.within(certificate.window()))
        })?;
        let certificates: Vec<_> = certificates.into_iter().map(CertificateDer::from).collect();
        let root = anchor(certificates.last())?;
        Ok(Self { certificates, root, window })
    }

    fn leaf(&self) -> &[u8] {
        self.certificates.first().map_or(&[], |c| c.as_ref())
    }

    /// Whether `above` lead from `leaf` to the root; a certificate on the way need not say what it is for.
    fn leads(
        &self,
        leaf: &EndEntityCert<'_>,
        above: &[CertificateDer<'_>],
        at: Timestamp,
        usage: &'static [u8],
    ) -> bool {
        let between = above.split_last().map_or(&[][..], |(_, between)| between);
        leads(leaf, &self.root, between, at, KeyUsage::required_if_present(usage))
    }
}

impl CertificateAuthority {
    pub(super) fn new(name: String, certificates: Vec<Vec<u8>>, window: Window) -> Result<Self> {
        let named = |e: Error| e.while_doing(format_args!("certificate authority `{}`", name.escape_debug()));
        let chain = Chain::new(certificates, window).map_err(named)?;
        let issuing = anchor(chain.certificates.first()).map_err(named)?;
        let key_hash = Digest::sha256(Certificate::parse(chain.leaf()).map_err(named)?.spki);
        let above = chain.certificates.iter().skip(1);
        let constrained = above.map(|c| Certificate::parse(c)).collect::<Result<Vec<_>>>().map_err(named)?;
        let constrained = constrained.iter().any(Certificate::constrains_names);
        Ok(Self { name, chain, issuing, key_hash, walked: OnceLock::new(), constrained })
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.chain.leaf() == other.chain.leaf()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its certificates in DER, from the one that signs to the root.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.certificates.iter().map(AsRef::as_ref)
    }

    /// When it, its root and what lies between are all valid.
    pub(crate) fn window(&self) -> Window {
        self.chain.window
    }

    /// Whether it gave this certificate, for signing code; `at` lies in the certificate's own validity. What is cached
    /// of the chain says nothing of times, so whoever asks holds [`CertificateAuthority::window`] against the time of
    /// signing.
    pub(crate) fn gave(&self, leaf: &[u8], at: Timestamp) -> bool {
        let der = CertificateDer::from(leaf);
        let Ok(leaf) = EndEntityCert::try_from(&der) else { return false };
        if !leads(&leaf, &self.issuing, &[], at, KeyUsage::required(CODE_SIGNING)) {
            return false;
        }
        // a way up with constraints on names is walked for each leaf
        if self.walked.get().is_some() && !self.constrained {
            return true;
        }
        let good = self.chain.leads(&leaf, self.chain.certificates.as_slice(), at, CODE_SIGNING);
        if good {
            self.walked.get_or_init(|| ());
        }
        good
    }
}

impl TimestampAuthority {
    /// The authority; none if its key is of a kind that is not known.
    pub(super) fn new(name: String, certificates: Vec<Vec<u8>>, window: Window) -> Result<Option<Self>> {
        let named = |e: Error| e.while_doing(format_args!("timestamp authority `{}`", name.escape_debug()));
        let chain = Chain::new(certificates, window).map_err(named)?;
        let leaf = Certificate::parse(chain.leaf()).map_err(named)?;
        let key = match VerifyingKey::from_spki(leaf.spki) {
            Err(e) if e.kind() == ErrorKind::Unsupported => return Ok(None),
            key => key.map_err(named)?,
        };
        let (issuer, serial) = (leaf.issuer.to_vec(), leaf.serial.to_vec());
        let key_id = leaf.key_id().map(<[u8]>::to_vec);
        Ok(Some(Self { name, issuer, serial, key_id, key, chain, walked: OnceLock::new() }))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.chain.leaf() == other.chain.leaf()
    }

    /// When it, its root and what lies between are all valid.
    pub(crate) fn window(&self) -> Window {
        self.chain.window
    }

    /// Whether its chain is good: signed from the root down, and for giving timestamps.
    pub(crate) fn is_chained(&self) -> bool {
        *self.walked.get_or_init(|| {
            let Some(at) = self.chain.window.from else { return false };
            let der = CertificateDer::from(self.chain.leaf());
            let Ok(leaf) = EndEntityCert::try_from(&der) else { return false };
            let above = self.chain.certificates.get(1..).unwrap_or_default();
            let Ok(issuing) = anchor(above.first().or(self.chain.certificates.first())) else { return false };
            leads(&leaf, &issuing, &[], at, KeyUsage::required(TIME_STAMPING))
                && self.chain.leads(&leaf, above, at, TIME_STAMPING)
        })
    }
}

/// Certificates of authorities in one PEM file: those that gave themselves are roots, the others lead to them.
#[derive(Clone, Debug)]
pub(crate) struct CertificateFile {
    roots: Vec<(TrustAnchor<'static>, Window)>,
    between: Vec<CertificateDer<'static>>,
}

impl CertificateFile {
    /// Reads a PEM file; text around its blocks is passed over.
    ///
    /// # Errors
    /// `MALFORMED` if it holds no certificate, or something else; `LIMIT_EXCEEDED` for too many.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self> {
        let malformed = |what: &str| {
            Error::new(ErrorKind::Malformed, format!("expected certificates of an authority as PEM, found {what}"))
        };
        let (mut roots, mut between) = (Vec::new(), Vec::new());
        for der in CertificateDer::pem_slice_iter(pem) {
            let der = der.map_err(|_| malformed("a broken block"))?;
            let certificate = Certificate::parse(&der)?;
            if certificate.subject == certificate.issuer {
                roots.push((anchor(Some(&der))?, certificate.window()));
            } else {
                between.push(der.clone());
            }
            if roots.len() + between.len() > limits::BUNDLE_PARTS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("a file of authorities has more than {} certificates", limits::BUNDLE_PARTS),
                )
                .with("limit", limits::BUNDLE_PARTS));
            }
        }
        if roots.is_empty() && between.is_empty() {
            return Err(malformed("none"));
        }
        Ok(Self { roots, between })
    }

    /// Whether a path of certificates that are all valid at `at` leads from this certificate to a root, for any use.
    pub(crate) fn gave(&self, leaf: &[u8], at: Timestamp) -> bool {
        let der = CertificateDer::from(leaf);
        let Ok(leaf) = EndEntityCert::try_from(&der) else { return false };
        let mut roots = self.roots.iter().filter(|(_, window)| window.contains(at));
        roots.any(|(root, _)| leads(&leaf, root, &self.between, at, AnyUse))
    }
}

struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> std::result::Result<(), webpki::Error> {
        Ok(())
    }
}

/// Whether a path leads from `leaf` to `anchor`: signatures, constraints, usages, and validity at `at`.
fn leads(
    leaf: &EndEntityCert<'_>,
    anchor: &TrustAnchor<'_>,
    between: &[CertificateDer<'_>],
    at: Timestamp,
    usage: impl ExtendedKeyUsageValidator,
) -> bool {
    let anchors = std::slice::from_ref(anchor);
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unix_seconds().unsigned_abs()));
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, anchors, between, at, usage, None, None).is_ok()
}

fn anchor(certificate: Option<&CertificateDer<'static>>) -> Result<TrustAnchor<'static>> {
    let empty = || Error::new(ErrorKind::Malformed, "its chain holds no certificate; correct the trusted root");
    anchor_from_trusted_cert(certificate.ok_or_else(empty)?).map(|a| a.to_owned()).map_err(|e| {
        Error::new(ErrorKind::Malformed, "its certificate is none that can be trusted; correct the trusted root")
            .caused_by(e)
    })
}
