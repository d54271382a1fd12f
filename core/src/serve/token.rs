//! Bearer tokens: OpenID Connect identity tokens as JWS in compact form (RFC 7515, RFC 7519).
//!
//! The signature is verified before a claim is read, by a key that the configuration gives to an issuer, with an
//! algorithm that it allows. What a token says of its own keys (`jwk`, `jku`, `x5u`) is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::jwks::{Algorithm, Keys};
use crate::json::{self, Value};
use crate::limits;
use crate::timestamp::Timestamp;

/// How far the clock of an issuer may be ahead of ours.
const SKEW_MILLIS: i64 = 10_000;

/// An issuer whose tokens are taken, with what they must say.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    /// Its `iss`, exact.
    pub(super) name: String,
    /// What `aud` must name.
    pub(super) audience: String,
    pub(super) algorithms: Vec<Algorithm>,
}

/// What a verified token says.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) all: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
    b64: Option<Value>,
}

/// Verifies a token against the issuers and their keys of now.
///
/// # Errors
/// Why it is not taken, in words that quote nothing of it.
pub(super) fn verify(
    token: &str,
    issuers: &[(&Issuer, Option<&Keys>)],
    now: Timestamp,
) -> Result<Claims, &'static str> {
    if token.len() > limits::TOKEN_BYTES {
        return Err("the token is too long");
    }
    let (signed, signature) = token.rsplit_once('.').ok_or("the token has not three parts")?;
    let (header, payload) = signed.split_once('.').ok_or("the token has not three parts")?;
    if payload.contains('.') {
        return Err("the token has not three parts");
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part of the token is not base64url");
    let header: Header =
        json::parse("header", &decode(header)?).map_err(|_| "the header of the token is not as it must be")?;
    if header.crit.is_some() || header.b64.is_some() {
        return Err("the token demands an extension that is not known here");
    }
    let algorithm = Algorithm::parse(&header.alg).ok_or("the token is not signed with an algorithm that is taken")?;
    let key_id = header.kid.ok_or("the token does not name its key")?;
    let signature = decode(signature)?;
    let mut known = false;
    let issuer = issuers.iter().find(|(issuer, keys)| {
        let key = keys.and_then(|keys| keys.find(&key_id));
        known |= key.is_some();
        issuer.algorithms.contains(&algorithm)
            && key.is_some_and(|key| key.verifies(algorithm, signed.as_bytes(), &signature))
    });
    let Some((issuer, _)) = issuer else {
        return Err(if known { "the signature of the token is not valid" } else { UNKNOWN_KEY });
    };
    // from here on the token is what one of the issuers signed
    let all: serde_json::Map<String, Value> =
        json::parse("claims", &decode(payload)?).map_err(|_| "the claims of the token are not as they must be")?;
    let text = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("iss") != issuer.name {
        return Err("the token is of another issuer");
    }
    let meant = match all.get("aud") {
        Some(Value::String(one)) => *one == issuer.audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(&issuer.audience)),
        _ => false,
    };
    if !meant {
        return Err("the token is for another audience");
    }
    let expires = time(&all, "exp")?.ok_or("the token does not say until when it is valid")?;
    if expires <= now {
        return Err("the token is past its validity");
    }
    let latest = now.plus_millis(SKEW_MILLIS);
    for name in ["nbf", "iat"] {
        if time(&all, name)?.is_some_and(|from| from > latest) {
            return Err("the token is not valid yet");
        }
    }
    let subject = text("sub").to_owned();
    if subject.is_empty() {
        return Err("the token names no subject");
    }
    Ok(Claims { issuer: issuer.name.clone(), subject, all })
}

/// The one cause that newer keys of an issuer may mend.
pub(super) const UNKNOWN_KEY: &str = "the key of the token is not known";

