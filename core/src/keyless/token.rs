//! Identity tokens: what they claim, and what of it a signature makes public.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::timestamp::Timestamp;
use crate::trust::Window;

/// The audience that Sigstore's certificate authorities want in a token.
pub const AUDIENCE: &str = "sigstore";

/// An OpenID Connect identity token.
///
/// Its claims are not verified here: the certificate authority does that. The token itself is never shown, and its
/// memory is overwritten when it is dropped.
pub struct Token {
    raw: Zeroizing<String>,
    issuer: String,
    subject: String,
    email: Option<String>,
    federated_issuer: Option<String>,
    audiences: Vec<String>,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    workflow: Vec<(&'static str, String)>,
}

/// What a certificate, and with it a public log, will say about the signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Publication {
    /// Who vouches for the signer.
    pub issuer: String,
    /// The e-mail address, or the subject that a workload has.
    pub identity: String,
    /// What else a certificate tells of a workload, by the name of the claim.
    #[serde(serialize_with = "as_object")]
    pub details: Vec<(&'static str, String)>,
}

fn as_object<S: Serializer>(details: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(details.iter().map(|(name, value)| (name, value)))
}

/// Claims of workloads that Fulcio writes into certificates (fulcio, docs/oid-info.md).
const WORKFLOW: [&str; 18] = [
    "job_workflow_ref",
    "workflow_ref",
    "repository",
    "repository_owner",
    "repository_visibility",
    "ref",
    "sha",
    "event_name",
    "workflow",
    "run_id",
    "runner_environment",
    "ci_config_ref_uri",
    "project_path",
    "project_visibility",
    "pipeline_source",
    "job_id",
    "organization_slug",
    "pipeline_slug",
];

impl Token {
    /// Reads a token: a JSON Web Token in its compact form (RFC 7519); blanks around it are ignored.
    ///
    /// # Errors
    /// `MALFORMED` if it is none, or lacks issuer, subject or expiry; `LIMIT_EXCEEDED` if it is too long.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > limits::TOKEN_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the identity token is over {} bytes; check that it is a token", limits::TOKEN_BYTES),
            ));
        }
        let mut parts = text.split('.');
        let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("it does not have three parts"));
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map(Zeroizing::new);
        let payload = payload.map_err(|_| malformed("its claims are not base64url"))?;
        // what is wrong with the claims is not quoted: they are not the terminal's business
        let claims: Value = serde_json::from_slice(&payload).map_err(|_| malformed("its claims are not JSON"))?;
        let text_of =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        let time_of = |name: &str| {
            let seconds = claims.get(name).and_then(Value::as_f64)?;
            // a NumericDate may have a fraction; whole seconds do
            Timestamp::from_unix_millis((seconds as i64).checked_mul(1000)?).ok()
        };
        let audiences = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let federated = claims.get("federated_claims").and_then(|f| f.get("connector_id")).and_then(Value::as_str);
        Ok(Self {
            issuer: text_of("iss").ok_or_else(|| malformed("it names no issuer"))?,
            subject: text_of("sub").ok_or_else(|| malformed("it names no subject"))?,
            expires_at: time_of("exp").ok_or_else(|| malformed("it does not say until when it is valid"))?,
            email: text_of("email"),
            federated_issuer: federated.map(str::to_owned),
            not_before: time_of("nbf"),
            workflow: WORKFLOW.iter().filter_map(|name| Some((*name, text_of(name)?))).collect(),
            audiences,
            raw: Zeroizing::new(text.to_owned()),
        })
    }

    /// Reads a token from a file.
    ///
    /// # Errors
    /// Those of reading a file, and of [`Token::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = Zeroizing::new(limits::read_file("token file", path, limits::TOKEN_BYTES as u64)?);
        Self::parse(std::str::from_utf8(&bytes).map_err(|_| malformed("it is not UTF-8"))?)
    }

    /// What a signature with this token makes public, for ever if the services are public ones.
    pub fn publication(&self) -> Publication {
        Publication {
            issuer: self.certified_issuer().to_owned(),
            identity: self.identity().to_owned(),
            details: self.workflow.clone(),
        }
    }

    /// Until when the token is valid, by its own words.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Checks, before the token is sent anywhere, that it is for `audience`, and valid at `now`.
    ///
    /// # Errors
    /// `API_MISUSE` if it is for somebody else, `EXPIRED` or `NOT_YET_VALID`.
    pub(super) fn check(&self, audience: &str, now: Timestamp) -> Result<()> {
        if !self.audiences.iter().any(|a| a == audience) {
            let found = self.audiences.join("`, `");
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "the identity token is for `{found}`, expected one for `{audience}`; ask for it with that audience"
                ),
            )
            .with("expected", audience)
            .with("found", found));
        }
        Window::new(None, Some(self.expires_at))?.check(WHAT, now)?;
        // issuers' clocks differ from ours by seconds
        Window::new(self.not_before, None)?.check(WHAT, now.plus_millis(SKEW_MILLIS))
    }

    /// The token itself.
    pub(super) fn reveal(&self) -> &str {
        &self.raw
    }

    /// What a certificate authority wants signed as proof that the key is ours: the e-mail address, else the subject.
    pub(super) fn identity(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.subject)
    }

    /// The issuer that the certificate will name: behind a broker of identities, the one that knows the person.
    pub(super) fn certified_issuer(&self) -> &str {
        self.federated_issuer.as_deref().unwrap_or(&self.issuer)
    }

    /// The e-mail address.
    pub(super) fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

