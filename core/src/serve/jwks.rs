//! The keys of an issuer of identity tokens (JWK sets, RFC 7517), each bound to the algorithms it may be used with.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// How a token is signed (RFC 7518 section 3.1, RFC 8037). Neither `none` nor a shared secret is one of them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RS384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RS512,
    /// RSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::RS256,
            "RS384" => Self::RS384,
            "RS512" => Self::RS512,
            "PS256" => Self::PS256,
            "ES256" => Self::ES256,
            "ES384" => Self::ES384,
            "EdDSA" => Self::EdDSA,
            _ => return None,
        })
    }
}

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(super) struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
pub(super) struct Key {
    id: String,
    /// The only algorithm, where the set names it.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct SetWire {
    keys: Vec<KeyWire>,
}

#[derive(Deserialize)]
struct KeyWire {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a JWK set. Keys that are not for signing, of types not spoken here, or without an id are left out: an
    /// issuer may have them for others.
    ///
    /// # Errors
    /// `MALFORMED` if it is none, names a key twice, or holds none that is of use; `LIMIT_EXCEEDED` for too many.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let malformed = |why: &str| {
            Error::new(ErrorKind::Malformed, format!("the keys of the issuer can't be used: {why}; give its JWK set"))
        };
        if bytes.len() as u64 > limits::JWKS_BYTES {
            return Err(Error::new(ErrorKind::LimitExceeded, "the JWK set of the issuer is too long; check the file"));
        }
        let set: SetWire = json::parse("JWK set", bytes)?;
        if set.keys.len() > limits::JWKS_KEYS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the JWK set has {} keys, over {}", set.keys.len(), limits::JWKS_KEYS),
            ));
        }
        let keys: Vec<Key> = set.keys.iter().filter_map(Key::read).collect();
        if keys.iter().enumerate().any(|(n, key)| keys.iter().skip(n + 1).any(|other| other.id == key.id)) {
            return Err(malformed("two keys have one id"));
        }
        if keys.is_empty() {
            return Err(malformed("none is a signing key with an id, of RSA, P-256, P-384 or Ed25519"));
        }
        Ok(Self(keys))
    }

    /// The key of this id.
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl Key {
    fn read(wire: &KeyWire) -> Option<Self> {
        if wire.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |field: &Option<String>| URL_SAFE_NO_PAD.decode(field.as_deref()?).ok();
        let point = |length: usize| {
            let (x, y) = (bytes(&wire.x)?, bytes(&wire.y)?);
            (x.len() == length && y.len() == length).then(|| [&[4], x.as_slice(), &y].concat())
        };
        let material = match (wire.kty.as_str(), wire.crv.as_deref()) {
            ("RSA", None) => {
                let number = |field: &Option<String>| {
                    let number = bytes(field)?;
                    let first = number.iter().position(|byte| *byte != 0)?;
                    Some(number.get(first..)?.to_vec())
                };
                Material::Rsa { n: number(&wire.n)?, e: number(&wire.e)? }
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&wire.x).filter(|x| x.len() == 32)?),
            _ => return None,
        };
        let only = match wire.alg.as_deref() {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        Some(Self { id: wire.kid.clone().filter(|id| !id.is_empty())?, only, material })
    }

    /// Whether `signature` over `signed` is this key's, by `algorithm`.
    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        if self.only.is_some_and(|only| only != algorithm) {
            return false;
        }
        let plain = |by: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(by, key).verify(signed, signature).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { n, e }, _) => {
                let by = match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return false,
                };
                RsaPublicKeyComponents { n, e }.verify(by, signed, signature).is_ok()
            }
            (Material::P256(point), Algorithm::ES256) => plain(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Material::P384(point), Algorithm::ES384) => plain(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Material::Ed25519(key), Algorithm::EdDSA) => plain(&signature::ED25519, key),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_signing_key_is_left_out_and_a_secret_is_never_a_key() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}"#);
        for other in [
            r#"{"kty":"oct","kid":"s","k":"c2VjcmV0"}"#.to_owned(),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"b","use":"enc","x":"{x}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"b","alg":"HS256","x":"{x}"}}"#),
            r#"{"kty":"OKP","crv":"Ed25519","kid":"b","x":"AAAA"}"#.to_owned(),
            r#"{"kty":"RSA","kid":"b","n":"","e":"AQAB"}"#.to_owned(),
        ] {
            let keys = Keys::parse(format!(r#"{{"keys":[{good},{other}]}}"#).as_bytes()).unwrap();
            assert!(keys.0.len() == 1 && keys.find("a").is_some(), "{other}");
            assert_eq!(Keys::parse(format!(r#"{{"keys":[{other}]}}"#).as_bytes()).unwrap_err().code(), "MALFORMED");
        }
        for bad in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":{}}"#, &format!(r#"{{"keys":[{good},{good}]}}"#)] {
            assert_eq!(Keys::parse(bad.as_bytes()).unwrap_err().code(), "MALFORMED", "{bad}");
        }
        let many = vec![good; limits::JWKS_KEYS + 1].join(",");
        assert_eq!(Keys::parse(format!(r#"{{"keys":[{many}]}}"#).as_bytes()).unwrap_err().code(), "LIMIT_EXCEEDED");
    }
}
