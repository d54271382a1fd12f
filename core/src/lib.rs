//! Signed release evidence: attest, keep, decide and show how software was built, checked, approved and shipped.
//!
//! Four ideas hold it together. A **record** is a Sigstore bundle around a DSSE in-toto Statement. The **ledger**
//! commits to small entries, so that every proof outlives the record it is about. **Proof types** instead of
//! booleans: what is not proven cannot be passed on. And everything **fails closed**: missing, unreadable, undefined or
//! late is a refusal, with the reason and the way to fix it.
//!
//! Modules stand in dependency order: each uses only those above it.
#![forbid(unsafe_code)]

pub mod error;

pub mod limits;

mod random;

pub mod json;

pub mod timestamp;

pub mod digest;

mod address;

pub mod artifact;

pub mod predicate;

pub mod statement;

pub mod guard;

pub mod envelope;

pub mod key;

pub mod merkle;

pub mod checkpoint;

pub mod bundle;

pub mod trust;

pub mod signer;

pub mod encryption;

pub mod verifier;

pub mod provenance;

pub mod ci;
pub mod commit;
#[cfg(feature = "keyless")]
pub mod keyless;
pub mod layout;

pub mod trust_policy;

pub mod image;

pub mod sbom;

pub mod ingest;

pub mod policy;

pub mod ledger;

pub mod gate;

pub mod release;

pub mod affected;

pub mod alert;

pub mod report;

pub mod pack;

#[cfg(feature = "oci")]
pub mod oci;

pub mod spool;

#[cfg(feature = "remote")]
pub mod remote;

pub mod opening;

#[cfg(feature = "serve")]
pub mod serve;

#[cfg(feature = "cli")]
pub mod cli;

pub use error::{Error, ErrorClass, ErrorKind, Result};

/// The README's Rust example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The Rust example of the guide to SBOMs, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/sbom.md")]
pub struct SbomGuide;
