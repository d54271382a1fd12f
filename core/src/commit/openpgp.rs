//! OpenPGP signatures (RFC 9580) by the certificates of a keyring.
//!
//! `pgp` reads packets and verifies single signatures; which of them count, and what a key could do when it signed, is
//! decided here. It is decided by the newest self-signature, as GnuPG does, so that a certificate that lost its older ones
//! on a key server says the same.

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType, SignatureVersion, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, Tag, VerifyingKey};

use super::object::Signed;
use super::{CLOCK_SKEW_MILLIS, CommitSigner, SignerKey, bad_signature, untrusted};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// A transferable public key of the keyring.
#[derive(Clone, Debug)]
pub(super) struct Certificate(Box<SignedPublicKey>);

const BEGIN_KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const BEGIN: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";
/// Bits of the shortest RSA key that is believed.
const RSA_BITS: u16 = 2048;

/// Reads the certificates of a keyring: armored blocks one after the other, or binary.
pub(super) fn read_keyring(file: &[u8]) -> Result<Vec<Certificate>> {
    let malformed = |found: &str| {
        Error::new(
            ErrorKind::Malformed,
            format!("expected OpenPGP public keys, found {found}; give what `gpg --armor --export` writes"),
        )
    };
    if file.len() > limits::KEYRING_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the keyring is longer than {} bytes; export the keys that sign alone", limits::KEYRING_BYTES),
        ));
    }
    let mut certificates = Vec::new();
    let mut take = |parsed: pgp::errors::Result<SignedPublicKey>| match parsed {
        Ok(key) => {
            certificates.push(Certificate(Box::new(key)));
            Ok(())
        }
        Err(e) => Err(malformed("a key that can't be read").caused_by(e.to_string())),
    };
    match std::str::from_utf8(file) {
        Ok(text) if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") => {
            return Err(malformed("a private key; give its public half, and keep this file to yourself"));
        }
        Ok(text) if text.contains(BEGIN_KEY) => {
            for block in text.split(BEGIN_KEY).skip(1) {
                let block = format!("{BEGIN_KEY}{block}");
                let (keys, _) = SignedPublicKey::from_string_many(&block)
                    .map_err(|e| malformed("a broken armored block").caused_by(e.to_string()))?;
                keys.into_iter().try_for_each(&mut take)?;
            }
        }
        _ => {
            let keys = SignedPublicKey::from_bytes_many(file)
                .map_err(|e| malformed("other bytes").caused_by(e.to_string()))?;
            keys.into_iter().try_for_each(&mut take)?;
        }
    }
    if certificates.is_empty() {
        return Err(malformed("none"));
    }
    Ok(certificates)
}

/// Verifies the signature, and that the key could make it when it says it did.
pub(super) fn verify(certificates: &[Certificate], signed: &Signed, now: Timestamp) -> Result<CommitSigner> {
    let signature = parse(&signed.signature)?;
    let Some((certificate, key)) = certificates.iter().find_map(|c| c.key_of(&signature).map(|key| (c, key))) else {
        let fingerprints = signature.issuer_fingerprint().into_iter().map(|f| format!("{f}"));
        let ids = signature.issuer_key_id().into_iter().map(|i| format!("{i}"));
        let named = fingerprints.chain(ids).next().unwrap_or_else(|| "(none)".to_owned());
        return Err(untrusted(&named.to_uppercase(), "a key of the OpenPGP keyring"));
    };
    let fingerprint = hex_upper(&key.fingerprint(certificate));
    check_strength(&signature, &fingerprint, "the signature")?;
    match key {
        Key::Primary => {
            check_algorithm(&certificate.0.primary_key, &fingerprint)?;
            signature.verify(&certificate.0.primary_key, signed.payload.as_slice())
        }
        Key::Sub(sub) => {
            check_algorithm(&sub.key, &fingerprint)?;
            signature.verify(&sub.key, signed.payload.as_slice())
        }
    }
    .map_err(|e| bad_signature(&fingerprint).caused_by(e.to_string()))?;
    let created = created(&signature).ok_or_else(|| malformed("one without its time"))?;
    if let Some(life) = signature.signature_expiration_time().map(|d| d.as_secs()).filter(|s| *s > 0) {
        let end = created.plus_millis(i64::from(life) * 1000);
        if now >= end {
            return Err(expired("signature", &fingerprint, end, now));
        }
    }
    certificate.check(&key, created, now)?;
    Ok(CommitSigner {
        principals: certificate.addresses(now),
        key: SignerKey::OpenPgp { fingerprint, certificate: hex_upper(&certificate.0.fingerprint()) },
        forge: None,
        signed_at: created,
    })
}

/// The key of a certificate that a signature names.
enum Key<'a> {
    Primary,
    Sub(&'a SignedPublicSubKey),
}

impl Key<'_> {
    fn fingerprint(&self, of: &Certificate) -> pgp::types::Fingerprint {
        match self {
            Key::Primary => of.0.primary_key.fingerprint(),
            Key::Sub(sub) => sub.key.fingerprint(),
        }
    }
}

