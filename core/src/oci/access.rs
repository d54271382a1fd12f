//! Who one is to a registry: credentials, and the challenges that ask for them (RFC 7235, distribution token
//! specification).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::transport::PlainHttp;
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// What a registry is shown. Never in `Debug`, errors or logs.
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// A name with its password, sent to the registry or to the token service it names.
    Basic {
        /// Who.
        user: String,
        /// The password or access token.
        password: Zeroizing<String>,
    },
    /// A token that the registry itself takes.
    Bearer(Zeroizing<String>),
}

impl Credentials {
    /// Those that a Docker configuration file (`config.json`) holds for `registry`; [`Credentials::Anonymous`] if it
    /// holds none. Helpers that are programs are not run.
    ///
    /// # Errors
    /// `MALFORMED` if it is no such file, `UNSUPPORTED` if a helper program keeps them.
    pub fn from_docker_config(config: &[u8], registry: &str) -> Result<Self> {
        if config.len() as u64 > limits::KEY_BYTES {
            return Err(Error::new(ErrorKind::LimitExceeded, "the Docker configuration is too long; check the file"));
        }
        // its content is secret, so that no error may quote it
        let wire: ConfigWire = json::parse("Docker configuration", config).map_err(|e| {
            Error::new(ErrorKind::Malformed, "the Docker configuration is not what its format demands; log in again")
                .with("code", e.code())
        })?;
        let hub = "https://index.docker.io/v1/";
        let names = [registry.to_owned(), format!("https://{registry}"), format!("https://{registry}/v1/")];
        let entry = names
            .iter()
            .map(String::as_str)
            .chain((registry == "docker.io").then_some(hub))
            .find_map(|name| wire.auths.get(name));
        let entry = entry.filter(|e| e.auth.is_some() || e.identitytoken.is_some() || e.registrytoken.is_some());
        let Some(entry) = entry else {
            if wire.cred_helpers.contains_key(registry) || wire.creds_store.is_some() {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "a helper program keeps the credentials for `{registry}`, and none is run; give them by name \
                         and password"
                    ),
                ));
            }
            return Ok(Self::Anonymous);
        };
        if let Some(token) = &entry.registrytoken {
            return Ok(Self::Bearer(Zeroizing::new(token.clone())));
        }
        if entry.identitytoken.is_some() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the credentials for `{registry}` are an identity token, which is not spoken; use a password"),
            ));
        }
        let malformed = || Error::new(ErrorKind::Malformed, format!("the credentials for `{registry}` are damaged"));
        let decoded = STANDARD.decode(entry.auth.as_deref().unwrap_or_default()).map_err(|_| malformed())?;
        let decoded = Zeroizing::new(decoded);
        let (user, password) =
            std::str::from_utf8(&decoded).ok().and_then(|t| t.split_once(':')).ok_or_else(malformed)?;
        Ok(Self::Basic { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }

    /// The value of `Authorization` for HTTP basic authentication.
    pub(super) fn basic(&self) -> Option<Zeroizing<String>> {
        match self {
            Self::Basic { user, password } => {
                let plain = Zeroizing::new(format!("{user}:{}", password.as_str()));
                Some(Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_bytes()))))
            }
            Self::Anonymous | Self::Bearer(_) => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Credentials::Anonymous",
            Self::Basic { .. } => "Credentials::Basic(..)",
            Self::Bearer(_) => "Credentials::Bearer(..)",
        })
    }
}

/// How a way to a registry is written where it is data.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct WayWire {
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
    docker_config: Option<String>,
    registry: Option<String>,
    plain_http_unsafe: bool,
}

