//! Node binding: data, handles and error codes cross, nothing else. What a thing means, the core decides.
//!
//! Whatever works for long gives a promise and is done off the event loop; its twin `…Sync` does it at once. Data crosses
//! as JSON, so that there is no second model of it.
#![expect(clippy::needless_pass_by_value, reason = "arguments that Node gives are owned")]

pub mod attachment;
pub mod blob;
pub mod ci;
pub mod command;
pub mod commit;
pub mod data;
pub mod digest;
pub mod document;
pub mod encryption;
pub mod gate;
pub mod ingest;
pub mod iterator;
pub mod key;
pub mod keyless;
pub mod layout;
pub mod ledger;
pub mod mirror;
pub mod oci;
pub mod opening;
pub mod provenance;
pub mod record;
pub mod release;
pub mod retention;
pub mod sbom;
pub mod signer;
pub mod spool;
pub mod trust;
pub mod trust_policy;
pub mod witness;
pub mod work;
