//! A key-encryption key in a file, under a passphrase if wanted.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::header::decoded;
use super::{KEY_LEN, Key, KeyEncryptionKey, new_key, unwrap, unwrap_key, wrap, wrong_key};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{check_scrypt, not_empty, write_secret};
use crate::random;
use crate::{json, limits};

const FORMAT: &str = "sealwright-kek/v1";

// as for private keys: the strongest of the OWASP choices of equal cost that stays under 32 MiB
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 5;

/// A key of 32 random bytes.
///
/// ```
/// use sealwright::encryption::{KeyEncryptionKey as _, KeyFile};
/// let key = KeyFile::generate()?;
/// let file = key.to_bytes(Some("a passphrase"))?;
/// assert_eq!(KeyFile::parse(&file, Some("a passphrase"))?.id(), key.id());
/// assert_eq!(KeyFile::parse(&file, None).unwrap_err().code(), "WRONG_PASSPHRASE");
/// # Ok::<(), sealwright::Error>(())
/// ```
pub struct KeyFile {
    id: String,
    key: Key,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: String,
    id: String,
    /// Of a key without passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Of one with a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    scrypt: Scrypt,
    key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scrypt {
    n: u64,
    r: u32,
    p: u32,
    salt: String,
}

impl KeyFile {
    /// A new key.
    ///
    /// # Errors
    /// `INTERNAL` if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        new_key().map(Self::of)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// `WRONG_PASSPHRASE` for a wrong or missing one; `MALFORMED`, `UNSUPPORTED`, `LIMIT_EXCEEDED` for something else
    /// than a key file, or one that asks for too much work.
    pub fn parse(bytes: &[u8], passphrase: Option<&str>) -> Result<Self> {
        if bytes.len() as u64 > limits::KEY_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "the file is too long for a key; check which one is meant",
            ));
        }
        let wire: Wire = json::parse_secret("key-encryption key", bytes, "make it anew with `sealwright ledger key`")?;
        if wire.v != FORMAT {
            let why = format!("a key of format `{}`, expected `{FORMAT}`; use a newer version", wire.v.escape_debug());
            return Err(Error::new(ErrorKind::Unsupported, why));
        }
        let key = match (&wire.key, &wire.sealed) {
            (Some(key), None) => {
                let bytes = Zeroizing::new(decoded("key", key)?);
                <[u8; KEY_LEN]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| {
                    Error::new(ErrorKind::Malformed, format!("the key has {} bytes, expected {KEY_LEN}", bytes.len()))
                })?
            }
            (None, Some(sealed)) => opened(sealed, passphrase)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    "a key file holds either `key` or `sealed`; make it anew with `sealwright ledger key`",
                ));
            }
        };
        let key = Self::of(key);
        if key.id != wire.id {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("the key is `{}`, and its file calls it `{}`", key.id, wire.id.escape_debug()),
            ));
        }
        Ok(key)
    }

    /// Reads a key file from disk.
    ///
    /// # Errors
    /// As [`KeyFile::parse`]; `NOT_FOUND`, `PERMISSION_DENIED` or `IO`.
    pub fn read(path: &Path, passphrase: Option<&str>) -> Result<Self> {
        let bytes = Zeroizing::new(limits::read_file("key-encryption key", path, limits::KEY_BYTES)?);
        Self::parse(&bytes, passphrase).map_err(|e| e.while_doing(format_args!("`{}`", path.display())))
    }

    /// The bytes of its file, under `passphrase` if one is given.
    ///
    /// # Errors
    /// `API_MISUSE` for an empty passphrase, `INTERNAL` if it can't be encrypted.
    pub fn to_bytes(&self, passphrase: Option<&str>) -> Result<Zeroizing<Vec<u8>>> {
        let mut wire = Wire { v: FORMAT.to_owned(), id: self.id.clone(), key: None, sealed: None };
        match passphrase {
            None => wire.key = Some(STANDARD.encode(&self.key[..])),
            Some(passphrase) => {
                let mut salt = [0; 16];
                random::fill(&mut salt)?;
                let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| unusable())?;
                let scrypt = Scrypt { n: params.n(), r: params.r(), p: params.p(), salt: STANDARD.encode(salt) };
                let under = derived(not_empty(passphrase)?, &salt, &params)?;
                let key = STANDARD.encode(wrap(&under[..], &self.key[..], FORMAT.as_bytes())?);
                wire.sealed = Some(Sealed { scrypt, key });
            }
        }
        let mut bytes = Zeroizing::new(json::canonical("key-encryption key", &wire)?);
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Writes it to a new file that only its owner may read, under `passphrase` if one is given.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if something is there; `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`; those of [`KeyFile::to_bytes`].
    pub fn write(&self, path: &Path, passphrase: Option<&str>) -> Result<()> {
        write_secret(path, &self.to_bytes(passphrase)?)
    }

    fn of(key: Key) -> Self {
        // the key is random, so its digest gives nothing of it away
        let id = Digest::sha256(&[FORMAT.as_bytes(), &[0], &key[..]].concat()).hex();
        Self { id: format!("file:{}", id.get(..16).unwrap_or_default()), key }
    }
}