/// One signature in armor, over the bytes as they are.
fn parse(text: &str) -> Result<Signature> {
    let text = text.trim_end();
    if !text.starts_with(BEGIN) || !text.ends_with(END) || text.matches("-----BEGIN ").count() != 1 {
        return Err(malformed("something else around it"));
    }
    let (signatures, _) =
        DetachedSignature::from_string_many(text).map_err(|e| malformed("a broken one").caused_by(e.to_string()))?;
    let mut read = Vec::new();
    for signature in signatures.take(2) {
        read.push(signature.map_err(|e| malformed("a broken one").caused_by(e.to_string()))?.signature);
    }
    let [signature] = read.as_slice() else { return Err(malformed("several")) };
    // one over text, with its line breaks made equal, would be good over two objects
    if signature.typ() != Some(SignatureType::Binary) {
        return Err(malformed("one that is not over plain bytes"));
    }
    if !matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6) {
        return Err(malformed("one of an old or unknown version"));
    }
    let hashed = signature.config().map(|c| c.hashed_subpackets().collect::<Vec<_>>()).unwrap_or_default();
    let times = hashed.iter().filter(|s| matches!(s.data, SubpacketData::SignatureCreationTime(_)));
    if times.count() != 1 {
        return Err(malformed("one with no time, or with two"));
    }
    let known = |data: &SubpacketData| {
        !matches!(data, SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_))
    };
    if hashed.iter().any(|s| s.is_critical && !known(&s.data)) {
        return Err(malformed("one with a condition that is not known"));
    }
    Ok(signature.clone())
}

impl Certificate {
    /// The key that a signature names as its own: a hint, by which the right key is tried.
    fn key_of(&self, signature: &Signature) -> Option<Key<'_>> {
        let (fingerprints, ids) = (signature.issuer_fingerprint(), signature.issuer_key_id());
        let names = |key: &dyn KeyDetails| {
            if fingerprints.is_empty() {
                ids.iter().any(|id| **id == key.legacy_key_id())
            } else {
                fingerprints.iter().any(|f| **f == key.fingerprint())
            }
        };
        if names(&self.0.primary_key) {
            return Some(Key::Primary);
        }
        self.0.public_subkeys.iter().find(|sub| names(&sub.key)).map(Key::Sub)
    }

    /// Checks that the certificate and its key could sign `at`, by what is known `now`.
    fn check(&self, key: &Key<'_>, at: Timestamp, now: Timestamp) -> Result<()> {
        let primary = &self.0.primary_key;
        let name = hex_upper(&primary.fingerprint());
        for revocation in &self.0.details.revocation_signatures {
            check_revocation(revocation, revocation.verify_key(primary).is_ok(), &name, at)?;
        }
        let own = self.newest_self_signature(now).ok_or_else(|| {
            Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "the OpenPGP certificate `{name}` has no self-signature that counts (SHA-1 does not); have its owner \
                     renew it and export it again"
                ),
            )
            .with("key", &name)
        })?;
        check_life("OpenPGP certificate", &name, primary, own, at)?;
        let Key::Sub(sub) = key else {
            return if flags_of(own).is_none_or(|may_sign| may_sign) { Ok(()) } else { Err(no_signing_key(&name)) };
        };
        let name = hex_upper(&sub.key.fingerprint());
        let (revocations, bindings): (Vec<_>, Vec<_>) =
            sub.signatures.iter().partition(|s| s.typ() == Some(SignatureType::SubkeyRevocation));
        for revocation in revocations {
            check_revocation(revocation, revocation.verify_subkey_binding(primary, &sub.key).is_ok(), &name, at)?;
        }
        let binding = newest(bindings.into_iter().filter(|s| s.verify_subkey_binding(primary, &sub.key).is_ok()), now)
            .ok_or_else(|| no_signing_key(&name))?;
        // without the subkey's own consent, anybody could bind a stranger's key to a certificate
        let consents = binding
            .embedded_signature()
            .is_some_and(|back| is_strong(back) && back.verify_primary_key_binding(&sub.key, primary).is_ok());
        if flags_of(binding) != Some(true) || !consents {
            return Err(no_signing_key(&name));
        }
        check_life("OpenPGP subkey", &name, &sub.key, binding, at)
    }

    fn newest_self_signature(&self, now: Timestamp) -> Option<&Signature> {
        let primary = &self.0.primary_key;
        let direct = self.0.details.direct_signatures.iter();
        let direct = direct.filter(|s| s.typ() == Some(SignatureType::Key) && s.verify_key(primary).is_ok());
        let of_users = self.0.details.users.iter().flat_map(|user| {
            let certifications = user.signatures.iter().filter(|s| s.typ() != Some(SignatureType::CertRevocation));
            certifications.filter(|s| s.verify_certification(primary, Tag::UserId, &user.id).is_ok())
        });
        newest(direct.chain(of_users), now)
    }

    /// The addresses of the user ids that the certificate itself vouches for.
    fn addresses(&self, now: Timestamp) -> Vec<String> {
        let primary = &self.0.primary_key;
        let mut addresses = Vec::new();
        for user in &self.0.details.users {
            let own = user.signatures.iter().filter(|s| s.verify_certification(primary, Tag::UserId, &user.id).is_ok());
            let (revocations, certifications): (Vec<_>, Vec<_>) =
                own.partition(|s| s.typ() == Some(SignatureType::CertRevocation));
            let Some(since) = newest(certifications.into_iter(), now).and_then(created) else { continue };
            if revocations.iter().any(|r| created(r).is_none_or(|at| at >= since)) {
                continue;
            }
            let Some(text) = user.id.as_str() else { continue };
            let address = text.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(text);
            if address.contains('@') && !addresses.iter().any(|a| a == address) {
                addresses.push(address.to_owned());
            }
        }
        addresses
    }
}

