//! Signing by an identity token, timestamps, and fetching trusted roots. The calls that ask a service touch the network.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;
use sealwright::{Result, keyless};

use crate::data::{Json, environment, now};
use crate::record::Statement;
use crate::trust::TrustRoot;
use crate::work::{Work, at_once, later};

/// The services that make a keyless signature: a certificate authority, transparency logs, timestamp authorities.
#[napi(namespace = "keyless")]
pub struct Services(keyless::Services);

#[napi(namespace = "keyless")]
impl Services {
    /// Those of a Sigstore signing configuration v0.2 that are in use.
    #[napi]
    pub fn from_signing_config(
        env: Env,
        config: &[u8],
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || keyless::Services::from_signing_config(config, now(at)?).map(Self))
    }

    /// Sigstore's public-good instance, by `config` or the copy that is built in.
    ///
    /// It publishes the signer's e-mail address or workflow for ever: `knowing` must be `my-identity-is-published-for-ever`.
    #[napi]
    pub fn public_good(
        env: Env,
        knowing: String,
        config: Option<&[u8]>,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || keyless::Services::public_good(knowing.parse()?, config, now(at)?).map(Self))
    }

    /// Sigstore's staging instance, which is public, and for tests.
    #[napi]
    pub fn staging(env: Env, #[napi(ts_arg_type = "Time")] at: Option<Json>) -> napi::Result<Self> {
        at_once(&env, || keyless::Services::staging(now(at)?).map(Self))
    }

    /// The audience that a token must be for.
    #[napi(getter)]
    pub fn audience(&self) -> &str {
        self.0.audience()
    }

    /// The addresses that a signature goes through, in this order.
    #[napi(getter)]
    pub fn addresses(&self) -> Vec<&str> {
        self.0.addresses().collect()
    }
}

/// An OpenID Connect identity token. It cannot be shown; its memory is overwritten when it is let go.
#[napi(namespace = "keyless")]
pub struct Token(Arc<keyless::Token>);

#[napi(namespace = "keyless")]
impl Token {
    /// Takes a token as its issuer wrote it (a JWT).
    #[napi]
    pub fn parse(env: Env, text: String) -> napi::Result<Self> {
        at_once(&env, || keyless::Token::parse(&text).map(Self::of))
    }

    /// Reads a token from a file.
    #[napi(ts_return_type = "Promise<Token>")]
    pub fn read(path: String) -> AsyncTask<Work<Token>> {
        later(move || keyless::Token::read(Path::new(&path)).map(Self::of))
    }

    /// As `read`, at once.
    #[napi]
    pub fn read_sync(env: Env, path: String) -> napi::Result<Self> {
        at_once(&env, || keyless::Token::read(Path::new(&path)).map(Self::of))
    }

    /// The token for `audience` that a CI system or a cloud gives to this job; `null` outside of them.
    ///
    /// The variables are those of this process unless others are given.
    #[napi(ts_return_type = "Promise<Token | null>")]
    pub fn ambient(
        audience: String,
        #[napi(ts_arg_type = "Variables")] variables: Option<Json>,
    ) -> AsyncTask<Work<Option<Token>>> {
        later(move || Self::of_surroundings(&audience, variables.as_ref()))
    }

    /// As `ambient`, at once.
    #[napi]
    pub fn ambient_sync(
        env: Env,
        audience: String,
        #[napi(ts_arg_type = "Variables")] variables: Option<Json>,
    ) -> napi::Result<Option<Token>> {
        at_once(&env, || Self::of_surroundings(&audience, variables.as_ref()))
    }

    /// What a signature with it makes public.
    #[napi(getter, ts_return_type = "{ issuer: string; identity: string; details: Record<string, string> }")]
    pub fn publication(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.publication()))
    }

    /// Until when it is valid, by its own words.
    #[napi(getter)]
    pub fn expires_at(&self) -> String {
        self.0.expires_at().to_string()
    }
}

impl Token {
    fn of(token: keyless::Token) -> Self {
        Self(Arc::new(token))
    }

    fn of_surroundings(audience: &str, variables: Option<&Json>) -> Result<Option<Self>> {
        Ok(keyless::ambient_token(&environment(variables)?, audience)?.map(Self::of))
    }
}

