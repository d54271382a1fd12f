//! Opening a signer by its reference.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CommandSigner, Pkcs11Uri, Signer};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{PublicKey, read_private};
use crate::{json, limits};

/// What opening a signer may need beside its reference, by builder calls or as data ([`Access::from_json`]). Nothing is taken from the environment, but for what AWS's SDK
/// looks up by itself: credentials and region.
pub struct Access<'a> {
    secrets: Option<&'a AskSecret<'a>>,
    passphrase: Option<Zeroizing<String>>,
    pin: Option<Zeroizing<String>>,
    public_key: Option<PublicKey>,
    pub(crate) vault: Option<VaultAccess>,
    pub(crate) time_limit: Duration,
}

/// What is asked for while a signer is opened.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Secret<'a> {
    /// The passphrase of an encrypted key file.
    Passphrase(&'a Path),
    /// The PIN of a PKCS#11 token, by its label.
    Pin(&'a str),
}

/// Answers what is asked for while a signer is opened; none if nobody knows it.
pub type AskSecret<'a> = dyn Fn(Secret<'_>) -> Result<Option<Zeroizing<String>>> + 'a;

/// Where Vault, or OpenBao, is, and what opens it.
#[cfg_attr(not(feature = "kms"), expect(dead_code, reason = "given everywhere, used with the feature `kms`"))]
pub struct VaultAccess {
    pub(super) address: String,
    pub(super) token: Zeroizing<String>,
    pub(super) mount: String,
}

impl Default for Access<'_> {
    fn default() -> Self {
        let time_limit = Duration::from_millis(limits::SIGNER_MILLIS);
        Self { secrets: None, passphrase: None, pin: None, public_key: None, vault: None, time_limit }
    }
}

/// How an access is written where it is data.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessWire {
    passphrase: Option<String>,
    pin: Option<String>,
    public_key: Option<String>,
    vault: Option<VaultWire>,
    time_limit_millis: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultWire {
    address: String,
    token: String,
    mount: Option<String>,
}

impl Access<'static> {
    /// Reads an access from JSON: `passphrase`, `pin`, `publicKey` (a `PUBLIC KEY` PEM file), `vault` (`address`, `token`
    /// and, if it is not `transit`, `mount`) and `timeLimitMillis`, each of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; those of [`PublicKey::from_pem`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let hint = "give no more than `passphrase`, `pin`, `publicKey`, `vault` and `timeLimitMillis`";
        let wire: AccessWire = json::parse_secret("access to a signer", bytes, hint)?;
        let vault = wire.vault.map(|v| {
            let vault = VaultAccess::new(v.address, v.token);
            v.mount.into_iter().fold(vault, VaultAccess::with_mount)
        });
        Ok(Self {
            secrets: None,
            passphrase: wire.passphrase.map(Zeroizing::new),
            pin: wire.pin.map(Zeroizing::new),
            public_key: wire.public_key.map(|pem| PublicKey::from_pem(pem.as_bytes())).transpose()?,
            vault,
            time_limit: Duration::from_millis(wire.time_limit_millis.unwrap_or(limits::SIGNER_MILLIS)),
        })
    }
}

impl<'a> Access<'a> {
    /// Asks `secrets` for passphrases and PINs, when one is needed.
    #[must_use]
    pub fn with_secrets(mut self, secrets: &'a AskSecret<'a>) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// The public half, for a signer that does not tell it (a command), or that must not be believed about it.
    #[must_use]
    pub fn with_public_key(mut self, key: PublicKey) -> Self {
        self.public_key = Some(key);
        self
    }

    /// Where the keys of `hashivault://` are.
    #[must_use]
    pub fn with_vault(mut self, vault: VaultAccess) -> Self {
        self.vault = Some(vault);
        self
    }

    /// How long a command or a service may take for one answer [default: [`limits::SIGNER_MILLIS`]].
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    pub(crate) fn secret(&self, secret: Secret<'_>) -> Result<Option<Zeroizing<String>>> {
        let known = match secret {
            Secret::Passphrase(_) => &self.passphrase,
            Secret::Pin(_) => &self.pin,
        };
        match (known, self.secrets) {
            (Some(known), _) => Ok(Some(known.clone())),
            (None, Some(ask)) => ask(secret),
            (None, None) => Ok(None),
        }
    }

    /// Reads the key file at `path`, and once more with its passphrase if it needs one that somebody knows.
    pub(crate) fn read_key_file<T>(&self, path: &Path, read: impl Fn(Option<&str>) -> Result<T>) -> Result<T> {
        match read(None) {
            Err(e) if e.kind() == ErrorKind::WrongPassphrase => match self.secret(Secret::Passphrase(path))? {
                Some(passphrase) => read(Some(&passphrase)),
                None => Err(e),
            },
            read => read,
        }
    }

    /// Where Vault is; `API_MISUSE` if nobody says.
    #[cfg(feature = "kms")]
    pub(crate) fn vault(&self) -> Result<&VaultAccess> {
        self.vault.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "nothing says where Vault is; give its address and a token")
        })
    }
}

