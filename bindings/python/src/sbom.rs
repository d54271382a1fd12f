//! SBOMs: made, read, validated, converted, compared and asked.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::sbom::{self, Document, LicensePolicy, MergeOptions, Query, Vex};

use crate::data;
use crate::error::run;

/// Makes one CycloneDX 1.6 BOM of all lock files below `root`.
#[pyfunction]
#[pyo3(
    signature = (root, **options),
    text_signature = "(root, *, name=None, version=None, purl=None, bom_ref=None, timestamp=None, cargo_home=None, exclude=None)"
)]
pub(crate) fn sbom_generate<'py>(
    py: Python<'py>,
    root: PathBuf,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = data::read_options(py, "options", options)?;
    data::write(py, &run(py, || sbom::generate(&root, &options))?)
}

/// Makes one CycloneDX 1.6 BOM of a container image: an OCI image layout, or what `docker save` wrote.
#[pyfunction]
#[pyo3(
    signature = (path, **options),
    text_signature = "(path, *, digest=None, tag=None, platform=None, name=None, version=None, purl=None, bom_ref=None, timestamp=None)"
)]
pub(crate) fn sbom_generate_image<'py>(
    py: Python<'py>,
    path: PathBuf,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = data::read_options(py, "options", options)?;
    data::write(py, &run(py, || sbom::generate_image(&path, &options))?)
}

/// Every fault of an SBOM, CycloneDX 1.4 to 1.7 or SPDX 2.3 or 3.0.1, the first 100 at most; none means valid.
#[pyfunction]
pub(crate) fn sbom_validate(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || sbom::validate(&document))?)
}

/// What an SBOM holds, in one view for all formats.
#[pyfunction]
pub(crate) fn sbom_read(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || sbom::read(&document))?)
}

/// Converts an SBOM to `cyclonedx` or `spdx`: gives the `document` as text, and what was `lost`.
#[pyfunction]
#[pyo3(signature = (document, to, *, timestamp=None))]
pub(crate) fn sbom_convert<'py>(
    py: Python<'py>,
    document: PyBackedBytes,
    to: &str,
    timestamp: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let convert = || {
        let time = timestamp.map(str::parse).transpose()?;
        sbom::convert(&Document::parse(&document)?, to.parse()?, time)
    };
    data::write(py, &run(py, convert)?)
}

/// What changed from one SBOM to another.
#[pyfunction]
pub(crate) fn sbom_diff(py: Python<'_>, before: PyBackedBytes, after: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || Ok(sbom::diff(&sbom::read(&before)?, &sbom::read(&after)?)))?)
}

/// Which of the minimum elements of NTIA and CISA an SBOM lacks.
#[pyfunction]
pub(crate) fn sbom_score(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || sbom::score(&Document::parse(&document)?))?)
}

/// The components of an SBOM that meet all that is asked: those `found`, and those that are `undecided`.
#[pyfunction]
#[pyo3(
    signature = (document, **query),
    text_signature = "(document, *, purl=None, name=None, range=None, license=None)"
)]
pub(crate) fn sbom_query<'py>(
    py: Python<'py>,
    document: PyBackedBytes,
    query: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let query = data::json_of_options(py, query)?;
    data::write(py, &run(py, || Query::from_json(&query)?.find(&sbom::read(&document)?))?)
}

/// The components of an SBOM whose licences are not allowed.
#[pyfunction]
#[pyo3(
    signature = (document, **policy),
    text_signature = "(document, *, allow=None, deny=None, allow_unlicensed=None)"
)]
pub(crate) fn sbom_licenses<'py>(
    py: Python<'py>,
    document: PyBackedBytes,
    policy: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let policy = data::json_of_options(py, policy)?;
    data::write(py, &run(py, || LicensePolicy::from_json(&policy)?.check(&sbom::read(&document)?))?)
}

/// Makes one CycloneDX document of several: gives the `document` as text, and what was `lost`.
#[pyfunction]
#[pyo3(signature = (documents, **options), text_signature = "(documents, *, name, version=None, timestamp=None)")]
pub(crate) fn sbom_merge<'py>(
    py: Python<'py>,
    documents: Vec<PyBackedBytes>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = data::json_of_options(py, options)?;
    let merge = || {
        let documents = documents.iter().map(|d| Document::parse(d)).collect::<sealwright::Result<Vec<_>>>()?;
        sbom::merge(&documents, &MergeOptions::from_json(&options)?)
    };
    data::write(py, &run(py, merge)?)
}

/// The statements of a VEX document: OpenVEX, CSAF or CycloneDX.
#[pyfunction]
pub(crate) fn sbom_read_vex(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || Ok(Vex::parse(&document)?.statements))?)
}

/// What VEX documents say last of a vulnerability of a product, or of a part of it; `None` if nothing.
#[pyfunction]
#[pyo3(signature = (documents, vulnerability, product, component=None))]
pub(crate) fn sbom_vex_status<'py>(
    py: Python<'py>,
    documents: Vec<PyBackedBytes>,
    vulnerability: &str,
    product: &str,
    component: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let status = || {
        Vex::parse_all(documents.iter().map(|d| &**d))?.status(vulnerability, product, component).map(|s| s.cloned())
    };
    data::write(py, &run(py, status)?)
}
