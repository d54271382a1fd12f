//! Data crosses as JSON: Python's own writer and reader on one side, the core's strict reader on the other.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use sealwright::ci::Environment;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::raised;

/// The JSON of a Python value; what has none is a `TypeError` or `ValueError` of Python's `json`.
pub(crate) fn json_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    static ENCODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    // made once: `json.dumps` makes an encoder for each call that allows no NaN
    let encode = ENCODE.get_or_try_init(py, || {
        let options = PyDict::new(py);
        options.set_item("allow_nan", false)?;
        let encoder = py.import("json")?.getattr("JSONEncoder")?.call((), Some(&options))?;
        encoder.getattr("encode").map(Bound::unbind)
    })?;
    let text = encode.bind(py).call1((value,))?;
    Ok(text.cast::<PyString>()?.to_cow()?.as_bytes().to_vec())
}

/// The JSON of keyword arguments, under the names that the core gives them. `None` is as good as not said.
pub(crate) fn json_of_options(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<u8>> {
    let named = PyDict::new(py);
    for (name, value) in options.into_iter().flatten() {
        if !value.is_none() {
            named.set_item(camel_case(&name.cast::<PyString>()?.to_cow()?), value)?;
        }
    }
    json_of(named.as_any())
}

/// Reads a Python value as the core reads its JSON; `what` names it in errors.
pub(crate) fn read<T: DeserializeOwned>(what: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    parse(value.py(), what, &json_of(value)?)
}

/// Reads keyword arguments as the core reads their JSON; `what` names them in errors.
pub(crate) fn read_options<T: DeserializeOwned>(
    py: Python<'_>,
    what: &str,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<T> {
    parse(py, what, &json_of_options(py, options)?)
}

fn parse<T: DeserializeOwned>(py: Python<'_>, what: &str, json: &[u8]) -> PyResult<T> {
    sealwright::json::parse(what, json).map_err(|e| raised(py, &e))
}

/// A value of the core as plain Python data.
pub(crate) fn write<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    static DECODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let json = serde_json::to_string(value).map_err(|e| {
        raised(py, &Error::new(ErrorKind::Internal, format!("could not write a result as JSON: {e}; report it")))
    })?;
    let decode = DECODE.get_or_try_init(py, || py.import("json")?.getattr("loads").map(Bound::unbind))?;
    decode.bind(py).call1((json,))
}

/// A variable of this process, for what the caller gives no variables.
pub(crate) fn variable(name: &str) -> Option<Zeroizing<String>> {
    #[expect(clippy::disallowed_methods, reason = "the edge of a binding is where the environment is read")]
    let value = std::env::var(name).ok();
    value.map(Zeroizing::new)
}

/// The variables given, else those of this process. With `variable`, the only environment of this binding.
pub(crate) fn environment(py: Python<'_>, given: Option<&Bound<'_, PyAny>>) -> PyResult<Environment> {
    let Some(given) = given else { return Ok(Environment::of_os(std::env::vars_os())) };
    // `os.environ` has no JSON form, and a dict does
    let json = json_of(&py.get_type::<PyDict>().call1((given,))?)?;
    Environment::from_json(&json).map_err(|e| raised(py, &e))
}

/// The given time, else the clock's. The only clock of this binding.
pub(crate) fn now(py: Python<'_>, given: Option<&str>) -> PyResult<Timestamp> {
    let now = match given {
        Some(text) => text.parse(),
        None => {
            #[expect(clippy::disallowed_methods, reason = "the edge of a binding is where the clock is read")]
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        }
    };
    now.map_err(|e| raised(py, &e))
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
