//! Objects that two readers could read in two ways, and ids that are not theirs.

use sealwright::commit::{Commit, Tag};
use sealwright::digest::{Algorithm, Digest};

use crate::repository::{Repository, signature_lines};

fn parse(place: &Repository, id: &str) -> sealwright::error::Result<Commit> {
    Commit::parse(&place.raw(id), &Digest::from_hex(Algorithm::GitCommit, id).unwrap())
}

#[test]
fn a_commit_is_read_as_git_wrote_it() {
    for format in ["sha1", "sha256"] {
        let place = Repository::with_format(format);
        place.commit(None);
        place.git(&["checkout", "-q", "-b", "side"]);
        let side = place.commit_as(None, &["-m", "Side"]);
        place.git(&["checkout", "-q", "-"]);
        let main = place.commit_as(None, &["-m", "Main", "--author", "Bob <Bob@Example.org>"]);
        place.git(&["merge", "-q", "--no-ff", "-m", "Both\n\nCo-authored-by: Cleo <cleo@example.org>", "side"]);
        let merge = parse(&place, &place.git(&["rev-parse", "HEAD"])).unwrap();
        assert_eq!(merge.parents().iter().map(Digest::hex).collect::<Vec<_>>(), [main.clone(), side]);
        assert_eq!(merge.tree().hex(), place.git(&["rev-parse", "HEAD^{tree}"]));
        assert_eq!(merge.co_authors().next().unwrap().unwrap().to_string(), "Cleo <cleo@example.org>");
        let main = parse(&place, &main).unwrap();
        assert_eq!((main.author().name.as_str(), main.author().email.as_str()), ("Bob", "Bob@Example.org"));
        assert_eq!(main.committer().email, "ada@example.org");
        assert_eq!(main.message(), "Main\n");
        assert!(!main.is_signed());
    }
}

