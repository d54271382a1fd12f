//! Keys in the transit engine of Vault or OpenBao.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::external::{checked, failed, require_ecdsa};
use super::service::{unreachable, wait};
use super::{Signer, VaultAccess};
use crate::address::is_here;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::key::PublicKey;
use crate::limits;

/// Signs with the version of a transit key that was the newest when it was opened.
pub(super) struct VaultSigner {
    vault: Vault,
    key: String,
    version: u64,
    public: PublicKey,
}

/// A transit engine.
pub(crate) struct Vault {
    client: Client,
    mount: Url,
    token: HeaderValue,
    pub(crate) name: String,
    time_limit: Duration,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct KeyAnswer {
    #[serde(rename = "type")]
    kind: String,
    latest_version: u64,
    keys: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct SignAnswer {
    signature: String,
}

impl VaultSigner {
    /// Opens the key that `rest` of `hashivault:REST` names.
    pub(super) fn open(rest: &str, access: &VaultAccess, time_limit: Duration) -> Result<Self> {
        let key = key_name(rest)?;
        let vault = Vault::new(access, format!("the Vault key `{key}`"), time_limit)?;
        let found: KeyAnswer = vault.ask(Method::GET, &format!("keys/{key}"), None)?;
        if !["ecdsa-p256", "ecdsa-p384"].contains(&found.kind.as_str()) {
            let kind = found.kind.escape_debug();
            let why =
                format!("expected a key of type `ecdsa-p256` or `ecdsa-p384`, found {} of type `{kind}`", vault.name);
            return Err(Error::new(ErrorKind::Unsupported, why).with("found", kind));
        }
        let version = found.latest_version;
        let pem = found.keys.get(&version.to_string()).and_then(|key| key.get("public_key")).and_then(Value::as_str);
        let pem = pem.ok_or_else(|| failed(&vault.name, "did not tell its public half"))?;
        let public = PublicKey::from_pem(pem.as_bytes()).map_err(|e| e.while_doing(&vault.name))?;
        require_ecdsa(&vault.name, &public)?;
        Ok(Self { vault, key: key.to_owned(), version, public })
    }
}

impl Signer for VaultSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let question = json!({
            "input": STANDARD.encode(digest.bytes()),
            "prehashed": true,
            "hash_algorithm": if digest.bytes().len() == 48 { "sha2-384" } else { "sha2-256" },
            "marshaling_algorithm": "asn1",
            "key_version": self.version,
        });
        let answer: SignAnswer = self.vault.ask(Method::POST, &format!("sign/{}", self.key), Some(&question))?;
        // vault:v1:BASE64
        let signature = answer.signature.rsplit(':').next().and_then(|text| STANDARD.decode(text).ok());
        let signature =
            signature.ok_or_else(|| failed(&self.vault.name, "answered with something else than a signature"))?;
        checked(&self.vault.name, &self.public, digest, signature)
    }
}

impl Vault {
    pub(crate) fn new(access: &VaultAccess, name: String, time_limit: Duration) -> Result<Self> {
        let wrong =
            |what: &str| Error::new(ErrorKind::ApiMisuse, format!("{what}; give it as Vault's own tools take it"));
        let mut mount: Url = access.address.parse().map_err(|_| wrong("the address of Vault is no URL"))?;
        let is_local = mount.host_str().is_some_and(is_here);
        if mount.scheme() != "https" && !(mount.scheme() == "http" && is_local) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the address of Vault is neither https nor on this machine, and the token would travel readable; use https",
            ));
        }
        if !access.mount.split('/').all(is_name) {
            return Err(wrong("the mount of Vault's transit engine is no path of names"));
        }
        mount.set_path(&format!("{}/v1/{}/", mount.path().trim_end_matches('/'), access.mount));
        let mut token = HeaderValue::from_str(&access.token).map_err(|_| wrong("the token for Vault is none"))?;
        token.set_sensitive(true);
        // the token goes nowhere but where it was meant to
        let client = Client::builder().redirect(redirect::Policy::none()).build();
        let client = client.map_err(|e| {
            Error::new(ErrorKind::Internal, "could not set up a client for Vault; report it").caused_by(e)
        })?;
        Ok(Self { client, mount, token, name, time_limit })
    }

    pub(crate) fn ask<T: DeserializeOwned + Send>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        let url = self.mount.join(path).map_err(|e| failed(&self.name, "has no address").caused_by(e))?;
        let mut request = self.client.request(method, url).header("X-Vault-Token", self.token.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, bytes) = wait(&self.name, self.time_limit, self.answer(request))?;
        if status == StatusCode::NOT_FOUND {
            let missing = format!("{} is not there; check its name, and the mount of the transit engine", self.name);
            return Err(Error::new(ErrorKind::NotFound, missing));
        }
        if !status.is_success() {
            let told = String::from_utf8_lossy(&bytes);
            let why = format!("answered {status}: `{}`", told.trim().escape_debug());
            return Err(failed(&self.name, &why).with("status", status.as_u16()));
        }
        let answer: Answer<T> = serde_json::from_slice(&bytes)
            .map_err(|e| failed(&self.name, &format!("answered with something else than Vault does: {e}")))?;
        Ok(answer.data)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>)> {
        let unreachable = |e: reqwest::Error| {
            let e = e.without_url();
            unreachable(&self.name, &format!("could not be asked: {}", with_causes(&e))).caused_by(e)
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > limits::SERVICE_ANSWER_BYTES {
                return Err(failed(
                    &self.name,
                    &format!("answered with more than {} bytes", limits::SERVICE_ANSWER_BYTES),
                ));
            }
        }
        Ok((answer.status(), bytes))
    }
}

/// The name of the key that `rest` of `hashivault:REST` names: `//NAME`.
pub(crate) fn key_name(rest: &str) -> Result<&str> {
    rest.strip_prefix("//").filter(|name| is_name(name)).ok_or_else(|| {
        Error::new(
            ErrorKind::Malformed,
            format!("expected `hashivault://` with the name of a key, found `hashivault:{}`", rest.escape_debug()),
        )
    })
}

/// A name of a key or of a part of a path, which leads nowhere else.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().any(|c| c != '.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
