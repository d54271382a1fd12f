//! Statements, signing and verifying.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;
use sealwright::{Result, key, signer, statement, trust, verifier};

use crate::data::{Json, now};
use crate::key::PrivateKey;
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

    /// The record, byte for byte as it was given.
    #[napi(getter)]
    pub fn record(&self) -> Buffer {
        self.0.record().into()
    }
}

/// Verifies records against trusted keys.
#[napi]
pub struct Verifier(Arc<verifier::Verifier>);

#[napi]
impl Verifier {
    /// Believes these keys, by name.
    #[napi(constructor)]
    pub fn new(env: Env, #[napi(ts_arg_type = "TrustedKeys")] keys: Json) -> napi::Result<Self> {
        at_once(&env, || verifier_of(&keys).map(|v| Self(Arc::new(v))))
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
}

/// Verifies a record against trusted keys, as a Verifier does.
#[napi(ts_return_type = "Promise<Verified>")]
pub fn verify(
    record: &[u8],
    #[napi(ts_arg_type = "TrustedKeys")] keys: Json,
    #[napi(ts_arg_type = "Expectation")] expectation: Json,
) -> AsyncTask<Work<Verified>> {
    let record = record.to_vec();
    later(move || verified(&verifier_of(&keys)?, &record, &expectation))
}

/// Verifies a record against trusted keys, as a Verifier does.
#[napi]
pub fn verify_sync(
    env: Env,
    record: &[u8],
    #[napi(ts_arg_type = "TrustedKeys")] keys: Json,
    #[napi(ts_arg_type = "Expectation")] expectation: Json,
) -> napi::Result<Verified> {
    at_once(&env, || verified(&verifier_of(&keys)?, record, &expectation))
}

fn verifier_of(keys: &Json) -> Result<verifier::Verifier> {
    trust::TrustRoot::from_json(keys.as_bytes()).map(verifier::Verifier::new)
}

fn verified(verifier: &verifier::Verifier, record: &[u8], expectation: &Json) -> Result<Verified> {
    let expectation = verifier::Expectation::from_json(expectation.as_bytes(), now(None)?)?;
    verifier.verify(record, &expectation).map(Verified::of)
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[napi(ts_return_type = "Promise<Buffer>")]
pub fn sign(statement: &Statement, key: &PrivateKey) -> AsyncTask<Work<Buffer>> {
    let (statement, key) = (Arc::clone(&statement.0), Arc::clone(&key.0));
    later(move || signed(&statement, &key))
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[napi]
pub fn sign_sync(env: Env, statement: &Statement, key: &PrivateKey) -> napi::Result<Buffer> {
    at_once(&env, || signed(&statement.0, &key.0))
}

fn signed(statement: &statement::Statement, key: &key::PrivateKey) -> Result<Buffer> {
    signer::sign(statement, key).map(|bundle| bundle.to_json().into())
}
