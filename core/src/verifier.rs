//! Verification: from bytes and an expectation to a proof that they were signed as demanded.
//!
//! Order: (0) bounds and shape of the bundle; (1) of a certificate, that a believed authority gave it, that a log of
//! certificates vouches for it, and that its holder is demanded; (2) the signature; (3) entries in transparency logs:
//! about this signature, promised, in the tree of a checkpoint that the log signed; (4) timestamps over the signature;
//! (5) that there are as many logs, witnesses of logs and timestamps as demanded; (6) that key, certificate and
//! authorities counted at every time that was found; (7) only then the payload is parsed, and its predicate type and
//! subject are compared with what was demanded. Nothing demanded is an error, not a pass.
//!
//! Evidence in a bundle that is wrong refuses it, even where less would do. Of a certificate, so does evidence of a log
//! or authority that is not believed; a key needs no evidence, and such evidence is then as if it were not there.

mod body;
mod checkpoint;
mod entry;
mod expectation;
mod keyed;
mod keyless;
mod sct;
mod signed;
pub(crate) mod timestamp;
mod verified;

use std::collections::BTreeSet;

use self::entry::Checked;
pub use self::expectation::{Artifact, Expectation, Identity};
use self::keyless::Demanded;
pub use self::signed::Blob;
use self::signed::Signed;
use self::verified::Facts;
pub use self::verified::{Logged, SignedBy, Timestamped, Verified};
use crate::bundle::{Bundle, Content, Material};
use crate::digest::{Algorithm, Digest};
use crate::envelope::{Envelope, IN_TOTO};
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
pub use crate::trust::{CertificateClaims, CertificateIdentity, Extension, Matcher};
use crate::trust::{Log, TrustRoot, TrustedKey, Window};

/// How far the clocks of logs and timestamp authorities may be before ours.
const CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1000;

/// Verifies records against what a [`TrustRoot`] believes.
///
/// One is made for each trust root and used for all records: what it found of authorities it remembers, together with its
/// clones and for all threads.
#[derive(Clone, Debug)]
pub struct Verifier {
    trust: TrustRoot,
}

impl Verifier {
    /// A verifier that believes `trust`.
    pub fn new(trust: TrustRoot) -> Self {
        Self { trust }
    }

    /// What it believes.
    pub(crate) fn trust(&self) -> &TrustRoot {
        &self.trust
    }

