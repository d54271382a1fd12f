//! Signatures of Git commits and tags, and who wrote what.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::Result;
use sealwright::commit::{self, Commit, Tag};
use sealwright::digest::{Algorithm, Digest};

use crate::data;
use crate::error::run;
use crate::trust::TrustRoot;

/// Whose signatures on commits and tags are believed. Empty, it believes nobody; each `with_…` gives another one.
#[pyclass(frozen, module = "sealwright.commit")]
pub(crate) struct CommitTrust(commit::CommitTrust);

#[pymethods]
impl CommitTrust {
    /// Believes nobody yet.
    #[new]
    fn new() -> Self {
        Self(commit::CommitTrust::new())
    }

    /// Believes the keys of an `allowed_signers` file of OpenSSH, each for its principals.
    fn with_allowed_signers(&self, py: Python<'_>, file: PyBackedBytes) -> PyResult<Self> {
        run(py, || self.0.clone().with_allowed_signers(&file)).map(Self)
    }

    /// Refuses these SSH keys whenever they signed: public keys, one on each line.
    fn with_revoked_ssh_keys(&self, py: Python<'_>, file: PyBackedBytes) -> PyResult<Self> {
        run(py, || self.0.clone().with_revoked_ssh_keys(&file)).map(Self)
    }

    /// Believes the OpenPGP certificates of a keyring, each for the addresses of its user ids.
    fn with_openpgp_keyring(&self, py: Python<'_>, file: PyBackedBytes) -> PyResult<Self> {
        run(py, || self.0.clone().with_openpgp_keyring(&file)).map(Self)
    }

    /// Believes gitsign signatures by the certificate identities that `trust` names.
    fn with_certificates(&self, py: Python<'_>, trust: &TrustRoot) -> PyResult<Self> {
        run(py, || self.0.clone().with_certificates(trust.0.clone())).map(Self)
    }

    /// Believes what `forge` believes as the word of the forge called `name`, which vouches for the authors it names.
    fn with_forge(&self, name: &str, forge: &Self) -> Self {
        Self(self.0.clone().with_forge(name, forge.0.clone()))
    }
}

/// Who wrote a commit: what it says itself, who signed it, and what does not fit.
#[pyclass(frozen, module = "sealwright.commit")]
pub(crate) struct Authorship(commit::Authorship);

#[pymethods]
impl Authorship {
    /// Verifies the commit that `git cat-file commit` prints, and compares the signer with those it names.
    #[staticmethod]
    #[pyo3(signature = (raw, commit_id, trust, *, now=None))]
    fn of(
        py: Python<'_>,
        raw: PyBackedBytes,
        commit_id: &str,
        trust: &CommitTrust,
        now: Option<&str>,
    ) -> PyResult<Self> {
        let now = data::now(py, now)?;
        run(py, || Ok(commit::Authorship::of(&parse(&raw, commit_id)?, &trust.0, now))).map(Self)
    }

    /// Whether a trusted signature stands behind all that it says of who made it.
    #[getter]
    fn is_clear(&self) -> bool {
        self.0.is_clear()
    }

    /// `commit`, `tree`, `author`, `committer`, `coAuthors`, `writers`, `signer` (or `None`) and `doubts`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// The commit as a subject of a Statement.
    fn descriptor<'py>(&self, py: Python<'py>, repository: &str) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &run(py, || self.0.descriptor(repository))?)
    }
}

/// Verifies the signature of the commit that `git cat-file commit` prints. Gives what it says, and its `signer`.
#[pyfunction]
#[pyo3(signature = (raw, commit_id, trust, *, now=None))]
pub(crate) fn commit_verify<'py>(
    py: Python<'py>,
    raw: PyBackedBytes,
    commit_id: &str,
    trust: &CommitTrust,
    now: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let now = data::now(py, now)?;
    data::write(py, &run(py, || commit::verify(&parse(&raw, commit_id)?, &trust.0, now))?)
}

/// Verifies the signature of the annotated tag that `git cat-file tag` prints. Gives what it says, and its `signer`.
#[pyfunction]
#[pyo3(signature = (raw, tag_id, trust, *, now=None))]
pub(crate) fn commit_verify_tag<'py>(
    py: Python<'py>,
    raw: PyBackedBytes,
    tag_id: &str,
    trust: &CommitTrust,
    now: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let now = data::now(py, now)?;
    data::write(py, &run(py, || commit::verify_tag(&Tag::parse(&raw, tag_id)?, &trust.0, now))?)
}

fn parse(raw: &[u8], commit_id: &str) -> Result<Commit> {
    Commit::parse(raw, &Digest::from_hex(Algorithm::GitCommit, commit_id)?)
}
