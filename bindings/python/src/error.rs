//! The core's errors as Python exceptions: one class for what the caller does next, the stable code, and the facts.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealwright::{Error, ErrorClass};

create_exception!(sealwright, SealwrightError, PyException, "What went wrong; `code` never changes for a cause.");
create_exception!(sealwright, InvalidInput, SealwrightError, "Correct the input or the call.");
create_exception!(sealwright, VerificationFailed, SealwrightError, "Do not use what was to be verified.");
create_exception!(sealwright, PolicyDenied, SealwrightError, "Meet the policy, then ask again.");
create_exception!(sealwright, LedgerError, SealwrightError, "Look after the ledger.");
create_exception!(sealwright, ServiceUnavailable, SealwrightError, "Try again, or look after machine or service.");

/// Does work of the core with the interpreter let go.
pub(crate) fn run<T: Send>(py: Python<'_>, work: impl Send + FnOnce() -> Result<T, Error>) -> PyResult<T> {
    py.detach(work).map_err(|e| raised(py, &e))
}

pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let message = error.message().to_owned();
    let raised = match error.kind().class() {
        ErrorClass::InvalidInput => InvalidInput::new_err(message),
        ErrorClass::VerificationFailed => VerificationFailed::new_err(message),
        ErrorClass::PolicyDenied => PolicyDenied::new_err(message),
        ErrorClass::LedgerError => LedgerError::new_err(message),
        ErrorClass::ServiceUnavailable => ServiceUnavailable::new_err(message),
        _ => SealwrightError::new_err(message),
    };
    match tell(raised.value(py), error) {
        Ok(()) => raised,
        Err(e) => e,
    }
}

fn tell(raised: &Bound<'_, PyAny>, error: &Error) -> PyResult<()> {
    let context = PyDict::new(raised.py());
    for (name, value) in error.context() {
        context.set_item(name, value)?;
    }
    raised.setattr("code", error.code())?;
    raised.setattr("context", context)
}