    /// Verifies a record: a Sigstore bundle or a bare DSSE envelope with an in-toto Statement.
    ///
    /// # Errors
    /// `MALFORMED`, `LIMIT_EXCEEDED`, `UNSUPPORTED` for what is no record; `UNTRUSTED_CERTIFICATE`, `BAD_SCT`,
    /// `UNTRUSTED_SIGNER`, `BAD_SIGNATURE`, `EXPIRED`, `NOT_YET_VALID` for its signer; `BAD_LOG_ENTRY`,
    /// `BAD_CHECKPOINT`, `BAD_TIMESTAMP` for its evidence; `WRONG_TYPE`, `DIGEST_MISMATCH` for its content; `API_MISUSE`
    /// if the expectation names no artifact, or no signer, or one that is not trusted.
    pub fn verify(&self, record: &[u8], expectation: &Expectation) -> Result<Verified<Statement>> {
        let Some(artifact) = &expectation.artifact else {
            return Err(Error::new(ErrorKind::ApiMisuse, "no artifact is demanded; say what the record must be about"));
        };
        let bundle = Bundle::parse(record)?;
        let envelope = bundle.envelope()?;
        if !is_in_toto(envelope.payload_type()) {
            return Err(wrong_payload_type(envelope, IN_TOTO));
        }
        let facts = self.facts(&bundle, &Signed::of_envelope(envelope), expectation)?;
        let statement = Statement::parse(bundle.into_envelope()?.into_payload())?;
        if let Some(demanded) = expectation.predicate_type.as_deref().filter(|d| *d != statement.predicate_type()) {
            return Err(Error::new(
                ErrorKind::WrongType,
                format!("expected a record of type `{demanded}`, found `{}`", statement.predicate_type()),
            )
            .with("expected", demanded)
            .with("found", statement.predicate_type()));
        }
        if let Artifact::Is(digest) = artifact
            && !statement.has_subject(digest)
        {
            let found: Vec<_> = statement.subjects().iter().flat_map(|s| s.digests()).map(|d| d.to_string()).collect();
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!(
                    "the record is not about `{digest}`, but about {}; check the artifact, or take its own record",
                    shortened(&found)
                ),
            )
            .with("expected", digest)
            .with("found", found.first().map_or("", String::as_str)));
        }
        Ok(Verified::new(statement, Facts { record: record.into(), ..facts }))
    }

    /// Verifies a Sigstore bundle with the signature of a blob, and gives the digest that the signature is over. If the
    /// expectation names an artifact, the blob must be that, too.
    ///
    /// # Errors
    /// As [`Verifier::verify`]; `DIGEST_MISMATCH` if the bundle is of another blob, `UNSUPPORTED` if it is of an
    /// attestation, or if the signature is of a kind that needs the bytes and a digest was given; `IO` if the blob can't
    /// be read; `API_MISUSE` if the expectation demands a predicate type.
    pub fn verify_blob(&self, bundle: &[u8], blob: Blob<'_>, expectation: &Expectation) -> Result<Verified<Digest>> {
        if expectation.predicate_type.is_some() {
            return Err(Error::new(ErrorKind::ApiMisuse, "a signed file has no predicate type; demand none"));
        }
        let record = bundle;
        let bundle = Bundle::parse(record)?;
        let Content::Message(message) = bundle.content() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "expected the signature of a file, found an attestation; verify it as a record",
            ));
        };
        let demanded = match &expectation.artifact {
            Some(Artifact::Is(digest)) => Some(digest),
            _ => None,
        };
        let algorithm = message.digest.as_ref().map(Digest::algorithm);
        let prehashes = self.prehashes(&bundle, &expectation.identity);
        // a signature of a kind without one is over the bytes themselves
        let whole = prehashes.contains(&None);
        let others: Vec<_> = prehashes.into_iter().chain([demanded.map(Digest::algorithm)]).flatten().collect();
        let signed = Signed::of_blob(blob, algorithm, &others, whole)?;
        for expected in message.digest.iter().chain(demanded) {
            signed.check_is(expected)?;
        }
        let facts = self.facts(&bundle, &signed, expectation).map_err(|e| {
            if !whole || !signed.is_digest_alone() || e.kind() != ErrorKind::BadSignature {
                return e;
            }
            Error::new(
                ErrorKind::Unsupported,
                "the signature may be one of Ed25519, which is over the bytes themselves; give the file, not its digest",
            )
            .caused_by(e)
        })?;
        let digest = signed.any_digest(algorithm)?;
        Ok(Verified::new(digest, Facts { record: record.into(), ..facts }))
    }

    /// Everything but what the signed bytes say.
    fn facts(&self, bundle: &Bundle, signed: &Signed<'_>, expectation: &Expectation) -> Result<Facts> {
        let (keys, identities) = self.demanded(&expectation.identity)?;
        match (bundle.certificate(), bundle.material()) {
            (Some(_), _) if identities.is_empty() => Err(no_certificate_demanded(expectation)),
            (Some(leaf), _) => self.facts_of_certificate(leaf, bundle, signed, &identities, expectation),
            (None, Material::PublicKey { .. } | Material::Bare) if keys.is_empty() => Err(no_key_demanded(expectation)),
            _ => self.facts_of_key(bundle, signed, &keys, expectation),
        }
    }

    fn facts_of_certificate(
        &self,
        leaf: &[u8],
        bundle: &Bundle,
        signed: &Signed<'_>,
        identities: &[Demanded<'_>],
        expectation: &Expectation,
    ) -> Result<Facts> {
        let holder = keyless::holder((leaf, bundle.chain()), &self.trust, identities, expectation)?;
        let signatures = keyed::signatures(bundle);
        let [signature] = signatures.as_slice() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("expected one signature beside a certificate, found {}; sign each alone", signatures.len()),
            ));
        };
        if !signed.is_signed_by(&holder.key, signature.bytes) {
            return Err(Error::new(
                ErrorKind::BadSignature,
                "the signature is not one of the certificate's key over these bytes; they were changed, or another key \
                 signed: get the record again from where it was made",
            )
            .with("signer", &holder.signed_by.name));
        }
        let by = body::Verifies::Certificate(leaf, holder.certificate.spki);
        let checked = [Checked { signature: signature.bytes, by }];
        let (mut facts, mut logs, witnesses) = (Facts::default(), Vec::new(), expectation.witnesses.as_ref());
        for entry in bundle.log_entries() {
            let log = entry::log_of(entry, &self.trust).ok_or_else(|| entry::unknown(entry))?;
            facts.log_entries.push(entry::check(entry, bundle.version(), log, signed, &checked, witnesses)?);
            logs.push(log);
        }
        for token in bundle.timestamps() {
            let stamped = timestamp::check(token, signature.bytes, &self.trust)?;
            facts.timestamps.push(stamped.ok_or_else(timestamp::unknown)?);
        }
        let number = if expectation.unlogged { expectation.log_entries } else { expectation.log_entries.max(1) };
        enough(&facts, number, expectation)?;
        holder.check_times(&times(&facts, &logs, expectation.at)?)?;
        facts.signers.push(holder.signed_by);
        Ok(facts)
    }

    fn facts_of_key(
        &self,
        bundle: &Bundle,
        signed: &Signed<'_>,
        keys: &[&TrustedKey],
        expectation: &Expectation,
    ) -> Result<Facts> {
        let found = keyed::signers(&self.trust, keys, bundle, signed, expectation)?;
        let checked =
            found.iter().map(|(key, signature)| Checked { signature, by: body::Verifies::Key(key.key.spki_der()) });
        let checked: Vec<_> = checked.collect();
        let (mut facts, mut logs, witnesses) = (Facts::default(), Vec::new(), expectation.witnesses.as_ref());
        for entry in bundle.log_entries() {
            if let Some(log) = entry::log_of(entry, &self.trust) {
                facts.log_entries.push(entry::check(entry, bundle.version(), log, signed, &checked, witnesses)?);
                logs.push(log);
            }
        }
        for token in bundle.timestamps() {
            let stamped = checked.iter().map(|c| timestamp::check(token, c.signature, &self.trust));
            // one token is over one signature
            if let Some(stamped) = stamped.reduce(|one, other| one.or(other)).transpose()?.flatten() {
                facts.timestamps.push(stamped);
            }
        }
        let times = times(&facts, &logs, expectation.at)?;
        enough(&facts, expectation.log_entries, expectation)?;
        let found = keyed::valid_at(found, &times)?;
        facts.signers = found.into_iter().map(|(key, _)| keyed::signed_by(key)).collect();
        Ok(facts)
    }

    /// The keys and the certificate identities that are demanded.
    fn demanded<'a>(&'a self, identity: &'a Identity) -> Result<(Vec<&'a TrustedKey>, Vec<Demanded<'a>>)> {
        let names = match identity {
            Identity::Key(name) => std::slice::from_ref(name),
            Identity::OneOf(names) => names,
            Identity::Certificate(identity) => {
                return Ok((vec![], vec![Demanded { name: None, identity, window: Window::ALWAYS }]));
            }
        };
        if names.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "no signer is demanded; name who must have signed"));
        }
        let (mut keys, mut identities) = (Vec::new(), Vec::new());
        for name in names {
            if let Some(key) = self.trust.keys().iter().find(|k| k.name == *name) {
                keys.push(key);
            } else if let Some(known) = self.trust.identities().iter().find(|i| i.name == *name) {
                identities.push(Demanded { name: Some(name), identity: &known.identity, window: known.window });
            } else {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!("the demanded signer `{name}` is not in the trust root; add its key or identity"),
                ));
            }
        }
        Ok((keys, identities))
    }

    /// How those who may have signed the bundle hash a message before they sign it.
    fn prehashes(&self, bundle: &Bundle, identity: &Identity) -> Vec<Option<Algorithm>> {
        match bundle.certificate() {
            Some(leaf) => keyless::prehash(leaf).into_iter().collect(),
            None => self
                .demanded(identity)
                .map_or(Vec::new(), |(keys, _)| keys.iter().map(|k| k.key.key_type().prehash()).collect()),
        }
    }
}

