//! Bundles beside images, in their registry.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList};
use sealwright::oci;

use crate::data;
use crate::error::run;

/// A way to registries, with the credentials for one of them. Its calls touch the network.
///
/// An image is `REGISTRY/REPOSITORY` with `:TAG` or `@sha256:<hex>`.
#[pyclass(frozen, module = "sealwright.oci")]
pub(crate) struct Registry(oci::Registry);

#[pymethods]
impl Registry {
    /// With `user` and `password`, with `token`, or with what `docker_config` (the text of a Docker configuration file)
    /// holds for `registry`; else with no credentials.
    #[new]
    #[pyo3(
        signature = (**way),
        text_signature = "(*, user=None, password=None, token=None, docker_config=None, registry=None, \
                          plain_http_unsafe=None)"
    )]
    fn new(py: Python<'_>, way: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let way = data::json_of_options(py, way)?;
        run(py, || oci::Registry::from_json(&way)).map(Self)
    }

    /// What an image stands for at the moment: `digest`, `mediaType` and `kind`. Go on with the digest.
    fn resolve<'py>(&self, py: Python<'py>, image: &str) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &run(py, || self.0.resolve(&image.parse()?))?)
    }

    /// Stores a bundle beside the image it is about, and gives the digest of the manifest made for it.
    #[pyo3(signature = (image, bundle, *, now=None))]
    fn attach(&self, py: Python<'_>, image: &str, bundle: PyBackedBytes, now: Option<&str>) -> PyResult<String> {
        let now = data::now(py, now)?;
        run(py, || self.0.attach(&image.parse()?, &bundle, now).map(|digest| digest.to_string()))
    }

    /// All bundles that the registry keeps for the image, and those that could not be read. Nothing of them is verified.
    ///
    /// Of each: `bundle`, `payload` (what it signs, if that is no Statement), `manifest`, `place` and `annotations`. Of
    /// each that could not be read: `digest`, `code` and `message`.
    fn bundles<'py>(&self, py: Python<'py>, image: &str) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyAny>)> {
        let bundles = run(py, || self.0.bundles(&image.parse()?))?;
        let all = PyList::empty(py);
        for found in &bundles.found {
            let one = data::write(py, found)?;
            one.set_item("bundle", PyBytes::new(py, &found.bundle))?;
            one.set_item("payload", found.payload.as_ref().map(|payload| PyBytes::new(py, payload)))?;
            all.append(one)?;
        }
        Ok((all, data::write(py, &bundles.unreadable)?))
    }

    /// Copies the bundles of an image to where the same image lies, byte for byte. Gives the digests of their manifests.
    fn copy_bundles<'py>(&self, py: Python<'py>, image: &str, to: &str) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &run(py, || self.0.copy_bundles(&image.parse()?, &to.parse()?))?)
    }
}

/// The digest of the image that a simple-signing payload of cosign is about. Only of one whose signature was verified.
#[pyfunction]
pub(crate) fn oci_signed_image(py: Python<'_>, payload: PyBackedBytes) -> PyResult<String> {
    run(py, || oci::signed_image(&payload).map(|digest| digest.to_string()))
}
