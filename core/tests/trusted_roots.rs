//! Trusted roots by TUF, and the archive of all that came in.
#![cfg(feature = "keyless")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod loopback;
mod tuf_repository;

use sealwright::Result;
use sealwright::keyless::{RootArchive, RootSource};
use sealwright::timestamp::Timestamp;
use serde_json::Value;
use sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
use tuf_repository::Repository;

const LONG: &str = "2999-01-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A repository with a first root, a folder, and what came in.
struct Scene {
    repository: Repository,
    pinned: Vec<u8>,
    source: RootSource,
    archive: RootArchive,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let repository = Repository::new();
        repository.publish(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(), 2, LONG);
        let pinned = repository.root();
        let source = RootSource::new(repository.url(), pinned.clone());
        let folder = tempfile::tempdir().unwrap();
        let archive = RootArchive::at(folder.path().join("example"));
        Self { repository, pinned, source, archive, _folder: folder }
    }

    fn refresh(&self, now: &str) -> Result<bool> {
        self.archive.refresh(&self.source, at(now)).map(|(_, new)| new)
    }

    /// What refreshing fails with, after a first one that did not; what is archived stays as it was.
    fn refused(&self) -> &'static str {
        let before = self.archive.roots().unwrap();
        let code = self.refresh("2026-06-03T00:00:00Z").unwrap_err().code();
        assert_eq!(self.archive.roots().unwrap(), before);
        code
    }
}

/// The public-good root without its oldest log and certificate authority.
fn without_the_oldest() -> (Vec<u8>, Value, Value) {
    let mut root: Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let log = root["tlogs"].as_array_mut().unwrap().remove(0);
    let authority = root["certificateAuthorities"].as_array_mut().unwrap().remove(0);
    (serde_json::to_vec(&root).unwrap(), log, authority)
}

#[test]
fn past_roots_are_kept_beside_the_new_one_and_what_was_dropped_counts_until_then() {
    let scene = Scene::new();
    assert!(scene.refresh("2026-06-01T00:00:00Z").unwrap());
    assert!(!scene.refresh("2026-06-02T00:00:00Z").unwrap(), "the same root is no new one");
    let (newer, log, authority) = without_the_oldest();
    scene.repository.publish(&newer, 3, LONG);
    assert!(scene.refresh("2026-06-03T00:00:00Z").unwrap());

    let roots = scene.archive.roots().unwrap();
    assert_eq!(roots.len(), 2);
    assert_eq!(roots[0].bytes, SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes());
    assert_eq!((&roots[1].bytes, roots[1].fetched_at), (&newer, at("2026-06-03T00:00:00Z")));

    let whole: Value = serde_json::from_slice(&scene.archive.trusted_root().unwrap()).unwrap();
    let kept = |member: &str, place: &str, dropped: &Value| {
        let found = whole[member].as_array().unwrap().iter().find(|e| e.pointer(place) == dropped.pointer(place));
        found.unwrap().clone()
    };
    let until = "2026-06-03T00:00:00Z";
    let log = kept("tlogs", "/publicKey/rawBytes", &log);
    assert_eq!(log.pointer("/publicKey/validFor/end").unwrap(), until);
    // this one had ended before
    let ended = authority.pointer("/validFor/end").unwrap().clone();
    assert_eq!(kept("certificateAuthorities", "/certChain", &authority).pointer("/validFor/end").unwrap(), &ended);
}

#[test]
fn a_clock_that_went_back_does_not_change_which_root_is_newest() {
    let scene = Scene::new();
    scene.refresh("2026-06-03T00:00:00Z").unwrap();
    let (newer, ..) = without_the_oldest();
    scene.repository.publish(&newer, 3, LONG);
    scene.refresh("2026-06-01T00:00:00Z").unwrap();
    assert_eq!(scene.archive.roots().unwrap()[1].bytes, newer);
}

#[test]
fn an_older_repository_than_was_seen_is_refused() {
    let scene = Scene::new();
    scene.refresh("2026-06-01T00:00:00Z").unwrap();
    scene.repository.publish(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(), 1, LONG);
    assert_eq!(scene.refused(), "TRUST_POLICY_REFUSED");
}

#[test]
fn an_expired_repository_is_refused() {
    let scene = Scene::new();
    scene.refresh("2026-06-01T00:00:00Z").unwrap();
    scene.repository.publish(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(), 3, "2026-06-02T00:00:00Z");
    assert_eq!(scene.refused(), "EXPIRED");
}

#[test]
fn a_repository_that_the_pinned_root_does_not_speak_for_is_refused() {
    let (scene, other) = (Scene::new(), Repository::new());
    let source = RootSource::new(scene.repository.url(), other.root());
    let e = scene.archive.refresh(&source, at("2026-06-01T00:00:00Z")).unwrap_err();
    assert_eq!(e.code(), "BAD_SIGNATURE");
    assert!(scene.archive.roots().unwrap().is_empty());
    assert!(scene.refresh("2026-06-01T00:00:00Z").unwrap(), "a wrong try leaves nothing behind");
}

#[test]
fn an_archive_takes_roots_of_one_source_only() {
    let (scene, other) = (Scene::new(), Scene::new());
    scene.refresh("2026-06-01T00:00:00Z").unwrap();
    let e = scene.archive.refresh(&other.source, at("2026-06-02T00:00:00Z")).unwrap_err();
    assert_eq!(e.code(), "TRUST_POLICY_REFUSED");
    assert_eq!(scene.archive.roots().unwrap().len(), 1);
}

#[test]
fn another_root_than_the_metadata_names_is_refused() {
    let scene = Scene::new();
    scene.repository.put("targets/trusted_root.json", without_the_oldest().0);
    assert_eq!(scene.refused(), "DIGEST_MISMATCH");
    let long = vec![b' '; SIGSTORE_PRODUCTION_TRUSTED_ROOT.len() + 1];
    scene.repository.put("targets/trusted_root.json", long);
    assert_eq!(scene.refused(), "SERVICE_UNAVAILABLE");
}

#[test]
fn a_signed_file_that_is_no_trusted_root_is_not_kept() {
    let scene = Scene::new();
    scene.repository.publish(br#"{"mediaType":"application/json"}"#, 2, LONG);
    let code = scene.refused();
    assert!(["MALFORMED", "UNSUPPORTED"].contains(&code), "{code}");
}

#[test]
fn without_its_repository_the_archive_is_read_as_it_is() {
    let scene = Scene::new();
    assert_eq!(scene.archive.trusted_root().unwrap_err().code(), "NOT_FOUND");
    scene.refresh("2026-06-01T00:00:00Z").unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let source = RootSource::new(format!("http://{gone}/"), scene.pinned.clone());
    let e = scene.archive.refresh(&source, at("2026-06-02T00:00:00Z")).unwrap_err();
    assert_eq!(e.code(), "SERVICE_UNAVAILABLE");
    assert!(scene.archive.trusted_root().is_ok());
    assert_eq!(scene.archive.signing_config().unwrap_err().code(), "NOT_FOUND");
}