#[test]
fn an_object_under_another_id_is_refused() {
    let place = Repository::new();
    let (first, second) = (place.commit(None), place.commit_as(None, &["-m", "Other"]));
    let id = Digest::from_hex(Algorithm::GitCommit, &first).unwrap();
    assert_eq!(Commit::parse(&place.raw(&second), &id).unwrap_err().code(), "DIGEST_MISMATCH");
    // `git replace` shows another object under an id, unless it is told not to
    place.git(&["replace", &first, &second]);
    assert_eq!(Commit::parse(&place.raw(&first), &id).unwrap_err().code(), "DIGEST_MISMATCH");
    place.ssh_key("key", &["ed25519"]);
    let tag = place.tag("v1", "key");
    assert_eq!(Tag::parse(&place.raw(&tag), &first).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn s035_what_could_be_read_in_two_ways_is_refused() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    place.commit(None);
    let raw = place.text(&place.commit(Some("key")));
    let signature = signature_lines(&raw).to_owned();
    let tree = raw.lines().next().unwrap().to_owned();
    let author = raw.lines().find(|l| l.starts_with("author ")).unwrap().to_owned();
    let parent = raw.lines().find(|l| l.starts_with("parent ")).unwrap().to_owned();
    for (what, changed) in [
        ("two signatures", raw.replace(&signature, &format!("{signature}{signature}"))),
        ("a header that Git skips", raw.replace(&signature, &format!("{signature}gpgsig-later unseen\n"))),
        ("two trees", raw.replacen(&tree, &format!("{tree}\n{tree}"), 1)),
        ("a tree at the end", raw.replace(&signature, &format!("{signature}{tree}\n"))),
        ("two authors", raw.replacen(&author, &format!("{author}\n{author}"), 1)),
        ("an author at the end", raw.replace(&signature, &format!("{signature}{author}\n"))),
        ("a parent at the end", raw.replace(&signature, &format!("{signature}{parent}\n"))),
        (
            "author before parent",
            raw.replacen(&format!("{parent}\n"), "", 1).replacen(&author, &format!("{author}\n{parent}"), 1),
        ),
        ("no author", raw.replacen(&format!("{author}\n"), "", 1)),
        ("CRLF headers", raw.replacen(&format!("{tree}\n"), &format!("{tree}\r\n"), 1)),
        ("a short id", raw.replacen(&tree, &tree[..30], 1)),
        ("an upper-case id", raw.replacen(&tree, &format!("tree {}", tree[5..].to_uppercase()), 1)),
        ("an id of another format", raw.replacen(&parent, &format!("{parent}{}", &parent[7..31]), 1)),
        ("a NUL in the author", raw.replacen("author Ada", "author Ada\0", 1)),
        (
            "two addresses",
            raw.replacen("author Ada Example <ada@example.org>", "author Ada <ada@example.org> <eve@example.org>", 1),
        ),
        ("no address", raw.replacen("author Ada Example <ada@example.org>", "author Ada Example", 1)),
        ("an empty address", raw.replacen("author Ada Example <ada@example.org>", "author Ada Example <>", 1)),
        ("a zone too long", raw.replacen(" +0000\ncommitter", " +0000000\ncommitter", 1)),
        ("a continued author", raw.replacen(&author, &format!("{author}\n Eve <eve@example.org> 1 +0000"), 1)),
        ("a continuation of nothing", format!(" {raw}")),
        ("no message", raw.split("\n\n").next().unwrap().to_owned()),
        ("nothing", String::new()),
    ] {
        assert_ne!(changed, raw, "{what}");
        assert_eq!(place.verdict(&place.store("commit", &changed), &trust), "MALFORMED", "{what}");
    }
    let long = format!("{raw}{}", "x".repeat(5 * 1024 * 1024));
    assert_eq!(place.verdict(&place.store("commit", long), &trust), "LIMIT_EXCEEDED");
    let long = raw.replace("gpgsig ", &format!("gpgsig {}\n ", "x".repeat(70_000)));
    assert_eq!(place.verdict(&place.store("commit", long), &trust), "LIMIT_EXCEEDED");
}

#[test]
fn a_signed_tag_that_was_merged_is_there_to_be_verified() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let trust = place.allow(&format!("ada@example.org {public}\n"));
    place.commit(None);
    place.git(&["checkout", "-q", "-b", "side"]);
    place.commit_as(None, &["-m", "Side"]);
    let tag = place.tag("v1", "key");
    place.git(&["checkout", "-q", "-"]);
    place.git(&["merge", "-q", "--no-ff", "-Skey", "-m", "Merge", "v1"]);
    let id = place.git(&["rev-parse", "HEAD"]);
    place.both("good", &id, &trust, "a merge of a tag");
    let verified = place.verify(&id, &trust).unwrap();
    let [merged] = verified.commit().merged_tags() else { panic!("{verified:?}") };
    assert_eq!(merged, &place.raw(&tag));
    assert_eq!(Tag::parse(merged, &tag).unwrap().name(), "v1");
    let edited = place.text(&id).replace("\n tag v1\n", "\n tag v2\n");
    place.both("BAD_SIGNATURE", &place.store("commit", edited), &trust, "the tag in the merge changed");
}

#[test]
fn names_of_old_encodings_are_read_and_addresses_must_be_plain() {
    let place = Repository::new();
    let raw = place.text(&place.commit(None)).into_bytes();
    let with = |name: &[u8]| {
        let text = String::from_utf8_lossy(&raw);
        let (before, after) = text.split_once("author Ada Example <ada@example.org>").unwrap();
        place.store("commit", [before.as_bytes(), b"author ", name, after.as_bytes()].concat())
    };
    assert_eq!(parse(&place, &with(b"J\xf6rg <joerg@example.org>")).unwrap().author().name, "J\u{fffd}rg");
    assert_eq!(parse(&place, &with(b"<joerg@example.org>")).unwrap().author().name, "");
    assert_eq!(parse(&place, &with(b"Joerg <j\xf6rg@example.org>")).unwrap_err().code(), "MALFORMED");
}
