//! Signing, with a private key or with a signer that is elsewhere.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::signer::{self, Access};

use crate::blob::Content;
use crate::data;
use crate::error::run;
use crate::key::{PrivateKey, PublicKey};
use crate::record::Statement;

/// A signer that was opened by its reference, wherever its key is.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Signer(Box<dyn signer::Signer + Send + Sync>);

/// Whoever signs.
#[derive(FromPyObject)]
pub(crate) enum AnySigner<'py> {
    PrivateKey(Bound<'py, PrivateKey>),
    Signer(Bound<'py, Signer>),
}

impl AnySigner<'_> {
    pub(crate) fn get(&self) -> &(dyn signer::Signer + Send + Sync) {
        match self {
            Self::PrivateKey(key) => &key.get().0,
            Self::Signer(signer) => &signer.get().0,
        }
    }
}

#[pymethods]
impl Signer {
    /// Opens the signer that `reference` names: a key file, `pkcs11:…`, `awskms://…`, `hashivault://…` or `command:…`.
    ///
    /// `public_key` is a `PUBLIC KEY` PEM text, `vault` a dict of `address`, `token` and, if need be, `mount`.
    #[staticmethod]
    #[pyo3(
        signature = (reference, **access),
        text_signature = "(reference, *, passphrase=None, pin=None, public_key=None, vault=None, time_limit_millis=None)"
    )]
    fn open(py: Python<'_>, reference: &str, access: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let access = data::json_of_options(py, access)?;
        run(py, || signer::open(reference, &Access::from_json(&access)?)).map(Self)
    }

    /// The public half.
    #[getter]
    fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().clone())
    }

    /// Signs bytes. All but a key file get to see their digest, and nothing else of them.
    fn sign(&self, py: Python<'_>, message: PyBackedBytes) -> PyResult<Vec<u8>> {
        run(py, || self.0.sign(&message))
    }
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[pyfunction]
pub(crate) fn sign(py: Python<'_>, statement: &Statement, key: AnySigner<'_>) -> PyResult<Vec<u8>> {
    let key = key.get();
    run(py, || signer::sign(&statement.0, key).map(|bundle| bundle.to_json()))
}

/// Signs bytes, a file or a stream as they are: a Sigstore bundle v0.3 with a message signature.
#[pyfunction]
pub(crate) fn sign_blob(py: Python<'_>, blob: Content, key: AnySigner<'_>) -> PyResult<Vec<u8>> {
    let key = key.get();
    run(py, || signer::sign_blob(&mut blob.reader()?, key).map(|bundle| bundle.to_json()))
}
