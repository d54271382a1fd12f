//! Opening a key-encryption key by its reference.

use std::path::Path;

use super::{KeyEncryptionKey, KeyFile};
use crate::error::{Error, ErrorKind, Result};
use crate::signer::{Access, Pkcs11Uri, Secret, scheme};

type Opened = Result<Box<dyn KeyEncryptionKey>>;

/// Opens the key-encryption key that `reference` names:
///
/// | reference | key |
/// |---|---|
/// | a path | a [`KeyFile`] |
/// | `pkcs11:token=…;object=…?module-path=…` | an AES key on a PKCS#11 token; feature `hsm` |
/// | `awskms://[ENDPOINT]/KEY` | a symmetric key in AWS KMS, by id, `alias/…` or ARN; feature `kms` |
/// | `hashivault://NAME` | a key in Vault's or OpenBao's transit engine; feature `kms` |
///
/// # Errors
/// Those of [`KeyFile::read`]; `MALFORMED`, `UNSUPPORTED` for another reference, and for one whose feature is not built
/// in; `API_MISUSE` if something is missing to open it; `NOT_FOUND`; `WRONG_PASSPHRASE` for a wrong or missing PIN;
/// `SIGNER_FAILED`, `SERVICE_UNAVAILABLE`.
pub fn open_key_encryption_key(reference: &str, access: &Access<'_>) -> Opened {
    match scheme(reference) {
        None => key_file(Path::new(reference), access),
        Some(("pkcs11", _)) => pkcs11(&reference.parse()?, access),
        Some(("awskms", rest)) => aws_kms(rest, access),
        Some(("hashivault", rest)) => vault(rest, access),
        Some((scheme, _)) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "keys of `{}:` do not encrypt; name a key file, `pkcs11:`, `awskms://` or `hashivault://`",
                scheme.escape_debug()
            ),
        )),
    }
}

fn key_file(path: &Path, access: &Access<'_>) -> Opened {
    let key = match KeyFile::read(path, None) {
        Err(e) if e.kind() == ErrorKind::WrongPassphrase => match access.secret(Secret::Passphrase(path))? {
            Some(passphrase) => KeyFile::read(path, Some(&passphrase))?,
            None => return Err(e),
        },
        read => read?,
    };
    Ok(Box::new(key))
}

#[cfg(feature = "hsm")]
fn pkcs11(uri: &Pkcs11Uri, access: &Access<'_>) -> Opened {
    let pin = |token: &str| access.secret(Secret::Pin(token));
    Ok(Box::new(super::pkcs11::TokenKey::open(uri, &pin)?))
}

#[cfg(not(feature = "hsm"))]
fn pkcs11(_: &Pkcs11Uri, _: &Access<'_>) -> Opened {
    Err(not_built_in("PKCS#11 tokens", "hsm"))
}

#[cfg(feature = "kms")]
fn aws_kms(rest: &str, access: &Access<'_>) -> Opened {
    Ok(Box::new(super::aws_kms::AwsKmsKey::open(rest, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn aws_kms(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("AWS KMS", "kms"))
}

#[cfg(feature = "kms")]
fn vault(rest: &str, access: &Access<'_>) -> Opened {
    let vault = access
        .vault
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::ApiMisuse, "nothing says where Vault is; give its address and a token"))?;
    Ok(Box::new(super::vault::TransitKey::open(rest, vault, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn vault(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("Vault", "kms"))
}

#[cfg(not(all(feature = "hsm", feature = "kms")))]
fn not_built_in(what: &str, feature: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("encrypting with {what} is not built in; build with the feature `{feature}`"),
    )
    .with("feature", feature)
}
