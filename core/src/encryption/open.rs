//! Opening a key-encryption key by its reference.

use std::path::Path;

use super::{KeyEncryptionKey, KeyFile};
use crate::error::{Error, ErrorKind, Result};
#[cfg(not(all(feature = "hsm", feature = "kms")))]
use crate::signer::not_built_in;
use crate::signer::{Access, Pkcs11Uri, scheme};

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
    Ok(Box::new(access.read_key_file(path, |passphrase| KeyFile::read(path, passphrase))?))
}

#[cfg(feature = "hsm")]
fn pkcs11(uri: &Pkcs11Uri, access: &Access<'_>) -> Opened {
    let pin = |token: &str| access.secret(crate::signer::Secret::Pin(token));
    Ok(Box::new(super::pkcs11::TokenKey::open(uri, &pin)?))
}

#[cfg(not(feature = "hsm"))]
fn pkcs11(_: &Pkcs11Uri, _: &Access<'_>) -> Opened {
    Err(not_built_in("on PKCS#11 tokens", "hsm"))
}

#[cfg(feature = "kms")]
fn aws_kms(rest: &str, access: &Access<'_>) -> Opened {
    Ok(Box::new(super::aws_kms::AwsKmsKey::open(rest, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn aws_kms(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("in AWS KMS", "kms"))
}

#[cfg(feature = "kms")]
fn vault(rest: &str, access: &Access<'_>) -> Opened {
    Ok(Box::new(super::vault::TransitKey::open(rest, access.vault()?, access.time_limit)?))
}

#[cfg(not(feature = "kms"))]
fn vault(_: &str, _: &Access<'_>) -> Opened {
    Err(not_built_in("in Vault", "kms"))
}
