//! The keys that ledgers are encrypted with.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealwright::encryption::{self, KeyFile};
use sealwright::signer::Access;

use crate::data;
use crate::error::run;

/// A key that ledgers are encrypted with, wherever it is. It cannot be shown.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct KeyEncryptionKey(pub(crate) Box<dyn encryption::KeyEncryptionKey>);

/// The key that was given, if one was.
pub(crate) fn kek(given: Option<&KeyEncryptionKey>) -> Option<&dyn encryption::KeyEncryptionKey> {
    given.map(|key| &*key.0)
}

#[pymethods]
impl KeyEncryptionKey {
    /// Makes a new key in a new file that only its owner can read, under a passphrase if there is one.
    ///
    /// Without this file and its passphrase nobody reads what was encrypted with it.
    #[staticmethod]
    #[pyo3(signature = (path, passphrase=None))]
    fn generate(py: Python<'_>, path: PathBuf, passphrase: Option<&str>) -> PyResult<Self> {
        let made = run(py, || {
            let key = KeyFile::generate()?;
            key.write(&path, passphrase).map(|()| key)
        })?;
        Ok(Self(Box::new(made)))
    }

    /// Opens the key that `reference` names: a key file, `pkcs11:…`, `awskms://…` or `hashivault://…`.
    ///
    /// `vault` is a dict of `address`, `token` and, if need be, `mount`.
    #[staticmethod]
    #[pyo3(
        signature = (reference, **access),
        text_signature = "(reference, *, passphrase=None, pin=None, vault=None, time_limit_millis=None)"
    )]
    fn open(py: Python<'_>, reference: &str, access: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let access = data::json_of_options(py, access)?;
        run(py, || encryption::open_key_encryption_key(reference, &Access::from_json(&access)?)).map(Self)
    }

    /// What names the key in the ledgers it opens; no secret.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    fn __repr__(&self) -> String {
        format!("KeyEncryptionKey({})", self.0.id())
    }
}
