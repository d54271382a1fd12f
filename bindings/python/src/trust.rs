//! What a verifier believes.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::trust;

use crate::data;
use crate::error::run;

/// What a verifier believes: keys and certificate identities by name, and the authorities and logs of Sigstore trusted
/// roots. It is never changed; each `with_…` gives another one.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct TrustRoot(pub(crate) trust::TrustRoot);

/// A trust root, or no more than its signers.
#[derive(FromPyObject)]
pub(crate) enum Trust<'py> {
    Root(Bound<'py, TrustRoot>),
    Signers(Bound<'py, PyAny>),
}

impl Trust<'_> {
    pub(crate) fn root(&self, py: Python<'_>) -> PyResult<trust::TrustRoot> {
        match self {
            Self::Root(root) => Ok(root.get().0.clone()),
            Self::Signers(signers) => Ok(TrustRoot::new(py, Some(signers))?.0),
        }
    }
}

#[pymethods]
impl TrustRoot {
    /// Believes `signers`: by name a `PUBLIC KEY` PEM text, or a dict of `key` or `identity`, `validFrom` and `validUntil`.
    #[new]
    #[pyo3(signature = (signers=None))]
    fn new(py: Python<'_>, signers: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let nobody = Self(trust::TrustRoot::new());
        signers.map_or(Ok(nobody), |signers| Self(trust::TrustRoot::new()).with_signers(py, signers))
    }

    /// Believes Sigstore's public-good instance, by the copy that is built in.
    #[staticmethod]
    fn public_good(py: Python<'_>) -> PyResult<Self> {
        run(py, trust::TrustRoot::public_good).map(Self)
    }

    /// Believes Sigstore's staging instance, which is for tests, by the copy that is built in.
    #[staticmethod]
    fn staging(py: Python<'_>) -> PyResult<Self> {
        run(py, trust::TrustRoot::staging).map(Self)
    }

    /// Believes GitHub's own instance, for private repositories, by the copy that is built in. It has no logs.
    #[staticmethod]
    fn github(py: Python<'_>) -> PyResult<Self> {
        run(py, trust::TrustRoot::github).map(Self)
    }

    /// Believes these signers, too.
    fn with_signers(&self, py: Python<'_>, signers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let signers = data::json_of(signers)?;
        run(py, || self.0.clone().with_signers(&signers)).map(Self)
    }

    /// Believes a Sigstore trusted root (JSON), too. Of several, the newest comes last.
    fn with_sigstore(&self, py: Python<'_>, trusted_root: PyBackedBytes) -> PyResult<Self> {
        run(py, || self.0.clone().with_sigstore(&trusted_root)).map(Self)
    }
}
