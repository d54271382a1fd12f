//! Every parser of outside bytes, by name; shared by `tests/hostile.rs` and the fuzz targets.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwright::bundle::Bundle;
use sealwright::checkpoint::{Checkpoint, SignedCheckpoint, TlogProof, VerifierKey};
use sealwright::digest::{Digest, DigestSet};
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::gate::ArtifactReference;
use sealwright::key::{KeyType, PrivateKey, PublicKey};
#[cfg(feature = "keyless")]
use sealwright::keyless::{Services, Token};
use sealwright::layout::{LayoutExpectation, LayoutKey, Links};
use sealwright::merkle::{BundleId, Hash, TileId, decode_entries, decode_tile, leaf_hash};
#[cfg(feature = "oci")]
use sealwright::oci;
use sealwright::policy::PolicyBundle;
use sealwright::signer::Pkcs11Uri;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::verifier::Artifact;
use sealwright::{Error, ingest, json, layout, sbom};

/// Reads bytes; what it makes of them is dropped, how it refuses them is told.
pub(crate) type Parser = fn(&[u8]) -> Result<(), Error>;

/// A verifier key that no input is signed by.
const LOG: &str = "example.org/log+0f16f9bf+AYJzaq27fslpeUdMlLEDT67UVmjG1xuVqApUOJRXhpUv";

pub(crate) const PARSERS: &[(&str, Parser)] = &[
    ("bundle", |b| Bundle::parse(b).map(|_| ())),
    ("checkpoint", checkpoint),
    ("digest-set", |b| json::parse::<DigestSet>("digest set", b).map(|_| ())),
    ("entries", |b| decode_entries(b, 2).and_then(|_| decode_tile(b, 2)).map(|_| ())),
    ("envelope", |b| Envelope::parse(b).map(|_| ())),
    ("junit", |b| ingest::junit::read(b).map(|_| ())),
    ("key", |b| PublicKey::from_pem(b).map(|_| ()).or_else(|_| PrivateKey::from_pem(b, None).map(|_| ()))),
    ("key-cosign", key_cosign),
    ("key-der", |b| PublicKey::from_spki_der(b).map(|_| ())),
    ("key-jwk", |b| PublicKey::from_jwk(b).map(|_| ())),
    ("layout", layout),
    #[cfg(feature = "oci")]
    ("oci-manifest", oci::check_manifest),
    #[cfg(feature = "oci")]
    ("oci-reference", |b| String::from_utf8_lossy(b).parse::<oci::Reference>().map(|_| ())),
    #[cfg(feature = "oci")]
    ("oci-payload", |b| oci::signed_image(b).map(|_| ())),
    ("policy", |b| PolicyBundle::parse(b).map(|_| ())),
    ("sbom", |b| sbom::read(b).and_then(|_| sbom::validate(b)).map(|_| ())),
    #[cfg(feature = "keyless")]
    ("signing-config", |b| Services::from_signing_config(b, "2026-06-01T00:00:00Z".parse()?).map(|_| ())),
    ("statement", statement),
    ("text", text),
    #[cfg(feature = "keyless")]
    ("token", |b| Token::parse(&String::from_utf8_lossy(b)).map(|t| drop(t.publication()))),
];

fn checkpoint(bytes: &[u8]) -> Result<(), Error> {
    let key: VerifierKey = LOG.parse()?;
    let leaf = leaf_hash(b"entry");
    SignedCheckpoint::parse_and_verify(bytes, &key)
        .map(|_| ())
        .or_else(|_| TlogProof::parse_and_verify(bytes, &leaf, &key).map(|_| ()))
        .or_else(|_| String::from_utf8_lossy(bytes).parse::<Checkpoint>().map(|_| ()))
}

/// What stands in the PEM block of a cosign key, with a passphrase that opens none.
fn key_cosign(bytes: &[u8]) -> Result<(), Error> {
    let pem = format!(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
        STANDARD.encode(bytes)
    );
    PrivateKey::from_pem(pem.as_bytes(), None).map(|_| ())
}

/// As a file, as a key, and as what somebody trusted signed: a layout, and a link.
fn layout(bytes: &[u8]) -> Result<(), Error> {
    static SIGNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::Ed25519).unwrap());
    let listed = format!(
        r#"{{"keyid":"0123456789","keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{}"}}}}"#,
        SIGNER.public().raw().iter().map(|b| format!("{b:02x}")).collect::<String>()
    );
    let chain = format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","inspect":[],"keys":{{"0123456789":{listed}}},"steps":[
            {{"_type":"step","name":"s","pubkeys":["0123456789"],"threshold":1,"expected_products":[["ALLOW","*"]],
              "expected_materials":[["MATCH","*","WITH","PRODUCTS","FROM","s"]]}}]}}"#
    );
    let key = LayoutKey::parse(listed.as_bytes())?;
    let expectation = LayoutExpectation::new(Artifact::AnyUnsafe, "2026-11-21T09:30:00Z".parse()?);
    let verify = |layout: &[u8], link: &[u8]| {
        let links = Links::new().with("s.01234567.link", link);
        layout::verify(layout, std::slice::from_ref(&key), &links, &expectation).map(|_| ())
    };
    let signed = |payload: &[u8]| -> Result<Vec<u8>, Error> {
        let signature = Signature::new(None, SIGNER.sign(&pae(IN_TOTO, payload))?);
        Ok(Envelope::new(IN_TOTO, payload.to_vec(), vec![signature])?.to_json())
    };
    let own = signed(bytes)?;
    verify(&own, b"{}")
        .or_else(|_| verify(&signed(chain.as_bytes())?, &own))
        .or_else(|_| LayoutKey::parse(bytes).map(|_| ()))
        .or_else(|_| verify(bytes, b"{}"))
}

fn statement(bytes: &[u8]) -> Result<(), Error> {
    let statement = Statement::parse(bytes.to_vec())?;
    // derivations that a ledger makes of whatever was signed
    let _ = statement.is_control();
    let _ = statement.tags();
    statement.predicate().map(|_| ())
}

fn text(bytes: &[u8]) -> Result<(), Error> {
    let text = String::from_utf8_lossy(bytes);
    let parsed = [
        text.parse::<Digest>().map(|_| ()),
        text.parse::<Timestamp>().map(|_| ()),
        text.parse::<Hash>().map(|_| ()),
        text.parse::<TileId>().map(|_| ()),
        text.parse::<BundleId>().map(|_| ()),
        text.parse::<VerifierKey>().map(|_| ()),
        text.parse::<ArtifactReference>().map(|_| ()),
        text.parse::<Pkcs11Uri>().map(|_| ()),
    ];
    parsed.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}
