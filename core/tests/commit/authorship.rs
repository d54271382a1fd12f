//! Whether the one who signed is the one who wrote it.

use sealwright::commit::{Authorship, Commit, CommitTrust};
use sealwright::digest::{Algorithm, Digest};

use crate::repository::{Repository, now};

fn of(place: &Repository, id: &str, trust: &CommitTrust) -> Authorship {
    let digest = Digest::from_hex(Algorithm::GitCommit, id).unwrap();
    Authorship::of(&Commit::parse(&place.raw(id), &digest).unwrap(), trust, now())
}

fn doubts(place: &Repository, id: &str, trust: &CommitTrust) -> Vec<&'static str> {
    of(place, id, trust).doubts().iter().map(|d| d.kind.name()).collect()
}

#[test]
fn s035_an_unsigned_or_unknown_author_is_flagged() {
    let place = Repository::new();
    let (ada, _) = (place.ssh_key("ada", &["ed25519"]), place.ssh_key("eve", &["ed25519"]));
    let trust = place.allow(&format!("ADA@example.org {ada}\n"));
    let good = place.commit(Some("ada"));
    assert!(of(&place, &good, &trust).is_clear());
    assert_eq!(doubts(&place, &place.commit(None), &trust), ["UNSIGNED"]);
    assert_eq!(doubts(&place, &place.commit(Some("eve")), &trust), ["UNKNOWN_SIGNER"]);
    let edited = place.store("commit", place.text(&good).replace("Prices", "Prizes"));
    assert_eq!(doubts(&place, &edited, &trust), ["SIGNATURE_REFUSED"]);
    assert_eq!(of(&place, &edited, &trust).doubts()[0].code, Some("BAD_SIGNATURE"));
    assert!(of(&place, &edited, &trust).signer().is_none());
}

#[test]
fn s035_a_good_signature_under_the_name_of_another_is_flagged() {
    let place = Repository::new();
    let (ada, eve) = (place.ssh_key("ada", &["ed25519"]), place.ssh_key("eve", &["ed25519"]));
    let trust = place.allow(&format!("ada@example.org {ada}\neve@example.org,*@lab.example {eve}\n"));
    let as_eve = |author: &str| place.commit_as(Some("eve"), &["-m", "x", "--author", author]);
    // Eve signs with her own key what says that Ada made it
    let forged = as_eve("Ada <ada@example.org>");
    assert_eq!(doubts(&place, &forged, &trust), ["OTHER_COMMITTER", "OTHER_AUTHOR"]);
    let writers: Vec<_> = of(&place, &forged, &trust).writers().into_iter().map(|w| w.email).collect();
    assert_eq!(writers, ["ada@example.org", "eve@example.org"], "who signed it had a hand in it");
    place.git(&["config", "user.email", "eve@example.org"]);
    assert_eq!(doubts(&place, &as_eve("Ada <ada@example.org>"), &trust), ["OTHER_AUTHOR"]);
    assert!(doubts(&place, &as_eve("Eve <Eve@Example.org>"), &trust).is_empty());
    assert!(doubts(&place, &as_eve("Eve <eve@lab.example>"), &trust).is_empty());
    assert_eq!(doubts(&place, &as_eve("Eve <eve@lab.example.evil>"), &trust), ["OTHER_AUTHOR"]);
}

#[test]
fn s035_a_forge_vouches_for_the_author_and_is_told_apart() {
    let place = Repository::new();
    let (ada, forge) = (place.ssh_key("ada", &["ed25519"]), place.ssh_key("forge", &["ed25519"]));
    let web = CommitTrust::new().with_allowed_signers(format!("noreply@forge.example {forge}\n").as_bytes()).unwrap();
    let own = place.allow(&format!("ada@example.org {ada}\n"));
    let trust = own.clone().with_forge("forge.example", web.clone());
    place.git(&["config", "user.email", "noreply@forge.example"]);
    let merged = place.commit_as(Some("forge"), &["-m", "Merge", "--author", "Ada <ada@example.org>"]);
    let wrote = of(&place, &merged, &trust);
    assert!(wrote.is_clear(), "{:?}", wrote.doubts());
    assert_eq!(wrote.signer().unwrap().forge.as_deref(), Some("forge.example"));
    assert_eq!(wrote.writers().iter().map(|w| w.email.as_str()).collect::<Vec<_>>(), ["ada@example.org"]);
    // known as a person, the same key speaks for itself alone
    let as_person = own.with_allowed_signers(format!("noreply@forge.example {forge}\n").as_bytes()).unwrap();
    assert_eq!(doubts(&place, &merged, &as_person), ["OTHER_AUTHOR"]);
    let edited = place.store("commit", place.text(&merged).replace("author Ada <ada", "author Eve <eve"));
    assert_eq!(doubts(&place, &edited, &trust), ["SIGNATURE_REFUSED"]);
}

#[test]
fn everyone_who_wrote_a_part_is_named_once() {
    let place = Repository::new();
    let message = "Prices\n\nCo-authored-by: Bob <bob@example.org>\n\nco-authored-by:  Ada <ADA@example.org>\n\
                   Co-Authored-By: somebody\nSigned-off-by: Dan <dan@example.org>";
    let id = place.commit_as(None, &["-m", message, "--author", "Cleo <cleo@example.org>"]);
    let wrote = of(&place, &id, &CommitTrust::new());
    let names: Vec<_> = wrote.writers().iter().map(|w| w.email.clone()).collect();
    assert_eq!(names, ["cleo@example.org", "ada@example.org", "bob@example.org"]);
    assert_eq!(doubts(&place, &id, &CommitTrust::new()), ["UNSIGNED", "UNREADABLE_CO_AUTHOR"]);
    let descriptor = serde_json::to_value(wrote.descriptor("git+https://example.org/shop").unwrap()).unwrap();
    assert_eq!(descriptor["digest"]["gitCommit"], id);
    assert_eq!(descriptor["annotations"]["author"], "Cleo <cleo@example.org>");
    assert_eq!(descriptor["annotations"]["doubts"][0], "UNSIGNED");
}