/// Reads credentials, and where plain HTTP is spoken.
pub(super) fn from_json(bytes: &[u8]) -> Result<(Credentials, PlainHttp)> {
    let hint = "give `user` and `password`, or `token`, or `dockerConfig` and `registry`, and nothing of another kind";
    let wire: WayWire = json::parse_secret("way to a registry", bytes, hint)?;
    let [password, token, config] = [wire.password, wire.token, wire.docker_config].map(|s| s.map(Zeroizing::new));
    let credentials = match (wire.user, password, token, config, wire.registry) {
        (None, None, None, None, None) => Credentials::Anonymous,
        (Some(user), Some(password), None, None, None) => Credentials::Basic { user, password },
        (None, None, Some(token), None, None) => Credentials::Bearer(token),
        (None, None, None, Some(config), Some(registry)) => {
            Credentials::from_docker_config(config.as_bytes(), &registry)?
        }
        _ => return Err(Error::new(ErrorKind::Malformed, format!("the credentials are not whole; {hint}"))),
    };
    let plain = if wire.plain_http_unsafe { PlainHttp::EverywhereUnsafe } else { PlainHttp::LoopbackOnly };
    Ok((credentials, plain))
}

#[derive(Deserialize)]
struct ConfigWire {
    #[serde(default)]
    auths: std::collections::BTreeMap<String, AuthWire>,
    #[serde(default, rename = "credHelpers")]
    cred_helpers: std::collections::BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    creds_store: Option<String>,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct AuthWire {
    auth: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a registry asks for when it answers 401.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header; `None` for a scheme not known here.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        let mut rest = rest;
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            match name.trim().trim_start_matches(',').trim().to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value.to_owned()),
                "service" => service = Some(value.to_owned()),
                "scope" => scope = Some(value.to_owned()),
                _ => {}
            }
            rest = after;
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

/// The token of a token service's answer.
pub(super) fn token(answer: &[u8]) -> Result<Zeroizing<String>> {
    #[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
    struct TokenWire {
        token: Option<String>,
        access_token: Option<String>,
    }
    // the answer is secret, so that no error may quote it
    let malformed =
        || Error::new(ErrorKind::ServiceUnavailable, "the token service of the registry answered without a token");
    let mut wire: TokenWire = json::parse("token", answer).map_err(|_| malformed())?;
    let token = wire.token.take().or_else(|| wire.access_token.take()).map(Zeroizing::new);
    token.filter(|t| !t.is_empty()).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_in_a_docker_configuration_and_never_shown() {
        let auth = STANDARD.encode("me:pass:word");
        let config = format!(
            r#"{{"auths":{{"r.example:5000":{{"auth":"{auth}"}},"https://index.docker.io/v1/":{{"auth":"{auth}"}},
                 "t.example":{{"registrytoken":"tok"}},"i.example":{{"identitytoken":"x"}},"e.example":{{}},
                 "d.example":{{"auth":"?secret"}}}},"credHelpers":{{"h.example":"gcloud"}}}}"#
        );
        let of = |registry: &str| Credentials::from_docker_config(config.as_bytes(), registry);
        for registry in ["r.example:5000", "docker.io"] {
            let found = of(registry).unwrap();
            assert!(
                matches!(&found, Credentials::Basic { user, password } if user == "me" && **password == "pass:word")
            );
            assert_eq!(format!("{found:?}"), "Credentials::Basic(..)");
        }
        assert!(matches!(of("t.example").unwrap(), Credentials::Bearer(_)));
        for none in ["e.example", "other.example"] {
            assert!(matches!(of(none).unwrap(), Credentials::Anonymous), "{none}");
        }
        assert_eq!(of("i.example").unwrap_err().code(), "UNSUPPORTED");
        assert_eq!(of("h.example").unwrap_err().code(), "UNSUPPORTED");
        assert!(!of("d.example").unwrap_err().to_string().contains("secret"));
        let e = Credentials::from_docker_config(b"{\"auths\":{\"secret", "r.example").unwrap_err();
        assert!(e.code() == "MALFORMED" && !format!("{e:?}").contains("secret"), "{e:?}");
    }

    #[test]
    fn challenges_are_read() {
        let bearer = Challenge::parse(
            r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(
            bearer,
            Some(Challenge::Bearer {
                realm: "https://auth.example/token".to_owned(),
                service: Some("r.example".to_owned()),
                scope: Some("repository:a/b:pull,push".to_owned())
            })
        );
        assert_eq!(Challenge::parse("basic realm=x"), Some(Challenge::Basic));
        for none in ["", "Negotiate", "Bearer", "Bearer service=\"x\"", "Bearer realm=\"unclosed"] {
            assert_eq!(Challenge::parse(none), None, "{none}");
        }
    }
}
