//! `verify`: a record of an artifact, against keys that are named.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::answer::Answer;
use super::input::{digest, named, record};
use super::predicate_names::{KnownType, short};
use super::settings::Settings;
use super::sign::insert;
use super::text::Page;
use super::verify_provenance::Content;
use crate::error::Result;
use crate::key::read_public;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, Window};
use crate::verifier::{Artifact, Expectation, Identity, Verifier};

#[derive(Args)]
pub(crate) struct Verify {
    /// The artifact: a file, or its sha256:HEX.
    #[arg(value_name = "FILE|DIGEST")]
    artifact: String,
    /// The record: a Sigstore bundle or a DSSE envelope.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Public key of one who may have signed, FILE or NAME=FILE.
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<String>,
    /// The type of statement it must be.
    #[arg(long = "type", value_name = "TYPE")]
    known: Option<KnownType>,
    /// When it was signed [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    content: Content,
}

impl Verify {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut root = TrustRoot::new();
        let mut names = Vec::new();
        for key in &self.keys {
            let (name, path) = if key.contains('=') { named(key)? } else { (key.as_str(), key.as_ref()) };
            root = root.with_key(name, read_public(path)?, Window::ALWAYS)?;
            names.push(name.to_owned());
        }
        let record = record(&self.bundle)?;
        let artifact = digest(&self.artifact)?;
        let at = self.at.map_or_else(|| settings.now(), Ok)?;
        let mut expectation = Expectation::new(Artifact::Is(artifact.clone()), Identity::OneOf(names), at);
        if let Some(known) = self.known {
            expectation = expectation.require_type(known.uri());
        }
        let verified = Verifier::new(root).verify(&record, &expectation)?;
        let statement = verified.value();
        let mut page = Page::default();
        page.field("type", short(statement.predicate_type())).field("digest", &artifact);
        for signer in verified.signers() {
            page.field("signer", &signer.name).field("key id", &signer.key_id);
        }
        page.field("payload", statement.payload_digest());
        let signers: Vec<_> = verified
            .signers()
            .iter()
            .map(|s| json!({ "name": s.name, "keyId": s.key_id, "keyType": s.key_type.name() }))
            .collect();
        let content = self.content.check(&verified, &mut page)?;
        let mut value = json!({
            "type": statement.predicate_type(),
            "digest": artifact.to_string(),
            "signers": signers,
            "payload": statement.payload_digest().to_string(),
        });
        content.into_iter().for_each(|(name, member)| insert(&mut value, name, member));
        Ok(Answer::new(page.finish(), value))
    }
}