/// A NumericDate; one may have a fraction, whole seconds do.
fn time(claims: &serde_json::Map<String, Value>, name: &str) -> Result<Option<Timestamp>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|s| s.is_finite()).ok_or("a time of the token is no number")?;
    let millis = (seconds as i64).checked_mul(1000).ok_or("a time of the token is out of range")?;
    Timestamp::from_unix_millis(millis).map(Some).map_err(|_| "a time of the token is out of range")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(NOW * 1000).unwrap()
    }

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn keys(seed: u8) -> Keys {
        let x = URL_SAFE_NO_PAD.encode(pair(seed).public_key().as_ref());
        Keys::parse(format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k{seed}","x":"{x}"}}]}}"#).as_bytes())
            .unwrap()
    }

    fn issuer(name: &str) -> Issuer {
        Issuer { name: name.to_owned(), audience: "ledger".to_owned(), algorithms: vec![Algorithm::EdDSA] }
    }

    fn token(seed: u8, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(pair(seed).sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }

    fn claims() -> String {
        format!(r#"{{"iss":"https://a","sub":"job","aud":"ledger","exp":{},"iat":{NOW}}}"#, NOW + 60)
    }

    const HEADER: &str = r#"{"alg":"EdDSA","kid":"k1"}"#;

    fn take(token: &str) -> Result<Claims, &'static str> {
        let (a, b) = (issuer("https://a"), issuer("https://b"));
        let (keys_a, keys_b) = (keys(1), keys(2));
        verify(token, &[(&a, Some(&keys_a)), (&b, Some(&keys_b))], now())
    }

    #[test]
    fn a_token_is_taken_for_what_its_issuer_signed() {
        let claims = take(&token(1, HEADER, &claims())).unwrap();
        assert_eq!((claims.issuer.as_str(), claims.subject.as_str()), ("https://a", "job"));
    }

    #[test]
    fn what_a_token_must_say_it_must_say_rightly() {
        let ok = claims();
        for (header, claims, why) in [
            (r#"{"alg":"none","kid":"k1"}"#, ok.clone(), "algorithm"),
            (r#"{"alg":"HS256","kid":"k1"}"#, ok.clone(), "algorithm"),
            (r#"{"alg":"eddsa","kid":"k1"}"#, ok.clone(), "algorithm"),
            (r#"{"alg":"ES256","kid":"k1"}"#, ok.clone(), "signature"),
            (r#"{"alg":"EdDSA","kid":"k2"}"#, ok.clone(), "signature"),
            (r#"{"alg":"EdDSA","kid":"k9"}"#, ok.clone(), "not known"),
            (r#"{"alg":"EdDSA"}"#, ok.clone(), "name its key"),
            (r#"{"alg":"EdDSA","kid":"k1","crit":["b64"],"b64":false}"#, ok.clone(), "extension"),
            (r#"{"alg":"none","alg":"EdDSA","kid":"k1"}"#, ok.clone(), "header"),
            (HEADER, ok.replace("https://a", "https://b"), "another issuer"),
            (HEADER, ok.replace("\"ledger\"", "\"other\""), "audience"),
            (HEADER, ok.replace("\"ledger\"", "[\"other\"]"), "audience"),
            (HEADER, ok.replace("\"ledger\"", "null"), "audience"),
            (HEADER, ok.replace("exp", "exq"), "until when"),
            (HEADER, ok.replace(&(NOW + 60).to_string(), &NOW.to_string()), "past"),
            (HEADER, ok.replace(&(NOW + 60).to_string(), "\"soon\""), "no number"),
            (HEADER, ok.replace(&(NOW + 60).to_string(), "1e300"), "out of range"),
            (HEADER, ok.replace(&format!("\"iat\":{NOW}"), &format!("\"nbf\":{}", NOW + 3600)), "not valid yet"),
            (HEADER, ok.replace("\"job\"", "\"\""), "subject"),
            (HEADER, ok.replace("\"sub\"", "\"sub\":\"admin\",\"sub\""), "claims"),
        ] {
            let found = take(&token(1, header, &claims)).unwrap_err();
            assert!(found.contains(why), "{header} {claims}: {found}");
        }
        assert!(take(&token(1, HEADER, &ok.replace("\"ledger\"", "[\"x\",\"ledger\"]"))).is_ok());
        // a key of one issuer does not speak for the other
        assert!(take(&token(2, r#"{"alg":"EdDSA","kid":"k2"}"#, &ok)).unwrap_err().contains("another issuer"));
        assert!(take(&token(2, r#"{"alg":"EdDSA","kid":"k1"}"#, &ok)).unwrap_err().contains("signature"));
    }

    #[test]
    fn an_issuer_whose_keys_are_not_known_vouches_for_nobody() {
        let a = issuer("https://a");
        assert_eq!(verify(&token(1, HEADER, &claims()), &[(&a, None)], now()).unwrap_err(), UNKNOWN_KEY);
    }

    #[test]
    fn no_byte_of_a_token_can_be_another() {
        let good = token(1, HEADER, &claims());
        for place in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            assert!(take(std::str::from_utf8(&bytes).unwrap()).is_err(), "{place}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_a_token_that_nobody_signed(text in "[A-Za-z0-9_.=-]{0,200}", header in ".{0,60}", claims in ".{0,60}") {
            prop_assert!(take(&text).is_err());
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims));
            let sealed = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
            prop_assert!(take(&sealed).is_err());
            let _ = take(&token(1, &header, &claims));
        }
    }
}
