//! The commands in docs/guide/signing.md, run as they stand there. Those for tokens and services run in
//! tests/services/guide.rs.

use std::process::Command;

use crate::place::Place;

#[test]
fn the_commands_of_the_signing_guide_run() {
    for tool in ["openssl", "jq", "xxd"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return;
        }
    }
    let place = Place::new();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/signing.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let script: String = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(script.matches("sealwright ").count() >= 8, "{script}");
    place.write("guide.sh", format!("set -euo pipefail\n{script}"));
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    let ran = bash.arg("guide.sh").current_dir(place.path("")).env("PATH", path).env("HOME", place.path("")).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for made in ["app.scai.json", "app.sigstore.json", "app.command.json", "cosign.key"] {
        assert!(place.path(made).exists(), "{made}");
    }
}
