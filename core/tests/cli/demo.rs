//! The demo: the whole story, told at 80 columns, with its four refusals, twice over its own folder.

use std::process::Command;

use crate::place::Place;

const DEMO: &str = "demo --artifact shop --out out --report unit=report.xml --report integration=report.xml \
                    --report contract=report.xml";

/// A repository with a commit, a lock file, an artifact and a test report.
fn repository() -> Place {
    let place = Place::new();
    place.write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n",
    );
    place.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"dep\"\nversion = \"0.1.0\"\n\n\
         [[package]]\nname = \"shop\"\nversion = \"1.0.0\"\ndependencies = [\n \"dep\",\n]\n",
    );
    place.write("dep/Cargo.toml", "[package]\nname = \"dep\"\nversion = \"0.1.0\"\n");
    place.write("shop", "the built artifact");
    place.write("report.xml", "<testsuite tests=\"1\"><testcase name=\"it_works\"/></testsuite>");
    for line in ["init -q", "add -A", "-c user.name=Ada -c user.email=ada@example.org commit -q -m Prices"] {
        let status = Command::new("git").current_dir(place.path(".")).args(line.split(' ')).status().unwrap();
        assert!(status.success(), "git {line}");
    }
    place
}

#[test]
fn the_demo_tells_the_whole_story_and_shows_four_refusals() {
    let place = repository();
    let told = place.pass(DEMO);
    for said in ["EV-PROM-002", "EV-APPR-002", "its body is not the one the entry commits to", "LEDGER_ROLLED_BACK"] {
        assert!(told.contains(said), "{said} is not told:\n{told}");
    }
    for said in ["unapproved-digest", "by the library", "by verify.sh", "reports/index.html", "by Ada"] {
        assert!(told.contains(said), "{said} is not told:\n{told}");
    }
    assert_eq!(told.matches('✗').count(), 4, "{told}");
    for line in told.lines() {
        // a path, a command or a digest that is to be copied is never broken
        assert!(line.chars().count() <= 80 || !line.trim().contains(' ') || line.contains("verify.sh"), "{line}");
    }
    assert!(place.path("out/pack/reports/index.html").is_file());
    assert!(place.path("out/pack/manifest.sigstore.json").is_file());
    let report = String::from_utf8(place.read("out/pack/reports/index.html")).unwrap();
    assert!(report.contains("Ada (key made for the demo)"), "the real author seems to have signed");

    let again = place.json(0, DEMO);
    assert!(again["artifact"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn the_demo_removes_no_folder_but_its_own() {
    let place = repository();
    place.write("out/notes.txt", "mine");
    assert_eq!(place.json(2, DEMO)["error"]["code"], "ALREADY_EXISTS");
    assert_eq!(place.read("out/notes.txt"), b"mine");
}

#[test]
fn the_demo_outside_of_a_repository_says_so() {
    let place = Place::new();
    place.write("shop", "the built artifact");
    place.write("report.xml", "<testsuite tests=\"1\"><testcase name=\"a\"/></testsuite>");
    assert_eq!(place.json(2, DEMO)["error"]["code"], "NOT_FOUND");
}
