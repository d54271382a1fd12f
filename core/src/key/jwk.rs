//! Public keys as JSON Web Keys (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::UintRef;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::algorithm::no_verifier;
use super::{KeyType, PublicKey};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// What of a JWK says which key it is and what it is for. Other members (`kid`, `x5c`, …) are not believed.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    key_ops: Option<Vec<String>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<PublicKey> {
    if bytes.len() as u64 > limits::KEY_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the JSON Web Key has {} bytes, over {}; give one key", bytes.len(), limits::KEY_BYTES),
        ));
    }
    let jwk: Jwk = json::parse("JSON Web Key", bytes)?;
    if jwk.d.is_some() || jwk.k.is_some() {
        return Err(malformed(
            "expected a public JSON Web Key, found a private one; give its public half, and keep this file to yourself",
        ));
    }
    let verifies = jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") || !verifies {
        return Err(malformed("the JSON Web Key says that it is not for signatures; give the one that is"));
    }
    let curve = jwk.crv.as_deref().unwrap_or_default();
    let (key_type, algorithms): (_, &[&str]) = match (jwk.kty.as_str(), curve) {
        ("EC", "P-256") => (KeyType::P256, &["ES256"]),
        ("EC", "P-384") => (KeyType::P384, &["ES384"]),
        ("OKP", "Ed25519") => (KeyType::Ed25519, &["EdDSA", "Ed25519"]),
        ("RSA", _) => (KeyType::Rsa, &["RS256", "PS256"]),
        ("EC" | "OKP", other) => return Err(no_verifier(other)),
        (other, _) => return Err(no_verifier(other)),
    };
    if let Some(alg) = jwk.alg.as_deref().filter(|alg| !algorithms.contains(alg)) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "a key of type {key_type} is used with `{}`, not with `{}`",
                algorithms.join("` or `"),
                alg.escape_debug()
            ),
        )
        .with("expected", algorithms.join(" "))
        .with("found", alg.escape_debug()));
    }
    match key_type {
        KeyType::P256 | KeyType::P384 => {
            let (x, y) = (member("x", jwk.x)?, member("y", jwk.y)?);
            if x.len() != y.len() {
                return Err(malformed("the coordinates of the JSON Web Key have two lengths; it is damaged"));
            }
            PublicKey::from_raw(key_type, &[&[4], x.as_slice(), &y].concat())
        }
        KeyType::Ed25519 => PublicKey::from_raw(key_type, &member("x", jwk.x)?),
        KeyType::Rsa => {
            let (n, e) = (member("n", jwk.n)?, member("e", jwk.e)?);
            if [&n, &e].into_iter().any(|number| number.first() == Some(&0)) {
                return Err(malformed("a number of the JSON Web Key begins with zero; it is damaged"));
            }
            let raw = UintRef::new(&n).and_then(|n| [n, UintRef::new(&e)?].to_der());
            PublicKey::from_raw(key_type, &raw.map_err(|e| malformed("the RSA key is damaged").caused_by(e))?)
        }
    }
}

fn member(name: &str, text: Option<String>) -> Result<Vec<u8>> {
    let text = text.ok_or_else(|| malformed(&format!("the JSON Web Key lacks `{name}`; it is damaged")))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|e| {
        malformed(&format!("`{name}` of the JSON Web Key is not base64url without padding; it is damaged")).caused_by(e)
    })
}

fn malformed(message: &str) -> Error {
    Error::new(ErrorKind::Malformed, message)
}
