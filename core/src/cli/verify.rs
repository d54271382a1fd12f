//! `verify`: a record of an artifact, or the signature of a file, against the signers that are named.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::record;
use super::predicate_names::{KnownType, short};
use super::settings::Settings;
use super::sign::insert;
use super::text::Page;
use super::verify_provenance::Content;
use super::verify_signer::{RootUsed, Signer};
use crate::bundle::{self, Bundle};
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::{Artifact, Blob, Expectation, Verified, Verifier};

#[derive(Args)]
pub(crate) struct Verify {
    /// The artifact: a file, or its sha256:HEX.
    #[arg(value_name = "FILE|DIGEST")]
    artifact: String,
    /// The record or signature: a Sigstore bundle or a DSSE envelope.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The type of statement it must be.
    #[arg(long = "type", value_name = "TYPE")]
    known: Option<KnownType>,
    /// When it was signed by a key, or the present [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    signer: Signer,
    #[command(flatten)]
    content: Content,
}

/// How records name files: npm by SHA-512, nearly everybody else by SHA-256.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha384];

impl Verify {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let (root, identity, used) = self.signer.trust(settings)?;
        let record = record(&self.bundle)?;
        let at = self.at.map_or_else(|| settings.now(), Ok)?;
        let mut expectation = self.signer.demand(Expectation::of_signer(identity, at))?;
        if let Some(known) = self.known {
            expectation = expectation.require_type(known.uri());
        }
        let verifier = Verifier::new(root);
        if matches!(Bundle::parse(&record)?.content(), bundle::Content::Message(_)) {
            return self.blob(&verifier, &record, &expectation, &used);
        }
        let (verified, digest) = self.record(&verifier, &record, &expectation)?;
        let statement = verified.value();
        let mut page = Page::default();
        page.field("type", short(statement.predicate_type())).field("digest", &digest);
        let mut value = json!({
            "type": statement.predicate_type(),
            "digest": digest.to_string(),
            "payload": statement.payload_digest().to_string(),
        });
        tell(&verified, &used, &mut page, &mut value)?;
        page.field("payload", statement.payload_digest());
        let content = self.content.check(&verified, &mut page)?;
        content.into_iter().for_each(|(name, member)| insert(&mut value, name, member));
        Ok(Answer::new(page.finish(), value))
    }

    /// A record of the artifact, and by which of its digests.
    fn record(
        &self,
        verifier: &Verifier,
        record: &[u8],
        expectation: &Expectation,
    ) -> Result<(Verified<Statement>, Digest)> {
        let digests = match given(&self.artifact)? {
            Some(digest) => vec![digest],
            None => {
                let set = DigestSet::of_file(Path::new(&self.artifact), &ALGORITHMS)?;
                ALGORITHMS.iter().filter_map(|a| set.get(*a)).collect()
            }
        };
        let mut refusal = None;
        for digest in digests {
            match verifier.verify(record, &expectation.clone().require_artifact(Artifact::Is(digest.clone()))) {
                Ok(verified) => return Ok((verified, digest)),
                Err(e) if e.kind() == ErrorKind::DigestMismatch => _ = refusal.get_or_insert(e),
                Err(e) => return Err(e),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::Internal, "the artifact was not hashed")))
    }

    fn blob(&self, verifier: &Verifier, record: &[u8], expectation: &Expectation, used: &RootUsed) -> Result<Answer> {
        self.content.check_none()?;
        let verified = match given(&self.artifact)? {
            Some(digest) => verifier.verify_blob(record, Blob::Digest(digest), expectation)?,
            None => {
                let path = Path::new(&self.artifact);
                let mut file = limits::open_file("a file", path)?;
                verifier.verify_blob(record, Blob::Reader(&mut file), expectation)?
            }
        };
        let mut page = Page::default();
        page.field("digest", verified.value());
        let mut value = json!({ "digest": verified.value().to_string() });
        tell(&verified, used, &mut page, &mut value)?;
        Ok(Answer::new(page.finish(), value))
    }
}

/// The digest, if it was given in the place of a file.
fn given(artifact: &str) -> Result<Option<Digest>> {
    let is_digest =
        ALGORITHMS.iter().any(|a| artifact.strip_prefix(a.name()).is_some_and(|rest| rest.starts_with(':')));
    if is_digest { artifact.parse().map(Some) } else { Ok(None) }
}

/// Tells who signed, what vouches for it, and whose word that is.
fn tell<T>(verified: &Verified<T>, used: &RootUsed, page: &mut Page, value: &mut Value) -> Result<()> {
    for signer in verified.signers() {
        page.field("signer", &signer.name);
        if let Some(claims) = &signer.certificate {
            page.field("issuer", &claims.issuer);
        }
        page.field("key id", &signer.key_id);
    }
    for entry in verified.log_entries() {
        page.field("log", format_args!("{} {}", entry.log, entry.index));
        for witness in &entry.witnesses {
            page.field("witness", format_args!("{} {}", witness.witness, witness.at));
        }
    }
    for stamp in verified.timestamps() {
        page.field("stamp", format_args!("{} {}", stamp.authority, stamp.at));
    }
    if let Some(at) = verified.signed_at() {
        page.field("signed", at);
        insert(value, "signedAt", json!(at));
    }
    if !matches!(used, RootUsed::None) {
        page.field("root", used);
        insert(value, "trustedRoot", to_json(used)?);
    }
    insert(value, "signers", to_json(&verified.signers())?);
    insert(value, "logEntries", to_json(&verified.log_entries())?);
    insert(value, "timestamps", to_json(&verified.timestamps())?);
    Ok(())
}
