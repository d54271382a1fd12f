//! Who one is to a ledger's service: a token or a certificate. Never in `Debug`, errors or logs.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// What a caller shows to a ledger's service, and whom it takes for that service.
#[derive(Default)]
pub struct Access {
    pub(super) token: Option<Zeroizing<String>>,
    /// Certificate chain and private key, PEM.
    pub(super) identity: Option<Zeroizing<Vec<u8>>>,
    /// Authorities of the service's certificate, PEM; those of the machine if none are named.
    pub(super) authorities: Option<Vec<u8>>,
}

impl Access {
    /// Nothing to show: a service answers at most that it is there.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads it from JSON: `token` or `tokenFile`, `certificate` with `key`, and `authorities`, each of which may be left
    /// out; all but `token` are paths.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known, a certificate without its key, or two tokens; those of reading
    /// the files.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // it holds a token, so that no error may quote it
        json::parse::<AccessWire>("access", bytes)
            .map_err(|_| malformed("it has other members, or other types"))?
            .try_into()
    }

    /// Shows an OpenID Connect token, such as a CI system gives to its jobs; blanks around it are ignored.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if it is too long, `MALFORMED` if it holds what no token does.
    pub fn with_token(mut self, token: &str) -> Result<Self> {
        let token = token.trim();
        if token.len() > limits::TOKEN_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the token is over {} bytes; check that it is a token", limits::TOKEN_BYTES),
            ));
        }
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::Malformed,
                "the token is empty, or holds characters that no token has; give it as its issuer wrote it",
            ));
        }
        self.token = Some(Zeroizing::new(token.to_owned()));
        Ok(self)
    }

    /// Shows the token in a file.
    ///
    /// # Errors
    /// Those of reading a file, and of [`Access::with_token`].
    pub fn with_token_file(self, path: &Path) -> Result<Self> {
        let bytes = Zeroizing::new(limits::read_file("token file", path, limits::TOKEN_BYTES as u64)?);
        self.with_token(
            std::str::from_utf8(&bytes).map_err(|_| Error::new(ErrorKind::Malformed, "the token is not UTF-8"))?,
        )
    }

    /// Shows a certificate: its chain and its private key (PKCS#8), each a PEM file.
    ///
    /// # Errors
    /// Those of reading a file. What the files hold is looked at when the ledger is opened.
    pub fn with_certificate(mut self, chain: &Path, key: &Path) -> Result<Self> {
        let mut both = Zeroizing::new(limits::read_file("key of the client certificate", key, limits::KEY_BYTES)?);
        both.push(b'\n');
        both.extend(limits::read_file("client certificate", chain, limits::KEY_BYTES)?);
        self.identity = Some(both);
        Ok(self)
    }

    /// Takes only a service whose certificate these authorities vouch for (a PEM file).
    ///
    /// # Errors
    /// Those of reading a file. What it holds is looked at when the ledger is opened.
    pub fn with_authorities(mut self, path: &Path) -> Result<Self> {
        self.authorities = Some(limits::read_file("authorities of the service", path, limits::KEYRING_BYTES as u64)?);
        Ok(self)
    }
}

impl TryFrom<AccessWire> for Access {
    type Error = Error;

    fn try_from(wire: AccessWire) -> Result<Self> {
        let mut access = match (wire.token.map(Zeroizing::new), wire.token_file) {
            (Some(token), None) => Self::anonymous().with_token(&token)?,
            (None, Some(path)) => Self::anonymous().with_token_file(&path)?,
            (None, None) => Self::anonymous(),
            (Some(_), Some(_)) => return Err(malformed("there are two tokens")),
        };
        access = match (wire.certificate, wire.key) {
            (Some(chain), Some(key)) => access.with_certificate(&chain, &key)?,
            (None, None) => access,
            _ => return Err(malformed("a certificate and its key go together")),
        };
        match wire.authorities {
            Some(path) => access.with_authorities(&path),
            None => Ok(access),
        }
    }
}

fn malformed(why: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the access can't be used: {why}; give `token`, `tokenFile`, `certificate`, `key`, `authorities`"),
    )
}

/// An access as data.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccessWire {
    token: Option<String>,
    token_file: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    authorities: Option<PathBuf>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("token", &self.token.is_some())
            .field("certificate", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}
