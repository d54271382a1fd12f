//! Signing with a key that lives for one signature, and a certificate that says whose it was.
//!
//! Order: the token is looked at; a key is made; the certificate authority vouches for it; the statement is signed; the
//! timestamp authorities sign the time; only then the logs are told, because what they know they never forget. What
//! comes back from all of them is believed only when the finished bundle verifies.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use sigstore_crypto::KeyPair;
use sigstore_rekor::{DsseEntry, HashedRekord, HashedRekordV2, RekorV2KeyDetails};
use sigstore_types::{DerCertificate, KindVersion, Sha256Hash, SignatureBytes};
use zeroize::Zeroizing;

use super::http::{below, block_on, client, send, wrong_answer};
use super::services::{AUTHORITY, LOG, LogVersion, Services};
use super::stamp::stamp;
use super::token::Token;
use crate::bundle::{Bundle, Content, LogEntry, MessageSignature};
use crate::digest::{Algorithm, Digest};
use crate::envelope::{Envelope, IN_TOTO, Signature, pae};
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;

/// Signs `statement` as the bearer of `token`: a Sigstore bundle v0.3, verified against `trust` before it is given.
///
/// # Errors
/// `API_MISUSE`, `EXPIRED`, `NOT_YET_VALID` for a token that the services won't take, before it is sent; `SIGNER_FAILED`
/// if one of them refuses; `SERVICE_UNAVAILABLE` if one can't be reached or answers wrongly; those of
/// [`Verifier::verify`](crate::verifier::Verifier::verify) if what they gave does not verify.
pub fn sign_statement(
    statement: &Statement,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    now: Timestamp,
) -> Result<Vec<u8>> {
    let digest = sigstore_crypto::sha256(&pae(IN_TOTO, statement.payload()));
    let bundle = make(digest, Some(statement.payload()), services, token, now)?;
    super::check::statement(&bundle, statement, token, trust, now)?;
    Ok(bundle)
}

/// Signs the artifact that has this SHA-256 digest as the bearer of `token`: a Sigstore bundle v0.3 of a message
/// signature, verified against `trust` before it is given.
///
/// # Errors
/// As [`sign_statement`]; `UNSUPPORTED` for another digest.
pub fn sign_blob(
    artifact: &Digest,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    now: Timestamp,
) -> Result<Vec<u8>> {
    let digest = Some(artifact).filter(|a| a.algorithm() == Algorithm::Sha256);
    let digest = digest.and_then(|a| Sha256Hash::try_from(a.bytes()).ok()).ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!("a keyless signature is over a SHA-256 digest, found `{artifact}`; give the artifact's sha256"),
        )
    })?;
    let bundle = make(digest, None, services, token, now)?;
    super::check::blob(&bundle, artifact, token, trust, now)?;
    Ok(bundle)
}

fn make(
    digest: Sha256Hash,
    payload: Option<&[u8]>,
    services: &Services,
    token: &Token,
    now: Timestamp,
) -> Result<Vec<u8>> {
    token.check(&services.audience, now)?;
    if services.timestamp_authorities.is_empty() && services.logs.iter().all(|(_, v)| *v == LogVersion::V2) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            "a log of version 2 signs no time, and no timestamp authority is named; name one, or nobody can say that the \
             certificate was valid when it signed",
        ));
    }
    block_on(async {
        let client = client()?;
        let key = KeyPair::generate_ecdsa_p256().map_err(internal)?;
        let certificate = certify(&client, services, token, &key).await?;
        let signature = key.sign_digest(&digest).map_err(internal)?;
        drop(key);
        let content = match payload {
            Some(payload) => {
                let signature = Signature::new(None, signature.as_bytes().to_vec());
                Content::from(Envelope::new(IN_TOTO, payload.to_vec(), vec![signature])?)
            }
            None => {
                let digest = Digest::new(Algorithm::Sha256, digest.as_bytes())?;
                MessageSignature::new(Some(digest), signature.as_bytes().to_vec()).into()
            }
        };
        let mut bundle = Bundle::of_certificate(content.clone(), certificate.as_bytes().to_vec());
        for authority in &services.timestamp_authorities {
            bundle = bundle.with_timestamp(stamp(&client, authority, signature.as_bytes()).await?);
        }
        for (log, version) in &services.logs {
            let entry = match (version, &content) {
                (LogVersion::V1, Content::Message(_)) => {
                    let entry = HashedRekord::new(&digest, &signature, &certificate);
                    entry_v1(&client, log, &entry, KindVersion::HashedRekordV001).await?
                }
                (LogVersion::V1, Content::Envelope(envelope)) => {
                    let envelope = serde_json::from_slice(&envelope.to_json()).map_err(internal)?;
                    let entry = DsseEntry::new(&envelope, &certificate).map_err(internal)?;
                    entry_v1(&client, log, &entry, KindVersion::DsseV001).await?
                }
                (LogVersion::V2, _) => entry_v2(&client, log, &digest, &signature, &certificate).await?,
            };
            bundle = bundle.with_log_entry(entry);
        }
        Ok(bundle.to_json())
    })
}

