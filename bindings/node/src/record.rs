//! Statements and verifying.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer, ClassInstance, Either, Either3, Uint8Array};
use napi_derive::napi;
use sealwright::{Result, statement, verifier};

use crate::blob::{Blob, BlobFile};
use crate::data::{Json, now};
use crate::trust::{TrustRoot, root};
use crate::work::{Work, at_once, later};

/// An in-toto Statement: what is said (the predicate) about what (the subjects).
#[napi]
pub struct Statement(pub(crate) Arc<statement::Statement>);

impl Statement {
    pub(crate) fn of(statement: statement::Statement) -> Self {
        Self(Arc::new(statement))
    }
}

#[napi]
impl Statement {
    /// A new Statement. A known predicate type is held against its specification, an unknown one is taken as it is.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        predicate_type: String,
        #[napi(ts_arg_type = "ResourceDescriptor[]")] subjects: Json,
        #[napi(ts_arg_type = "Record<string, unknown>")] predicate: Json,
    ) -> napi::Result<Self> {
        at_once(&env, || {
            let (subjects, predicate) = (subjects.read("subjects")?, predicate.read("predicate")?);
            statement::Statement::from_json(&predicate_type, subjects, &predicate).map(Self::of)
        })
    }

    /// Reads a payload as it was signed.
    #[napi]
    pub fn parse(env: Env, payload: &[u8]) -> napi::Result<Self> {
        at_once(&env, || statement::Statement::parse(payload.to_vec()).map(Self::of))
    }

    /// The bytes that were or will be signed.
    #[napi(getter)]
    pub fn payload(&self) -> Buffer {
        self.0.payload().into()
    }

    /// SHA-256 of the payload, by which other records name this one.
    #[napi(getter)]
    pub fn payload_digest(&self) -> String {
        self.0.payload_digest().to_string()
    }

    /// The type of the predicate.
    #[napi(getter)]
    pub fn predicate_type(&self) -> &str {
        self.0.predicate_type()
    }

    /// What it is about, each with a digest.
    #[napi(getter, ts_return_type = "ResourceDescriptor[]")]
    pub fn subjects(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.subjects()))
    }

    /// What it says.
    #[napi(getter, ts_return_type = "Record<string, unknown>")]
    pub fn predicate(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.predicate_json()?))
    }
}

/// Proof that a record was signed as demanded. Made only by verifying.
#[napi]
pub struct Verified(pub(crate) Arc<verifier::Verified<statement::Statement>>);

impl Verified {
    pub(crate) fn of(verified: verifier::Verified<statement::Statement>) -> Self {
        Self(Arc::new(verified))
    }
}

#[napi]
impl Verified {
    /// What was signed.
    #[napi(getter)]
    pub fn statement(&self) -> Statement {
        Statement::of(self.0.value().clone())
    }

    /// Those who signed.
    #[napi(getter, ts_return_type = "SignedBy[]")]
    pub fn signers(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.signers()))
    }

    /// When it was signed at the latest, as a log or a timestamp authority says; RFC 3339.
    #[napi(getter)]
    pub fn signed_at(&self) -> Option<String> {
        self.0.signed_at().map(|at| at.to_string())
    }

    /// The transparency logs that hold the signature.
    #[napi(getter, ts_return_type = "Logged[]")]
    pub fn log_entries(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.log_entries()))
    }

    /// The timestamps over the signature.
    #[napi(getter, ts_return_type = "Timestamped[]")]
    pub fn timestamps(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.timestamps()))
    }

    /// The record, byte for byte as it was given.
    #[napi(getter)]
    pub fn record(&self) -> Buffer {
        self.0.record().into()
    }
}

/// A trust root, or no more than its signers.
type Trust<'a> = Either<ClassInstance<'a, TrustRoot>, Json>;

/// Verifies records and signed files against what a trust root believes.
#[napi]
pub struct Verifier(Arc<verifier::Verifier>);

