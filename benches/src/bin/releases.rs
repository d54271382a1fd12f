//! Verifies the 345 bundles of CPython releases in the corpora, on all cores with one verifier:
//! `releases TRUSTED_ROOT FOLDER`. Ends with 1 if one of them is refused.
#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program of this project that is run by its benches"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sealwright::digest::{Algorithm, Digest};
use sealwright::timestamp::Timestamp;
use sealwright::trust::{CertificateIdentity, TrustRoot};
use sealwright::verifier::{Blob, Expectation, Verifier};
use serde::Deserialize;
use serde_json::value::RawValue;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What is known of one bundle.
#[derive(Deserialize)]
struct Case {
    version: String,
    index: usize,
    sha256: String,
    identity: String,
    issuer: String,
}

#[derive(Deserialize)]
struct Release<'a> {
    #[serde(borrow)]
    raw: BTreeMap<&'a str, &'a RawValue>,
}

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let ended = match paths.as_slice() {
        [root, folder] => verify_all(root, folder),
        _ => Err("usage: releases TRUSTED_ROOT FOLDER".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn verify_all(root: &Path, folder: &Path) -> Result<(), Error> {
    let verifier = Verifier::new(TrustRoot::new().with_sigstore(&std::fs::read(root)?)?);
    let lines = std::fs::read_to_string(folder.join("peer-verdicts.jsonl"))?;
    let mut cases: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for line in lines.lines() {
        let case: Case = serde_json::from_str(line)?;
        cases.entry(case.version.clone()).or_default().push(case);
    }
    let versions: Vec<_> = cases.into_iter().collect();
    let cores = std::thread::available_parallelism()?.get();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || -> Result<usize, Error> {
        let mut done = 0;
        while let Some((version, cases)) = versions.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            done += verify(&verifier, folder, version, cases)?;
        }
        Ok(done)
    };
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|t| t.join().map_err(|_| Error::from("a thread panicked"))?).sum::<Result<usize, _>>()
    })?;
    if done == 345 { Ok(()) } else { Err(format!("expected 345 bundles, found {done}").into()) }
}

fn verify(verifier: &Verifier, folder: &Path, version: &str, cases: &[Case]) -> Result<usize, Error> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let text = std::fs::read_to_string(folder.join("versions").join(format!("{version}.json")))?;
    let releases: Vec<Release<'_>> = serde_json::from_str(&text)?;
    for case in cases {
        let bundle = releases.get(case.index).and_then(|r| r.raw.get("sigstore"));
        let bundle = bundle.ok_or_else(|| format!("{version} has no bundle {}", case.index))?;
        let digest = Digest::from_hex(Algorithm::Sha256, &case.sha256)?;
        let identity = CertificateIdentity::new(case.identity.as_str(), case.issuer.as_str());
        verifier.verify_blob(
            bundle.get().as_bytes(),
            Blob::Digest(digest),
            &Expectation::of_signer(identity.into(), now),
        )?;
    }
    Ok(cases.len())
}
