//! Classic in-toto layouts.

use std::collections::HashMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::Result;
use sealwright::layout::{self, LayoutExpectation, LayoutKey};

use crate::data;
use crate::error::run;

/// A folder of links, or links by name.
#[derive(FromPyObject)]
pub(crate) enum Links {
    Folder(PathBuf),
    Named(HashMap<String, Vec<u8>>),
}

impl Links {
    fn read(self) -> Result<layout::Links> {
        match self {
            Self::Folder(path) => layout::Links::of_folder(&path),
            Self::Named(links) => Ok(links.into_iter().fold(layout::Links::new(), |all, (n, link)| all.with(n, link))),
        }
    }
}

/// Verifies a layout that all `owners` must have signed, and its links. No command of it is ever run.
///
/// `owners` are key files as text: PEM, or the JSON of securesystemslib. `links` is the folder they lie in, or a dict of
/// their names and bytes. `artifact` is a product of the last step, or `any-unsafe`.
#[pyfunction]
#[pyo3(
    signature = (layout, owners, links, **expectation),
    text_signature = "(layout, owners, links, *, artifact, parameters=None, require_commands=None, at=None)"
)]
pub(crate) fn layout_verify<'py>(
    py: Python<'py>,
    layout: PyBackedBytes,
    owners: Vec<String>,
    links: Links,
    expectation: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (expectation, now) = (data::json_of_options(py, expectation)?, data::now(py, None)?);
    let verified = run(py, || {
        let owners = owners.iter().map(|key| LayoutKey::parse(key.as_bytes())).collect::<Result<Vec<_>>>()?;
        layout::verify(&layout, &owners, &links.read()?, &LayoutExpectation::from_json(&expectation, now)?)
    })?;
    data::write(py, &verified)
}
