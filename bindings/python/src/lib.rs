//! Python binding: data, handles and error codes cross, nothing else. What a thing means, the core decides.
//!
//! The interpreter is let go around all work. Data crosses as JSON, so that there is no second model of it; options are
//! keyword arguments whose names become those of the core's JSON.
#![expect(clippy::needless_pass_by_value, reason = "arguments that Python gives are owned")]

mod attachment;
mod blob;
mod ci;
mod command;
mod commit;
mod data;
mod digest;
mod document;
mod encryption;
mod error;
mod gate;
mod ingest;
mod key;
mod keyless;
mod layout;
mod ledger;
mod oci;
mod provenance;
mod receipt;
mod record;
mod release;
mod retention;
mod sbom;
mod signer;
mod spool;
mod trust;
mod trust_policy;
mod witness;

use pyo3::prelude::*;

/// Signed release evidence: attest, keep, decide and show how software was built, checked, approved and shipped.
#[pymodule(name = "_sealwright")]
mod module {
    #[pymodule_export]
    use crate::attachment::AttachmentReader;
    #[pymodule_export]
    use crate::ci::{ci_plain_machine, ci_provenance};
    #[pymodule_export]
    use crate::command::run_command;
    #[pymodule_export]
    use crate::commit::{Authorship, CommitTrust, commit_verify, commit_verify_tag};
    #[pymodule_export]
    use crate::digest::{digest_bytes, digest_file, digest_folder, digest_set, parse_digest};
    #[pymodule_export]
    use crate::document::{junit_read, pack_build, pack_verify};
    #[pymodule_export]
    use crate::encryption::KeyEncryptionKey;
    #[pymodule_export]
    use crate::error::{
        InvalidInput, LedgerError, PolicyDenied, SealwrightError, ServiceUnavailable, VerificationFailed,
    };
    #[pymodule_export]
    use crate::gate::{Decision, Permit, decide};
    #[pymodule_export]
    use crate::ingest::{Ingested, guard_text, ingest_formats, ingest_read, ingest_read_file};
    #[pymodule_export]
    use crate::key::{PrivateKey, PublicKey};
    #[pymodule_export]
    use crate::keyless::{
        RootArchive, RootSource, Services, Token, keyless_sign_blob, keyless_sign_statement, keyless_timestamp,
    };
    #[pymodule_export]
    use crate::layout::layout_verify;
    #[pymodule_export]
    use crate::ledger::{Complete, Found, Ledger, LedgerRecord, LedgerStats, Records};
    #[pymodule_export]
    use crate::oci::{Registry, oci_signed_image};
    #[pymodule_export]
    use crate::provenance::{
        Checked, Reproduction, provenance_build, provenance_check, provenance_check_summary, provenance_isolated,
        provenance_reproduced,
    };
    #[pymodule_export]
    use crate::receipt::Receipt;
    #[pymodule_export]
    use crate::record::{Statement, Verified, Verifier, verify};
    #[pymodule_export]
    use crate::release::{Recorded, alerts, custody, deploy, drift, gaps, promote, release_begin, snapshot};
    #[pymodule_export]
    use crate::retention::{DisposalPlan, Retention, approve_disposal, longest_retention, place_hold, release_hold};
    #[pymodule_export]
    use crate::sbom::{
        sbom_convert, sbom_diff, sbom_generate, sbom_generate_image, sbom_licenses, sbom_merge, sbom_query, sbom_read,
        sbom_read_vex, sbom_score, sbom_validate, sbom_vex_status,
    };
    #[pymodule_export]
    use crate::signer::{Signer, sign, sign_blob};
    #[pymodule_export]
    use crate::spool::Spool;
    #[pymodule_export]
    use crate::trust::TrustRoot;
    #[pymodule_export]
    use crate::trust_policy::{
        key_descriptor, policy_descriptor, policy_profile, starter_bundle, trust_policy_statement,
    };
    #[pymodule_export]
    use crate::witness::{Mirror, Witness, verify_fork};
}