/// The authenticated times of a signature, none of which may lie after `now`. A log that says no time must have counted
/// at some time between the signature and `now`.
fn times(facts: &Facts, logs: &[&Log], now: Timestamp) -> Result<Vec<Timestamp>> {
    let latest = now.plus_millis(CLOCK_SKEW_MILLIS);
    let logged = facts.log_entries.iter().filter_map(|e| e.integrated_at).map(|at| (ErrorKind::BadLogEntry, at));
    let stamped = facts.timestamps.iter().map(|t| (ErrorKind::BadTimestamp, t.at));
    let found: Vec<_> = logged.chain(stamped).collect();
    if let Some((kind, at)) = found.iter().find(|(_, at)| *at > latest) {
        return Err(Error::new(
            *kind,
            format!("the record was seen at `{at}`, after `{now}`; check the clock, or the time that was given"),
        )
        .with("expected", now)
        .with("found", at));
    }
    let seen = facts.log_entries.iter().flat_map(|e| &e.witnesses);
    if let Some(early) = seen.into_iter().find(|seen| seen.at > latest) {
        return Err(Error::new(
            ErrorKind::BadCheckpoint,
            format!(
                "the witness `{}` signed at `{}`, after `{now}`; check the clock, or the time that was given",
                early.witness, early.at
            ),
        )
        .with("expected", now)
        .with("found", early.at));
    }
    let times: Vec<_> = found.into_iter().map(|(_, at)| at).collect();
    let earliest = times.iter().min().copied().unwrap_or(now);
    for (log, _) in logs.iter().zip(&facts.log_entries).filter(|(_, entry)| entry.integrated_at.is_none()) {
        if log.window.from.is_some_and(|from| from > latest) || log.window.until.is_some_and(|until| until <= earliest)
        {
            return Err(entry::not_counted(log).with("found", earliest));
        }
    }
    Ok(times)
}