const WHAT: &str = "the identity token";

/// How far the clock of an issuer may be ahead of ours.
const SKEW_MILLIS: i64 = 10_000;

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn malformed(why: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the identity token can't be used: {why}; give the token as its issuer wrote it (a JWT)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn a_token_says_what_a_signature_makes_public() {
        let token = Token::parse(&jwt(
            r#"{"iss":"https://dex.example","sub":"x1","email":"ada@example.com","aud":"sigstore","exp":100,
                "federated_claims":{"connector_id":"https://accounts.example"}}"#,
        ))
        .unwrap();
        let public = token.publication();
        assert_eq!((public.identity.as_str(), public.issuer.as_str()), ("ada@example.com", "https://accounts.example"));
        let workload = Token::parse(&jwt(
            r#"{"iss":"https://ci.example","sub":"repo:a/b","aud":["x","sigstore"],"exp":100,"repository":"a/b","jti":"n"}"#,
        ))
        .unwrap();
        assert_eq!(workload.publication().identity, "repo:a/b");
        assert_eq!(workload.publication().details, [("repository", "a/b".to_owned())]);
        assert!(workload.check(AUDIENCE, at(99)).is_ok());
    }

    #[test]
    fn a_token_for_somebody_else_or_for_another_time_is_not_sent() {
        let token = Token::parse(&jwt(r#"{"iss":"i","sub":"s","aud":"other","exp":100,"nbf":50}"#)).unwrap();
        assert_eq!(token.check(AUDIENCE, at(60)).unwrap_err().code(), "API_MISUSE");
        assert_eq!(token.check("other", at(100)).unwrap_err().code(), "EXPIRED");
        assert_eq!(token.check("other", at(10)).unwrap_err().code(), "NOT_YET_VALID");
        assert!(token.check("other", at(45)).is_ok());
    }

    #[test]
    fn what_is_no_token_is_refused_and_never_shown() {
        let secret = "c2VjcmV0";
        for bad in [
            String::new(),
            format!("{secret}.{secret}"),
            format!("{secret}.{secret}.{secret}.{secret}"),
            format!("{secret}.%%.{secret}"),
            format!("{secret}.{secret}.{secret}"),
            jwt("[]"),
            jwt(r#"{"iss":"i","sub":"s"}"#),
            jwt(r#"{"iss":"i","exp":1}"#),
            jwt(r#"{"iss":"i","sub":"s","exp":1e300}"#),
        ] {
            let e = Token::parse(&bad).unwrap_err();
            assert_eq!(e.code(), "MALFORMED", "{bad}");
            assert!(!format!("{e:?}").contains(secret));
        }
        assert_eq!(Token::parse(&"a".repeat(limits::TOKEN_BYTES + 1)).unwrap_err().code(), "LIMIT_EXCEEDED");
        let token = Token::parse(&jwt(r#"{"iss":"i","sub":"private","exp":100}"#)).unwrap();
        assert!(!format!("{token:?}").contains("private") && !format!("{token:?}").contains("c2ln"));
    }
}