/// Signs a Statement by an identity token: a record, verified against `trust` before it is given.
#[napi(namespace = "keyless", js_name = "signStatement", ts_return_type = "Promise<Buffer>")]
pub fn keyless_sign_statement(
    statement: &Statement,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> AsyncTask<Work<Buffer>> {
    let (statement, services) = (Arc::clone(&statement.0), services.0.clone());
    let (token, trust) = (Arc::clone(&token.0), trust.0.clone());
    later(move || keyless::sign_statement(&statement, &services, &token, &trust, now(at)?).map(Buffer::from))
}

/// As `signStatement`, at once.
#[napi(namespace = "keyless", js_name = "signStatementSync")]
pub fn keyless_sign_statement_sync(
    env: Env,
    statement: &Statement,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Buffer> {
    at_once(&env, || keyless::sign_statement(&statement.0, &services.0, &token.0, &trust.0, now(at)?).map(Buffer::from))
}

/// Signs the artifact with this digest (`sha256:<hex>`) by an identity token, likewise.
#[napi(namespace = "keyless", js_name = "signBlob", ts_return_type = "Promise<Buffer>")]
pub fn keyless_sign_blob(
    artifact: String,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> AsyncTask<Work<Buffer>> {
    let (services, token, trust) = (services.0.clone(), Arc::clone(&token.0), trust.0.clone());
    later(move || keyless::sign_blob(&artifact.parse()?, &services, &token, &trust, now(at)?).map(Buffer::from))
}

/// As `signBlob`, at once.
#[napi(namespace = "keyless", js_name = "signBlobSync")]
pub fn keyless_sign_blob_sync(
    env: Env,
    artifact: String,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Buffer> {
    at_once(&env, || {
        keyless::sign_blob(&artifact.parse()?, &services.0, &token.0, &trust.0, now(at)?).map(Buffer::from)
    })
}

/// Adds a timestamp of the RFC 3161 authority at `url`, which `trust` must believe, to a signed record.
#[napi(namespace = "keyless", js_name = "timestamp", ts_return_type = "Promise<Buffer>")]
pub fn keyless_timestamp(record: &[u8], url: String, trust: &TrustRoot) -> AsyncTask<Work<Buffer>> {
    let (record, trust) = (record.to_vec(), trust.0.clone());
    later(move || keyless::timestamp(&record, &url, &trust).map(Buffer::from))
}

/// As `timestamp`, at once.
#[napi(namespace = "keyless", js_name = "timestampSync")]
pub fn keyless_timestamp_sync(env: Env, record: &[u8], url: String, trust: &TrustRoot) -> napi::Result<Buffer> {
    at_once(&env, || keyless::timestamp(record, &url, &trust.0).map(Buffer::from))
}

/// A TUF repository of trusted roots, and the `root.json` that trust in it begins with.
#[napi(namespace = "keyless")]
pub struct RootSource(keyless::RootSource);

#[napi(namespace = "keyless")]
impl RootSource {
    /// The repository at `url`; get its `root.json` on a way you trust.
    #[napi(constructor)]
    pub fn new(url: String, pinned: &[u8]) -> Self {
        Self(keyless::RootSource::new(url, pinned))
    }

    /// That of Sigstore's public-good instance.
    #[napi]
    pub fn public_good() -> Self {
        Self(keyless::RootSource::public_good())
    }

    /// That of Sigstore's staging instance.
    #[napi]
    pub fn staging() -> Self {
        Self(keyless::RootSource::staging())
    }

    /// That of GitHub's own instance.
    #[napi]
    pub fn github() -> Self {
        Self(keyless::RootSource::github())
    }
}

/// A folder with all trusted roots that were ever fetched from one source.
#[napi(namespace = "keyless")]
pub struct RootArchive(keyless::RootArchive);

#[napi(namespace = "keyless")]
impl RootArchive {
    /// The archive in this folder, which need not exist yet.
    #[napi(constructor)]
    pub fn new(folder: String) -> Self {
        Self(keyless::RootArchive::at(folder))
    }

    /// Fetches the newest root over the network, by TUF; past ones stay. Gives the newest root, and whether it is new.
    #[napi(ts_return_type = "Promise<[ArchivedRoot, boolean]>")]
    pub fn refresh(
        &self,
        source: &RootSource,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> AsyncTask<Work<Json>> {
        let (archive, source) = (self.0.clone(), source.0.clone());
        later(move || Json::of(&archive.refresh(&source, now(at)?)?))
    }

    /// As `refresh`, at once.
    #[napi(ts_return_type = "[ArchivedRoot, boolean]")]
    pub fn refresh_sync(
        &self,
        env: Env,
        source: &RootSource,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.refresh(&source.0, now(at)?)?))
    }

    /// All roots, the oldest first.
    #[napi(ts_return_type = "ArchivedRoot[]")]
    pub fn roots_sync(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.roots()?))
    }

    /// All roots, the oldest first.
    #[napi(ts_return_type = "Promise<ArchivedRoot[]>")]
    pub fn roots(&self) -> AsyncTask<Work<Json>> {
        let archive = self.0.clone();
        later(move || Json::of(&archive.roots()?))
    }

    /// One trusted root of all, for `TrustRoot.withSigstore`.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn trusted_root(&self) -> AsyncTask<Work<Buffer>> {
        let archive = self.0.clone();
        later(move || archive.trusted_root().map(Buffer::from))
    }

    /// One trusted root of all, for `TrustRoot.withSigstore`.
    #[napi]
    pub fn trusted_root_sync(&self, env: Env) -> napi::Result<Buffer> {
        at_once(&env, || self.0.trusted_root().map(Buffer::from))
    }

    /// The signing configuration that came with the newest root, for `Services.fromSigningConfig`.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn signing_config(&self) -> AsyncTask<Work<Buffer>> {
        let archive = self.0.clone();
        later(move || archive.signing_config().map(Buffer::from))
    }

    /// The signing configuration that came with the newest root, for `Services.fromSigningConfig`.
    #[napi]
    pub fn signing_config_sync(&self, env: Env) -> napi::Result<Buffer> {
        at_once(&env, || self.0.signing_config().map(Buffer::from))
    }
}
