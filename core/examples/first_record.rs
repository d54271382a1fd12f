//! Makes a key, signs provenance for a file, verifies it, keeps it in a ledger and finds it again.
//!
//! `cargo run -p sealwright --example first_record FILE FOLDER`

use std::path::Path;

use sealwright::Result;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Found, Ledger, Query};
use sealwright::policy::{PolicyBundle, starter_bundle};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::trust_policy::{self, key_descriptor};
use sealwright::verifier::{Artifact, Expectation, Identity, Verifier};
use sealwright::{gate, json};
use serde_json::json;

/// The lines of the README. `key` is one that the trust policy of the ledger lets say provenance.
pub(crate) fn first_record(file: &Path, ledger: &mut Ledger, key: &PrivateKey, now: Timestamp) -> Result<Found> {
    let digest = Digest::of_file(file)?;
    let subject = ResourceDescriptor::of(digest.clone()).named(file.display().to_string());
    let said = json!({
        "buildDefinition": {"buildType": "https://example.org/build/v1", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.org/builders/main"}},
    });
    let record = sign(&Statement::from_json("https://slsa.dev/provenance/v1", vec![subject], &said)?, key)?.to_json();
    let trusted = TrustRoot::new().with_key("builder", key.public().clone(), Window::ALWAYS)?;
    let demand = Expectation::new(Artifact::Is(digest.clone()), Identity::key("builder"), now);
    let verified = Verifier::new(trusted).verify(&record, &demand)?;
    let receipt = ledger.append(&verified, now)?;
    receipt.verify(&record, ledger.log_key())?;
    let mut query = Query::everything();
    query.digest = Some(digest.to_string());
    ledger.search(&query)
}

/// A new ledger in which `key`, called `builder`, may sign the trust policy and say provenance.
pub(crate) fn own_ledger(folder: &Path, key: &PrivateKey, now: Timestamp) -> Result<Ledger> {
    let bundle = PolicyBundle::parse(&starter_bundle()?)?;
    let policy = json!({
        "version": 1, "admins": [{"signer": "builder"}], "threshold": 1, "writers": [], "people": [],
        "signers": [{
            "name": "builder",
            "key": key_descriptor(key.public()),
            "predicateTypes": [
                "https://slsa.dev/provenance/v1", "https://sealwright.dev/attestation/trust-policy/v0.1",
            ],
            "for": [{"builder": "https://example.org/builders/main"}],
        }],
        "revocations": [], "profile": gate::profile(&bundle), "witnesses": [], "quorum": 0,
    });
    let policy = json::parse("trust policy", policy.to_string().as_bytes())?;
    let record = sign(&trust_policy::statement(&policy)?, key)?.to_json();
    let log_key = PrivateKey::generate(KeyType::Ed25519)?;
    let anchors = Anchors::in_folder(folder.join("state"));
    Ledger::init(&folder.join("ledger"), &anchors, "example.org/first-ledger", log_key, &[record], now)
}

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example prints, and knows the time")]
fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (file, folder) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))?;
    let builder = PrivateKey::generate(KeyType::P256)?;
    let mut ledger = own_ledger(folder.as_ref(), &builder, now)?;
    let found = first_record(file.as_ref(), &mut ledger, &builder, now)?;
    for record in found.records {
        println!("entry {} of {}, signed by {}", record.index, found.size, record.speaker.signer);
    }
    Ok(())
}
