//! Sigstore trusted roots (sigstore/protobuf-specs, sigstore_trustroot.proto): authorities and logs with the times in
//! which they count.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Window;
use super::authority::{CertificateAuthority, TimestampAuthority};
use super::scheme::{Family, VerifyingKey};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::{json, limits};

const READ: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// What all trusted roots say together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sigstore {
    pub(crate) certificate_authorities: Vec<Arc<CertificateAuthority>>,
    pub(crate) timestamp_authorities: Vec<Arc<TimestampAuthority>>,
    /// Logs of signatures (Rekor).
    pub(crate) logs: Vec<Arc<Log>>,
    /// Logs of certificates (RFC 6962).
    pub(crate) certificate_logs: Vec<Arc<Log>>,
}

/// A log with its key.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) id: [u8; 32],
    /// Where it is, which is also how it is called in results and errors.
    pub(crate) url: String,
    pub(crate) key: VerifyingKey,
    pub(crate) window: Window,
}

impl Log {
    /// How its checkpoints call it: its address without the scheme (C2SP tlog-checkpoint).
    pub(crate) fn origin(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        rest.trim_end_matches('/')
    }
}

impl Sigstore {
    /// Adds what a trusted root says. What it says of an authority or log that is known already replaces what was
    /// said before.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.len() > limits::TRUSTED_ROOT_BYTES {
            return Err(too_many(limits::TRUSTED_ROOT_BYTES, "bytes"));
        }
        let wire: RootWire = json::parse("trusted root", bytes)?;
        if !READ.contains(&wire.media_type.as_str()) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the media type `{}` is no Sigstore trusted root; expected `{}`",
                    wire.media_type.escape_debug(),
                    READ.join("` or `")
                ),
            ));
        }
        let parts = wire.tlogs.len()
            + wire.ctlogs.len()
            + wire.certificate_authorities.len()
            + wire.timestamp_authorities.len();
        if parts > limits::TRUSTED_ROOT_PARTS {
            return Err(too_many(limits::TRUSTED_ROOT_PARTS, "logs and authorities"));
        }
        let authorities = wire.certificate_authorities.into_iter().map(|wire| {
            CertificateAuthority::new(wire.uri, certificates(wire.cert_chain)?, window(wire.valid_for)?).map(Some)
        });
        let stampers = wire
            .timestamp_authorities
            .into_iter()
            .map(|wire| TimestampAuthority::new(wire.uri, certificates(wire.cert_chain)?, window(wire.valid_for)?));
        let (authorities, stampers) = (known(authorities)?, known(stampers)?);
        let (logs, certificate_logs) = (distinct(wire.tlogs)?, distinct(wire.ctlogs)?);
        replace(&mut self.certificate_authorities, authorities, |a, b| a.is_same(b));
        replace(&mut self.timestamp_authorities, stampers, |a, b| a.is_same(b));
        replace(&mut self.logs, logs, |a, b| a.id == b.id);
        replace(&mut self.certificate_logs, certificate_logs, |a, b| a.id == b.id);
        Ok(())
    }
}

/// Those of a kind that is known.
fn known<T>(parts: impl Iterator<Item = Result<Option<T>>>) -> Result<Vec<Arc<T>>> {
    parts.filter_map(|part| part.transpose().map(|part| part.map(Arc::new))).collect()
}

fn distinct(wires: Vec<LogWire>) -> Result<Vec<Arc<Log>>> {
    let logs = known(wires.into_iter().map(LogWire::read))?;
    match logs.iter().enumerate().find(|(n, log)| logs.iter().take(*n).any(|other| other.id == log.id)) {
        None => Ok(logs),
        Some((_, twin)) => Err(Error::new(
            ErrorKind::Malformed,
            format!("the trusted root has two logs with the id of `{}`; give each once", twin.url.escape_debug()),
        )),
    }
}

fn replace<T>(old: &mut Vec<Arc<T>>, new: Vec<Arc<T>>, is_same: impl Fn(&T, &T) -> bool) {
    old.retain(|old| !new.iter().any(|new| is_same(old, new)));
    old.extend(new);
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootWire {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogWire>,
    #[serde(default)]
    ctlogs: Vec<LogWire>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityWire>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogWire {
    base_url: String,
    hash_algorithm: String,
    public_key: KeyWire,
    log_id: LogIdWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogIdWire {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyWire {
    raw_bytes: String,
    key_details: String,
    valid_for: Option<WindowWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityWire {
    #[serde(default)]
    uri: String,
    cert_chain: ChainWire,
    valid_for: Option<WindowWire>,
}

#[derive(Deserialize)]
struct ChainWire {
    certificates: Vec<CertificateWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateWire {
    raw_bytes: String,
}

#[derive(Deserialize)]
struct WindowWire {
    start: Timestamp,
    end: Option<Timestamp>,
}

impl LogWire {
    /// The log; none if its key is of a kind that is not known, so that a root with a newer log can be read.
    fn read(self) -> Result<Option<Log>> {
        let named = |e: Error| e.while_doing(format_args!("log `{}`", self.base_url.escape_debug()));
        if self.hash_algorithm != "SHA2_256" {
            return Ok(None);
        }
        let raw = bytes("its key", &self.public_key.raw_bytes).map_err(named)?;
        // the one kind that is no SubjectPublicKeyInfo
        let key = match self.public_key.key_details.as_str() {
            "PKCS1_RSA_PKCS1V5" => VerifyingKey::from_raw(Family::Rsa, &raw),
            _ => VerifyingKey::from_spki(&raw),
        };
        let key = match key {
            Err(e) if e.kind() == ErrorKind::Unsupported => return Ok(None),
            key => key.map_err(named)?,
        };
        let id = bytes("its id", &self.log_id.key_id).map_err(named)?;
        let id = id.try_into().map_err(|_| {
            named(Error::new(ErrorKind::Malformed, "the id of a log has 32 bytes; correct `logId.keyId`"))
        })?;
        let window = window(self.public_key.valid_for).map_err(named)?;
        Ok(Some(Log { id, url: self.base_url, key, window }))
    }
}

/// Both ends of a time range count (protobuf-specs, common.proto `TimeRange`).
fn window(wire: Option<WindowWire>) -> Result<Window> {
    let Some(wire) = wire else { return Ok(Window::ALWAYS) };
    if wire.end.is_some_and(|end| end < wire.start) {
        return Err(Error::new(ErrorKind::Malformed, "`validFor` ends before it begins; correct the trusted root"));
    }
    Ok(Window::closed(Some(wire.start), wire.end))
}

fn certificates(chain: ChainWire) -> Result<Vec<Vec<u8>>> {
    if chain.certificates.len() > limits::BUNDLE_PARTS {
        return Err(too_many(limits::BUNDLE_PARTS, "certificates in a chain"));
    }
    chain.certificates.iter().map(|c| bytes("a certificate", &c.raw_bytes)).collect()
}

fn bytes(what: &str, text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("{what} is not base64; correct the trusted root")).caused_by(e)
    })
}

fn too_many(limit: usize, what: &str) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the trusted root has more than {limit} {what}; check that it is one"))
        .with("limit", limit)
}