/// Checks that as many different logs and timestamp authorities as demanded saw the signature, and witnesses the logs.
fn enough(facts: &Facts, logs: usize, expectation: &Expectation) -> Result<()> {
    let distinct = |names: &mut dyn Iterator<Item = &str>| names.collect::<BTreeSet<_>>().len();
    let found_logs = distinct(&mut facts.log_entries.iter().map(|e| e.log.as_str()));
    let found_stamps = distinct(&mut facts.timestamps.iter().map(|t| t.authority.as_str()));
    for (kind, what, expected, found) in [
        (ErrorKind::BadLogEntry, "entries in transparency logs", logs, found_logs),
        (ErrorKind::BadTimestamp, "timestamps of authorities", expectation.timestamps, found_stamps),
    ] {
        if found < expected {
            return Err(Error::new(
                kind,
                format!("expected {expected} {what} that are believed, found {found}; get a record that has them"),
            )
            .with("expected", expected)
            .with("found", found));
        }
    }
    let Some(witnesses) = &expectation.witnesses else { return Ok(()) };
    let (witnessed, not): (Vec<_>, Vec<_>) =
        facts.log_entries.iter().partition(|entry| entry.witnesses.len() >= witnesses.quorum());
    if distinct(&mut witnessed.iter().map(|e| e.log.as_str())) >= logs.max(1) {
        return Ok(());
    }
    let most = not.iter().map(|entry| entry.witnesses.len()).max().unwrap_or_default();
    Err(Error::new(
        ErrorKind::BadCheckpoint,
        format!(
            "expected a checkpoint of its log that {} of the {} named witnesses signed, found one that {most} of them \
             signed; get the bundle again with a later checkpoint, or check the keys of the witnesses",
            witnesses.quorum(),
            witnesses.keys().len()
        ),
    )
    .with("expected", witnesses.quorum())
    .with("found", most))
}

/// The record's payload type may name the predicate (in-toto framework v1.2); what counts is the type in the payload.
fn is_in_toto(payload_type: &str) -> bool {
    payload_type == IN_TOTO
        || payload_type
            .strip_prefix("application/vnd.in-toto.")
            .and_then(|rest| rest.strip_suffix("+json"))
            .is_some_and(|name| !name.is_empty())
}

fn wrong_payload_type(envelope: &Envelope, expected: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("expected a payload of type `{expected}`, found `{}`", envelope.payload_type().escape_debug()),
    )
    .with("expected", expected)
    .with("found", envelope.payload_type().escape_debug())
}

fn no_certificate_demanded(expectation: &Expectation) -> Error {
    Error::new(
        ErrorKind::UntrustedSigner,
        "the record is signed with a certificate, and only keys are demanded; demand the identity of its holder",
    )
    .with("expected", expectation.identity.shown())
    .with("found", "a certificate")
}

fn no_key_demanded(expectation: &Expectation) -> Error {
    Error::new(
        ErrorKind::UntrustedSigner,
        "the record is signed with a key, and only certificates are demanded; name the signer's key",
    )
    .with("expected", expectation.identity.shown())
    .with("found", "a key")
}

fn shortened(found: &[String]) -> String {
    let first = found.first().map_or("nothing", String::as_str);
    match found.len() {
        0 | 1 => format!("`{first}`"),
        n => format!("`{first}` and {} more", n - 1),
    }
}