impl KeyEncryptionKey for KeyFile {
    fn id(&self) -> &str {
        &self.id
    }

    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        wrap(&self.key[..], secret, context.as_bytes())
    }

    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        unwrap(&self.key[..], sealed, context.as_bytes())?
            .ok_or_else(|| wrong_key(&format!("the key `{}` does not open the keyring", self.id)))
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({})", self.id)
    }
}

fn opened(sealed: &Sealed, passphrase: Option<&str>) -> Result<Key> {
    let passphrase = passphrase.ok_or_else(|| {
        Error::new(ErrorKind::WrongPassphrase, "the key is encrypted and no passphrase was given; give it one")
    })?;
    let Scrypt { n, r, p, ref salt } = sealed.scrypt;
    check_scrypt(n, r.into(), p.into())?;
    let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
    let params = scrypt::Params::new(log_n, r, p).ok().filter(|_| n.is_power_of_two());
    let params =
        params.ok_or_else(|| Error::new(ErrorKind::Malformed, "the cost of scrypt in the key file is none"))?;
    let under = derived(passphrase, &decoded("salt", salt)?, &params)?;
    unwrap_key(&under[..], &decoded("key", &sealed.key)?, FORMAT.as_bytes())?.ok_or_else(|| {
        Error::new(
            ErrorKind::WrongPassphrase,
            "the passphrase does not open this key; check it, and that it is the key you mean",
        )
    })
}

fn derived(passphrase: &str, salt: &[u8], params: &scrypt::Params) -> Result<Key> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    scrypt::scrypt(passphrase.as_bytes(), salt, params, key.as_mut()).map_err(|_| unusable())?;
    Ok(key)
}

fn unusable() -> Error {
    Error::new(ErrorKind::Internal, "could not derive a key from the passphrase; report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_opens_with_its_passphrase_and_shows_no_secret() {
        let key = KeyFile::generate().unwrap();
        let secret = STANDARD.encode(&key.key[..]);
        assert!(!format!("{key:?}").contains(&secret));
        let plain = key.to_bytes(None).unwrap();
        assert!(String::from_utf8_lossy(&plain).contains(&secret));
        assert_eq!(KeyFile::parse(&plain, None).unwrap().key, key.key);
        let sealed = key.to_bytes(Some("correct horse")).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains(&secret));
        assert_eq!(KeyFile::parse(&sealed, Some("correct horse")).unwrap().key, key.key);
        assert_eq!(key.to_bytes(Some("")).unwrap_err().code(), "API_MISUSE");
        for passphrase in [None, Some("wrong horse")] {
            assert_eq!(KeyFile::parse(&sealed, passphrase).unwrap_err().code(), "WRONG_PASSPHRASE");
        }
    }

    #[test]
    fn what_is_no_key_file_is_refused_by_what_is_wrong() {
        let file = |key: &KeyFile| String::from_utf8(key.to_bytes(Some("p")).unwrap().to_vec()).unwrap();
        let (one, other) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
        let text = file(&one);
        for (bytes, code) in [
            (text.replace(&one.id, &other.id), "MALFORMED"),
            (text.replace("/v1", "/v9"), "UNSUPPORTED"),
            (text.replace("\"n\":16384", "\"n\":1073741824"), "LIMIT_EXCEEDED"),
            (text.replace("\"n\":16384", "\"n\":16383"), "MALFORMED"),
            (text.replace("\"sealed\"", "\"unsealed\""), "MALFORMED"),
            ("x".repeat(70_000), "LIMIT_EXCEEDED"),
        ] {
            assert_eq!(KeyFile::parse(bytes.as_bytes(), Some("p")).unwrap_err().code(), code, "{bytes}");
        }
    }
}