/// The newest of these that counts.
fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>, now: Timestamp) -> Option<&'a Signature> {
    let latest = now.plus_millis(CLOCK_SKEW_MILLIS);
    let counts = signatures.filter(|s| is_strong(s) && created(s).is_some_and(|at| at <= latest));
    counts.max_by_key(|s| created(s))
}

/// Whether the key may sign, if the signature says what it may do.
fn flags_of(signature: &Signature) -> Option<bool> {
    let mut hashed = signature.config()?.hashed_subpackets();
    hashed.find_map(|s| match &s.data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}

/// Refuses what a revocation reaches. One that says the key was replaced or retired leaves what was signed before; any
/// other reason, or none, may mean that somebody else has the key, and could date a signature as they like. One that can't
/// be verified may be that of an appointed revoker: it counts.
fn check_revocation(revocation: &Signature, verified: bool, key: &str, at: Timestamp) -> Result<()> {
    let reason = revocation.revocation_reason_code();
    let harmless = matches!(reason, Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired));
    if verified && harmless && created(revocation).is_some_and(|since| at < since) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Revoked,
        format!("the OpenPGP key `{key}` is revoked; have somebody sign it anew with another key"),
    )
    .with("key", key))
}

/// Checks that `at` lies within the life of a key, which ends as its self-signature says.
fn check_life(what: &str, name: &str, key: &impl KeyDetails, own: &Signature, at: Timestamp) -> Result<()> {
    let born = instant(key.created_at()).ok_or_else(|| malformed("a key without its time"))?;
    if at < born {
        return Err(Error::new(
            ErrorKind::NotYetValid,
            format!("the {what} `{name}` was made at `{born}`, and signed at `{at}`; check the signer's clock"),
        )
        .with("key", name)
        .with("at", at));
    }
    match own.key_expiration_time().map(|d| d.as_secs()).filter(|s| *s > 0) {
        Some(life) => {
            let end = born.plus_millis(i64::from(life) * 1000);
            if at >= end { Err(expired(what, name, end, at)) } else { Ok(()) }
        }
        None => Ok(()),
    }
}

fn is_strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

fn check_strength(signature: &Signature, key: &str, what: &str) -> Result<()> {
    if is_strong(signature) {
        return Ok(());
    }
    let found = signature.hash_alg().map_or_else(|| "none".to_owned(), |h| h.to_string());
    Err(Error::new(
        ErrorKind::BadSignature,
        format!(
            "{what} of the key `{key}` is over `{found}`, which can be forged; sign it again with SHA-256 or better"
        ),
    )
    .with("expected", "SHA256")
    .with("found", found))
}

fn check_algorithm(key: &impl VerifyingKey, name: &str) -> Result<()> {
    use PublicKeyAlgorithm::{ECDSA, Ed448, Ed25519, EdDSALegacy, RSA, RSASign};
    let bits = || key.public_params().to_bytes().ok()?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b));
    let is_believed = match key.algorithm() {
        RSA | RSASign => bits().is_some_and(|b| b >= RSA_BITS),
        other => matches!(other, ECDSA | Ed25519 | Ed448 | EdDSALegacy),
    };
    if is_believed {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "the OpenPGP key `{name}` is of type `{:?}` or too short, which is weak or not known; sign with Ed25519, ECDSA \
             or RSA of {RSA_BITS} bits",
            key.algorithm()
        ),
    )
    .with("key", name))
}

fn created(signature: &Signature) -> Option<Timestamp> {
    instant(signature.created()?)
}

fn instant(at: pgp::types::Timestamp) -> Option<Timestamp> {
    Timestamp::from_unix_millis(i64::from(at.as_secs()) * 1000).ok()
}

fn hex_upper(fingerprint: &pgp::types::Fingerprint) -> String {
    fingerprint.to_string().to_uppercase()
}

fn expired(what: &str, key: &str, end: Timestamp, at: Timestamp) -> Error {
    Error::new(
        ErrorKind::Expired,
        format!("the {what} of the key `{key}` ended at `{end}`, and this is of `{at}`; sign with a valid key"),
    )
    .with("key", key)
    .with("until", end)
}

fn no_signing_key(key: &str) -> Error {
    Error::new(
        ErrorKind::NotEntitled,
        format!("the OpenPGP key `{key}` is not one that its certificate lets sign; sign with the signing key"),
    )
    .with("key", key)
}

fn malformed(found: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("expected one detached OpenPGP signature, found {found}; sign it again with Git"),
    )
}
