//! Keys.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::key;

use crate::error::run;

/// A private key that signs. It cannot be copied or shown; its bytes are zeroed when it is let go.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct PrivateKey(pub(crate) key::PrivateKey);

#[pymethods]
impl PrivateKey {
    /// Makes a new key of type `p256`, `p384` or `ed25519`.
    #[staticmethod]
    fn generate(py: Python<'_>, key_type: &str) -> PyResult<Self> {
        run(py, || key::PrivateKey::generate(key_type.parse()?)).map(Self)
    }

    /// Reads a PEM file: PKCS#8, encrypted PKCS#8, SEC1, or one of cosign.
    #[staticmethod]
    #[pyo3(signature = (pem, passphrase=None))]
    fn from_pem(py: Python<'_>, pem: &str, passphrase: Option<&str>) -> PyResult<Self> {
        run(py, || key::PrivateKey::from_pem(pem.as_bytes(), passphrase)).map(Self)
    }

    /// Reads a key file.
    #[staticmethod]
    #[pyo3(signature = (path, passphrase=None))]
    fn read(py: Python<'_>, path: PathBuf, passphrase: Option<&str>) -> PyResult<Self> {
        run(py, || key::read_private(&path, passphrase)).map(Self)
    }

    /// Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten.
    ///
    /// `format` is `pkcs8`, or `cosign` for cosign's own.
    #[pyo3(signature = (path, passphrase=None, *, format=None))]
    fn write(&self, py: Python<'_>, path: PathBuf, passphrase: Option<&str>, format: Option<&str>) -> PyResult<()> {
        run(py, || key::write_private_as(&path, &self.0, read_format(format)?, passphrase))
    }

    /// The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Python frees it.
    #[pyo3(signature = (passphrase=None, *, format=None))]
    fn to_pem(&self, py: Python<'_>, passphrase: Option<&str>, format: Option<&str>) -> PyResult<String> {
        let pem = run(py, || self.0.to_file(read_format(format)?, passphrase))?;
        Ok(pem.as_str().to_owned())
    }

    /// The public half.
    #[getter]
    fn public(&self) -> PublicKey {
        PublicKey(self.0.public().clone())
    }

    /// Signs bytes: P-256 and P-384 give ASN.1 DER ECDSA over their hash, Ed25519 its 64 bytes.
    fn sign(&self, py: Python<'_>, message: PyBackedBytes) -> PyResult<Vec<u8>> {
        run(py, || self.0.sign(&message))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

fn read_format(format: Option<&str>) -> sealwright::Result<key::KeyFormat> {
    format.map_or(Ok(key::KeyFormat::default()), str::parse)
}

/// A public key that verifies.
#[pyclass(frozen, eq, module = "sealwright")]
#[derive(PartialEq)]
pub(crate) struct PublicKey(pub(crate) key::PublicKey);

#[pymethods]
impl PublicKey {
    /// Reads a `PUBLIC KEY` PEM file.
    #[staticmethod]
    fn from_pem(py: Python<'_>, pem: &str) -> PyResult<Self> {
        run(py, || key::PublicKey::from_pem(pem.as_bytes())).map(Self)
    }

    /// Reads a key file. A private key given by mistake is refused, not used.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        run(py, || key::read_public(&path)).map(Self)
    }

    /// Reads a JSON Web Key.
    #[staticmethod]
    fn from_jwk(py: Python<'_>, json: &str) -> PyResult<Self> {
        run(py, || key::PublicKey::from_jwk(json.as_bytes())).map(Self)
    }

    /// The key as a `PUBLIC KEY` PEM file.
    fn to_pem(&self) -> String {
        self.0.to_pem()
    }

    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    #[getter]
    fn id(&self) -> String {
        self.0.id()
    }

    /// `p256`, `p384`, `ed25519` or `rsa`.
    #[getter]
    fn key_type(&self) -> &'static str {
        self.0.key_type().name()
    }

    /// Verifies a signature over bytes; returns nothing, or raises `VerificationFailed`.
    fn verify(&self, py: Python<'_>, message: PyBackedBytes, signature: PyBackedBytes) -> PyResult<()> {
        run(py, || self.0.verify(&message, &signature))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}