impl VaultAccess {
    /// Vault at `address` (`https://host:8200`), opened by `token`, with its transit engine at the mount `transit`.
    pub fn new(address: impl Into<String>, token: impl Into<String>) -> Self {
        Self { address: address.into(), token: Zeroizing::new(token.into()), mount: "transit".to_owned() }
    }

    /// The transit engine at another mount.
    #[must_use]
    pub fn with_mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }
}

/// Opens the signer that `reference` names:
///
/// | reference | key |
/// |---|---|
/// | a path | a key file, as [`read_private`] reads it |
/// | `pkcs11:token=…;object=…?module-path=…` | on a PKCS#11 token ([`Pkcs11Uri`]); feature `hsm` |
/// | `awskms://[ENDPOINT]/KEY` | in AWS KMS, by id, `alias/…` or ARN, as cosign writes it; feature `kms` |
/// | `hashivault://NAME` | in Vault's or OpenBao's transit engine; feature `kms` |
/// | `command:PROGRAM ARGUMENT…` | behind a [`CommandSigner`]; split at blanks, or one JSON array of words |
///
/// # Errors
/// Those of [`read_private`] for a key file; `MALFORMED`, `UNSUPPORTED` for another reference, and for one whose feature
/// is not built in; `API_MISUSE` if something is missing to open it; `NOT_FOUND`, `WRONG_PASSPHRASE` for a wrong or
/// missing PIN; `SIGNER_FAILED`, `SERVICE_UNAVAILABLE`; `UNTRUSTED_SIGNER` if its key is not the public key given.
pub fn open(reference: &str, access: &Access<'_>) -> Result<Box<dyn Signer + Send + Sync>> {
    let signer = match scheme(reference) {
        None => key_file(Path::new(reference), access)?,
        Some(("pkcs11", _)) => pkcs11(&reference.parse()?, access)?,
        Some(("awskms", rest)) => aws_kms(rest, access)?,
        Some(("hashivault", rest)) => vault(rest, access)?,
        Some(("command", rest)) => command(rest, access)?,
        Some((scheme, _)) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "keys of `{}://` are not known; name a key file, `pkcs11:`, `awskms://`, `hashivault://` or a command",
                    scheme.escape_debug()
                ),
            ));
        }
    };
    if let Some(expected) = access.public_key.as_ref().filter(|expected| *expected != signer.public_key()) {
        let found = signer.public_key().id();
        return Err(Error::new(
            ErrorKind::UntrustedSigner,
            format!(
                "expected a signer with the key `{}`, found one with `{found}`; check which key is meant",
                expected.id()
            ),
        )
        .with("expected", expected.id())
        .with("found", found));
    }
    Ok(signer)
}

/// Whether `reference` is the path of a key file, and no URI.
///
/// ```
/// use sealwright::signer::is_key_file;
/// assert!(is_key_file("keys/builder.pem") && is_key_file("C:\\keys\\builder.pem"));
/// assert!(!is_key_file("awskms:///alias/builder"));
/// ```
pub fn is_key_file(reference: &str) -> bool {
    scheme(reference).is_none()
}

/// The scheme of a URI, and what follows its colon.
pub(crate) fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    (rest.starts_with("//") || matches!(scheme, "pkcs11" | "awskms" | "hashivault" | "command"))
        .then_some((scheme, rest))
}

type Opened = Result<Box<dyn Signer + Send + Sync>>;

fn key_file(path: &Path, access: &Access<'_>) -> Opened {
    Ok(Box::new(access.read_key_file(path, |passphrase| read_private(path, passphrase))?))
}

fn command(rest: &str, access: &Access<'_>) -> Opened {
    let words: Vec<String> = if rest.trim_start().starts_with('[') {
        json::parse("signer command", rest.as_bytes())?
    } else {
        rest.split_whitespace().map(str::to_owned).collect()
    };
    let key = access.public_key.clone().ok_or_else(|| {
        Error::new(ErrorKind::ApiMisuse, "a signer command does not tell its public key; give that, too")
    })?;
    Ok(Box::new(CommandSigner::new(words, key, access.time_limit)?))
}

#[cfg(feature = "hsm")]
fn pkcs11(uri: &Pkcs11Uri, access: &Access<'_>) -> Opened {
    let pin = |token: &str| access.secret(Secret::Pin(token));
    Ok(Box::new(super::pkcs11::Pkcs11Signer::open(uri, &pin, access.public_key.as_ref())?))
}

#[cfg(not(feature = "hsm"))]
fn pkcs11(_: &Pkcs11Uri, _: &Access<'_>) -> Opened {
    Err(not_built_in("on PKCS#11 tokens", "hsm"))
}

#[cfg(feature = "kms")]
fn aws_kms(rest: &str, access: &Access<'_>) -> Opened {
    Ok(Box::new(super::aws_kms::AwsKmsSigner::open(rest, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn aws_kms(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("in AWS KMS", "kms"))
}

#[cfg(feature = "kms")]
fn vault(rest: &str, access: &Access<'_>) -> Opened {
    Ok(Box::new(super::vault::VaultSigner::open(rest, access.vault()?, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn vault(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("in Vault", "kms"))
}

#[cfg(not(all(feature = "hsm", feature = "kms")))]
pub(crate) fn not_built_in(place: &str, feature: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("keys {place} are not built in; build with the feature `{feature}`"))
        .with("feature", feature)
}