/// Fulcio's answer (fulcio.proto, `SigningCertificate`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certified {
    signed_certificate_embedded_sct: Option<ChainOf>,
}

#[derive(Deserialize)]
struct ChainOf {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Has the key certified: the answer's first certificate, its leaf.
async fn certify(client: &Client, services: &Services, token: &Token, key: &KeyPair) -> Result<DerCertificate> {
    let public = key.public_key_der().map_err(internal)?.to_pem();
    let proof = key.sign(token.identity().as_bytes()).map_err(internal)?;
    // a token is base64url and dots, so that it stands in JSON as it is; the text is overwritten when it was sent
    let request = Zeroizing::new(format!(
        r#"{{"credentials":{{"oidcIdentityToken":"{}"}},"publicKeyRequest":{{"publicKey":{{"content":{}}},"proofOfPossession":"{}"}}}}"#,
        token.reveal(),
        serde_json::Value::from(public),
        STANDARD.encode(proof.as_bytes()),
    ));
    let request = client
        .post(below(&services.authority, "api/v2/signingCert"))
        .header(CONTENT_TYPE, "application/json")
        .body(request.as_bytes().to_vec());
    let answer = send(AUTHORITY, request, token.reveal()).await?;
    let certified: Certified =
        serde_json::from_slice(&answer).map_err(|e| wrong_answer(AUTHORITY, &format!("no certificate: {e}")))?;
    let chain = certified
        .signed_certificate_embedded_sct
        .ok_or_else(|| wrong_answer(AUTHORITY, "no certificate with a signed certificate timestamp in it"))?;
    let leaf = chain.chain.certificates.first().ok_or_else(|| wrong_answer(AUTHORITY, "an empty chain"))?;
    DerCertificate::from_pem(leaf).map_err(|e| wrong_answer(AUTHORITY, &e.to_string()))
}

async fn entry_v1(
    client: &Client,
    log: &reqwest::Url,
    entry: &impl serde::Serialize,
    kind: KindVersion,
) -> Result<LogEntry> {
    let answer = send(LOG, client.post(below(log, "api/v1/log/entries")).json(entry), "").await?;
    let entries: BTreeMap<String, sigstore_rekor::LogEntry> =
        serde_json::from_slice(&answer).map_err(|e| wrong_answer(LOG, &e.to_string()))?;
    let entry = entries.into_values().next().ok_or_else(|| wrong_answer(LOG, "no entry"))?;
    let entry = entry.to_bundle_entry(kind).map_err(|e| wrong_answer(LOG, &e.to_string()))?;
    LogEntry::parse(&serde_json::to_vec(&entry).map_err(internal)?).map_err(|e| wrong_answer(LOG, e.message()))
}

/// A statement is logged like an artifact: by the digest of its pre-authentication encoding. Its content stays here.
async fn entry_v2(
    client: &Client,
    log: &reqwest::Url,
    digest: &Sha256Hash,
    signature: &SignatureBytes,
    certificate: &DerCertificate,
) -> Result<LogEntry> {
    let entry =
        HashedRekordV2::new_with_certificate(digest, signature, certificate, RekorV2KeyDetails::PkixEcdsaP256Sha256);
    let answer = send(LOG, client.post(below(log, "api/v2/log/entries")).json(&entry), "").await?;
    LogEntry::parse(&answer).map_err(|e| wrong_answer(LOG, e.message()))
}

/// The services gave something that verifies, and is not what was signed.
pub(super) fn changed() -> Error {
    Error::new(ErrorKind::Internal, "what was signed is not what was to be signed; nothing is given out")
}

fn internal(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, format!("the signature could not be put together: {e}")).caused_by(e)
}
