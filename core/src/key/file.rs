//! Key files on disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyFormat, PrivateKey, PublicKey};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Reads a private key file as [`PrivateKey::from_pem`] does.
///
/// # Errors
/// Those of [`PrivateKey::from_pem`]; `NOT_FOUND`, `PERMISSION_DENIED`, `IO`, `LIMIT_EXCEEDED` for the file.
pub fn read_private(path: &Path, passphrase: Option<&str>) -> Result<PrivateKey> {
    let pem = Zeroizing::new(limits::read_file("private key", path, limits::KEY_BYTES)?);
    PrivateKey::from_pem(&pem, passphrase).map_err(|e| in_file(e, path))
}

/// Reads a public key file as [`PublicKey::from_pem`] or, if it is JSON, [`PublicKey::from_jwk`] does. A private key given
/// by mistake is refused, not used.
///
/// # Errors
/// Those of [`PublicKey::from_pem`] and [`PublicKey::from_jwk`]; `NOT_FOUND`, `PERMISSION_DENIED`, `IO`, `LIMIT_EXCEEDED`
/// for the file.
pub fn read_public(path: &Path) -> Result<PublicKey> {
    let bytes = Zeroizing::new(limits::read_file("public key", path, limits::KEY_BYTES)?);
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let key = if is_json { PublicKey::from_jwk(&bytes) } else { PublicKey::from_pem(&bytes) };
    key.map_err(|e| in_file(e, path))
}

/// Writes a private key to a new file that only its owner can read (mode 0600 on Unix), encrypted if there is a
/// passphrase. When it returns, the key is on disk; when it fails, no file is left.
///
/// # Errors
/// `ALREADY_EXISTS` (nothing is ever overwritten), `API_MISUSE` for an empty passphrase, `NOT_FOUND`,
/// `PERMISSION_DENIED`, `STORAGE_FULL`, `IO`.
pub fn write_private(path: &Path, key: &PrivateKey, passphrase: Option<&str>) -> Result<()> {
    write_private_as(path, key, KeyFormat::Pkcs8, passphrase)
}

/// Writes a private key as [`write_private`] does, in this format.
///
/// # Errors
/// Those of [`write_private`] and [`PrivateKey::to_file`].
pub fn write_private_as(path: &Path, key: &PrivateKey, format: KeyFormat, passphrase: Option<&str>) -> Result<()> {
    let pem = key.to_file(format, passphrase)?;
    write_secret(path, pem.as_bytes())
}

/// Writes a secret to a new file that only its owner may read, whole and on disk.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            ErrorKind::AlreadyExists,
            format!("`{}` exists and is not overwritten; name another file, or move it away first", path.display()),
        )
        .with("path", path.display())
        .caused_by(e),
        _ => Error::io("create", path, e),
    })?;
    write_durably(file, path, bytes).map_err(|e| {
        // the file is ours: it did not exist before
        let _ = std::fs::remove_file(path);
        Error::io("write", path, e)
    })
}

fn write_durably(mut file: File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn in_file(error: Error, path: &Path) -> Error {
    error.while_doing(format_args!("key file `{}`", path.display())).with("path", path.display())
}
