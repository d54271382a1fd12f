//! Reads what test runners and scanners wrote, strictly: what is not understood is refused, never passed.

/// JUnit XML test reports.
pub mod junit;