#[napi]
impl Verifier {
    /// Believes a trust root, or no more than these signers.
    #[napi(constructor)]
    pub fn new(env: Env, #[napi(ts_arg_type = "TrustRoot | TrustedSigners")] trust: Trust<'_>) -> napi::Result<Self> {
        at_once(&env, || root(&trust).map(|trust| Self(Arc::new(verifier::Verifier::new(trust)))))
    }

    /// Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement.
    #[napi(ts_return_type = "Promise<Verified>")]
    pub fn verify(
        &self,
        record: &[u8],
        #[napi(ts_arg_type = "Expectation")] expectation: Json,
    ) -> AsyncTask<Work<Verified>> {
        let (verifier, record) = (Arc::clone(&self.0), record.to_vec());
        later(move || verified(&verifier, &record, &expectation))
    }

    /// Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement.
    #[napi]
    pub fn verify_sync(
        &self,
        env: Env,
        record: &[u8],
        #[napi(ts_arg_type = "Expectation")] expectation: Json,
    ) -> napi::Result<Verified> {
        at_once(&env, || verified(&self.0, record, &expectation))
    }

    /// Verifies a Sigstore bundle with the signature of a blob: bytes, a file, or its digest.
    #[napi(ts_return_type = "Promise<VerifiedBlob>")]
    pub fn verify_blob(
        &self,
        bundle: &[u8],
        blob: Either3<String, Uint8Array, BlobFile>,
        #[napi(ts_arg_type = "BlobExpectation")] expectation: Json,
    ) -> AsyncTask<Work<Json>> {
        let (verifier, bundle, blob) = (Arc::clone(&self.0), bundle.to_vec(), Blob::from(blob));
        later(move || verified_blob(&verifier, &bundle, blob, &expectation))
    }

    /// As `verifyBlob`, at once.
    #[napi(ts_return_type = "VerifiedBlob")]
    pub fn verify_blob_sync(
        &self,
        env: Env,
        bundle: &[u8],
        blob: Either3<String, Uint8Array, BlobFile>,
        #[napi(ts_arg_type = "BlobExpectation")] expectation: Json,
    ) -> napi::Result<Json> {
        at_once(&env, || verified_blob(&self.0, bundle, blob.into(), &expectation))
    }
}

/// Verifies a record, as a Verifier does.
#[napi(ts_return_type = "Promise<Verified>")]
pub fn verify(
    record: &[u8],
    #[napi(ts_arg_type = "TrustRoot | TrustedSigners")] trust: Trust<'_>,
    #[napi(ts_arg_type = "Expectation")] expectation: Json,
) -> AsyncTask<Work<Verified>> {
    let (record, trust) = (record.to_vec(), root(&trust));
    later(move || verified(&verifier::Verifier::new(trust?), &record, &expectation))
}

/// Verifies a record, as a Verifier does.
#[napi]
pub fn verify_sync(
    env: Env,
    record: &[u8],
    #[napi(ts_arg_type = "TrustRoot | TrustedSigners")] trust: Trust<'_>,
    #[napi(ts_arg_type = "Expectation")] expectation: Json,
) -> napi::Result<Verified> {
    at_once(&env, || verified(&verifier::Verifier::new(root(&trust)?), record, &expectation))
}

fn verified(verifier: &verifier::Verifier, record: &[u8], expectation: &Json) -> Result<Verified> {
    let expectation = verifier::Expectation::from_json(expectation.as_bytes(), now(None)?)?;
    verifier.verify(record, &expectation).map(Verified::of)
}

fn verified_blob(verifier: &verifier::Verifier, bundle: &[u8], blob: Blob, expectation: &Json) -> Result<Json> {
    let expectation = verifier::Expectation::from_json(expectation.as_bytes(), now(None)?)?;
    Json::of(&blob.work(|blob| verifier.verify_blob(bundle, blob, &expectation))?)
}
