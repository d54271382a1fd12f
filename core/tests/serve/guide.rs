//! The commands in docs/guide/serve.md, run as they stand there, at a port that is free.

use std::process::Command;

#[test]
fn the_commands_of_the_guide_run() {
    for (tool, asked) in
        [("openssl", "version"), ("jq", "--version"), ("curl", "--version"), ("sha256sum", "--version")]
    {
        if Command::new(tool).arg(asked).output().is_err() {
            println!("not run, no {tool} command");
            return;
        }
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/serve.md");
    let guide = std::fs::read_to_string(guide).unwrap().replace("8443", &port);
    let blocks = |kind: &str| -> Vec<String> {
        let begin = format!("```{kind}\n");
        guide.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("serve.toml"), &blocks("toml")[0]).unwrap();
    let script = blocks("sh").concat();
    assert!(script.matches("sealwright ").count() >= 14, "{script}");
    let stop = "trap 'kill $server 2>/dev/null || true' EXIT\n";
    std::fs::write(dir.path().join("guide.sh"), format!("set -euo pipefail\nserver=\n{stop}{script}")).unwrap();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.arg("guide.sh")
        .current_dir(dir.path())
        .env("PATH", path)
        .env("HOME", dir.path())
        .env_remove("SEALWRIGHT_LEDGER");
    let ran = bash.output().unwrap();
    let log = std::fs::read_to_string(dir.path().join("serve.log")).unwrap_or_default();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}\n{log}");
    assert!(out.contains("entry 1: test-result") && out.contains("entry 1 was there already"), "{out}");
    let metrics = std::fs::read_to_string(dir.path().join("metrics.txt")).unwrap();
    assert!(metrics.contains("sealwright_ledger_records_appended_total 1\n"), "{metrics}");
    assert!(dir.path().join("receipt.json").exists() && log.contains("\"event\":\"stopped\""), "{log}");
    // every other configuration in it is one as well
    for more in &blocks("toml")[1..] {
        let base =
            "ledger=\"l\"\nstate=\"s\"\nlog-key=\"k\"\nlisten=\"127.0.0.1:0\"\ntransport=\"plain-behind-proxy\"\n";
        let roles = "[roles]\nsubmitter = [\"append\"]\n";
        let issuer = "[[issuer]]\nissuer=\"i\"\naudience=\"a\"\nalgorithms=[\"ES256\"]\nkeys-file=\"x\"\n";
        let tests =
            "[[caller]]\nname=\"tests\"\ncredential=\"c\"\nroles=[\"submitter\"]\ntoken={issuer=\"i\",subject=\"s\"}\n";
        sealwright::serve::Config::parse(&format!("{base}{roles}{issuer}{tests}{more}"), dir.path()).unwrap();
    }
}
