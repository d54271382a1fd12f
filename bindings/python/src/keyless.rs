//! Signing by an identity token, timestamps, and fetching trusted roots. The calls that ask a service touch the network.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::keyless;

use crate::data;
use crate::error::run;
use crate::record::Statement;
use crate::trust::TrustRoot;

/// The services that make a keyless signature: a certificate authority, transparency logs, timestamp authorities.
#[pyclass(frozen, module = "sealwright.keyless")]
pub(crate) struct Services(keyless::Services);

#[pymethods]
impl Services {
    /// Those of a Sigstore signing configuration v0.2 that are in use.
    #[staticmethod]
    #[pyo3(signature = (config, *, now=None))]
    fn from_signing_config(py: Python<'_>, config: PyBackedBytes, now: Option<&str>) -> PyResult<Self> {
        let now = data::now(py, now)?;
        run(py, || keyless::Services::from_signing_config(&config, now)).map(Self)
    }

    /// Sigstore's public-good instance, by `config` or the copy that is built in.
    ///
    /// It publishes the signer's e-mail address or workflow for ever: `knowing` must be `my-identity-is-published-for-ever`.
    #[staticmethod]
    #[pyo3(signature = (knowing, *, config=None, now=None))]
    fn public_good(py: Python<'_>, knowing: &str, config: Option<PyBackedBytes>, now: Option<&str>) -> PyResult<Self> {
        let now = data::now(py, now)?;
        run(py, || keyless::Services::public_good(knowing.parse()?, config.as_deref(), now)).map(Self)
    }

    /// Sigstore's staging instance, which is public, and for tests.
    #[staticmethod]
    #[pyo3(signature = (*, now=None))]
    fn staging(py: Python<'_>, now: Option<&str>) -> PyResult<Self> {
        let now = data::now(py, now)?;
        run(py, || keyless::Services::staging(now)).map(Self)
    }

    /// The audience that a token must be for.
    #[getter]
    fn audience(&self) -> &str {
        self.0.audience()
    }

    /// The addresses that a signature goes through, in this order.
    #[getter]
    fn addresses(&self) -> Vec<&str> {
        self.0.addresses().collect()
    }
}

/// An OpenID Connect identity token. It cannot be shown; its memory is overwritten when it is let go.
#[pyclass(frozen, module = "sealwright.keyless")]
pub(crate) struct Token(keyless::Token);

#[pymethods]
impl Token {
    /// Takes a token as its issuer wrote it (a JWT).
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        run(py, || keyless::Token::parse(text)).map(Self)
    }

    /// Reads a token from a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        run(py, || keyless::Token::read(&path)).map(Self)
    }

    /// The token for `audience` that a CI system or a cloud gives to this job; `None` outside of them.
    ///
    /// `environment` is that of this process unless another one is given.
    #[staticmethod]
    #[pyo3(signature = (audience, *, environment=None))]
    fn ambient(py: Python<'_>, audience: &str, environment: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Self>> {
        let environment = data::environment(py, environment)?;
        Ok(run(py, || keyless::ambient_token(&environment, audience))?.map(Self))
    }

    /// What a signature with it makes public: `issuer`, `identity` and `details`.
    #[getter]
    fn publication<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.publication())
    }

    /// Until when it is valid, by its own words.
    #[getter]
    fn expires_at(&self) -> String {
        self.0.expires_at().to_string()
    }
}

/// Signs a Statement by an identity token: a record, verified against `trust` before it is given.
#[pyfunction]
#[pyo3(signature = (statement, services, token, trust, *, now=None))]
pub(crate) fn keyless_sign_statement(
    py: Python<'_>,
    statement: &Statement,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    now: Option<&str>,
) -> PyResult<Vec<u8>> {
    let now = data::now(py, now)?;
    run(py, || keyless::sign_statement(&statement.0, &services.0, &token.0, &trust.0, now))
}

/// Signs the artifact with this digest (`sha256:<hex>`) by an identity token, likewise.
#[pyfunction]
#[pyo3(signature = (artifact, services, token, trust, *, now=None))]
pub(crate) fn keyless_sign_blob(
    py: Python<'_>,
    artifact: &str,
    services: &Services,
    token: &Token,
    trust: &TrustRoot,
    now: Option<&str>,
) -> PyResult<Vec<u8>> {
    let now = data::now(py, now)?;
    run(py, || keyless::sign_blob(&artifact.parse()?, &services.0, &token.0, &trust.0, now))
}

/// Adds a timestamp of the RFC 3161 authority at `url`, which `trust` must believe, to a signed record.
#[pyfunction]
pub(crate) fn keyless_timestamp(
    py: Python<'_>,
    record: PyBackedBytes,
    url: &str,
    trust: &TrustRoot,
) -> PyResult<Vec<u8>> {
    run(py, || keyless::timestamp(&record, url, &trust.0))
}

/// A TUF repository of trusted roots, and the `root.json` that trust in it begins with.
#[pyclass(frozen, module = "sealwright.keyless")]
pub(crate) struct RootSource(keyless::RootSource);

#[pymethods]
impl RootSource {
    /// The repository at `url`; get its `root.json` on a way you trust.
    #[new]
    fn new(url: String, pinned: Vec<u8>) -> Self {
        Self(keyless::RootSource::new(url, pinned))
    }

    /// That of Sigstore's public-good instance.
    #[staticmethod]
    fn public_good() -> Self {
        Self(keyless::RootSource::public_good())
    }

    /// That of Sigstore's staging instance.
    #[staticmethod]
    fn staging() -> Self {
        Self(keyless::RootSource::staging())
    }

    /// That of GitHub's own instance.
    #[staticmethod]
    fn github() -> Self {
        Self(keyless::RootSource::github())
    }
}

/// A folder with all trusted roots that were ever fetched from one source.
#[pyclass(frozen, module = "sealwright.keyless")]
pub(crate) struct RootArchive(keyless::RootArchive);

#[pymethods]
impl RootArchive {
    /// The archive in this folder, which need not exist yet.
    #[new]
    fn new(folder: PathBuf) -> Self {
        Self(keyless::RootArchive::at(folder))
    }

    /// Fetches the newest root over the network, by TUF; past ones stay. Gives `fetchedAt` and `digest` of the newest
    /// root, and whether it is new.
    #[pyo3(signature = (source, *, now=None))]
    fn refresh<'py>(
        &self,
        py: Python<'py>,
        source: &RootSource,
        now: Option<&str>,
    ) -> PyResult<(Bound<'py, PyAny>, bool)> {
        let now = data::now(py, now)?;
        let (root, is_new) = run(py, || self.0.refresh(&source.0, now))?;
        Ok((data::write(py, &root)?, is_new))
    }

    /// `fetchedAt` and `digest` of all roots, the oldest first.
    fn roots<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &run(py, || self.0.roots())?)
    }

    /// One trusted root of all, for `TrustRoot.with_sigstore`.
    fn trusted_root(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        run(py, || self.0.trusted_root())
    }

    /// The signing configuration that came with the newest root, for `Services.from_signing_config`.
    fn signing_config(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        run(py, || self.0.signing_config())
    }
}
