//! Wrong input: each ends with its code, soon, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::place::Place;

/// Every command that reads a document; `X` stands for it.
const READERS: [&str; 9] = [
    "verify artifact --bundle X --key key.pub",
    "attest approval --subject artifact --predicate X --key key.pem --out out.json",
    "sbom validate X",
    "ingest junit X --subject artifact --kind unit --key key.pem --out out.json",
    "key public X",
    "verify artifact --bundle record.json --key X",
    "trust init --from X --admin a=key.pub --key key.pem --out out.json",
    "ledger init --origin example.org/x --log-key log.pem --trust X",
    "snapshot --environment prod --observed X --key key.pem --log-key log.pem",
];

fn place() -> Place {
    let place = Place::new();
    place.key("key", "p256");
    place.key("other", "p256");
    place.key("log", "ed25519");
    place.write("artifact", "artifact");
    place.write("release.json", r#"{"purl":"pkg:generic/x@1","releaseId":"x-1"}"#);
    place.pass("attest release --subject artifact --predicate release.json --key key.pem --out record.json");
    place
}

/// What stands in the place of a document, with the codes it may end with.
fn faults(place: &Place) -> Vec<(&'static str, &'static [&'static str])> {
    place.write("empty", "");
    place.write("garbage", [0x80, 0x01, 0x00, 0xff]);
    place.write("text", "this is not what you mean");
    place.write("twice", r#"{"a":1,"a":2}"#);
    place.write("deep", "[".repeat(10_000));
    place.write("deep.xml", "<a>".repeat(10_000));
    std::fs::create_dir(place.path("folder")).unwrap();
    std::fs::File::create(place.path("sparse")).unwrap().set_len(1 << 30).unwrap();
    vec![
        ("missing", &["NOT_FOUND"]),
        ("folder", &["MALFORMED"]),
        ("empty", &["MALFORMED"]),
        ("garbage", &["MALFORMED"]),
        ("text", &["MALFORMED"]),
        ("twice", &["MALFORMED"]),
        // a file that is no JSON is judged by what its format begins with
        ("deep", &["LIMIT_EXCEEDED", "MALFORMED"]),
        ("deep.xml", &["LIMIT_EXCEEDED", "MALFORMED", "UNSUPPORTED"]),
        ("sparse", &["LIMIT_EXCEEDED"]),
    ]
}

#[test]
fn each_wrong_document_ends_with_its_code_soon_and_leaves_nothing_behind() {
    let place = place();
    let faults = faults(&place);
    let before = place.files();
    for reader in READERS {
        for (name, codes) in &faults {
            let line = reader.replace('X', name);
            let begun = Instant::now();
            let answer = place.json(2, &line);
            let code = answer["error"]["code"].as_str().unwrap();
            assert!(codes.contains(&code), "{line}: {answer:#}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{line} took {:?}", begun.elapsed());
            assert!(answer["error"]["message"].as_str().unwrap().len() < 2000, "{line}: {answer:#}");
            assert_eq!(place.files(), before, "{line}");
        }
    }
}

/// Every command that is given a ledger's folder, or that of a log, a copy or an archive; `X` stands for it.
const PLACES: [&str; 11] = [
    "ledger search --ledger X",
    "ledger stats --ledger X",
    "ledger audit --ledger X",
    "ledger rebuild --ledger X",
    "ledger attach artifact --ledger X",
    "ledger append record.json --log-key log.pem --ledger X",
    "ledger mirror X --to copy",
    "ledger restore X --ledger restored",
    "ledger move X moved",
    "ledger mirror ledger --to X",
    "ledger archive --before 2030-01-01T00:00:00Z --archive X --ledger ledger",
];

#[cfg(unix)]
#[test]
fn a_file_or_a_pipe_in_the_place_of_a_folder_is_told_and_nothing_is_left() {
    let place = place();
    place.write("policy.json", r#"{"signers":[{"name":"maker","predicateTypes":["release"]}],"people":[]}"#);
    place.pass(
        "trust init --from policy.json --admin a=other.pub --signer maker=key.pub --key other.pem --out trust.json",
    );
    place.pass("ledger init --origin example.org/x --log-key log.pem --trust trust.json --ledger ledger");
    place.write("file", "x");
    make_pipe(&place, "pipe");
    let before = place.files();
    for line in PLACES {
        for name in ["file", "pipe"] {
            let line = line.replace('X', name);
            let code = within_seconds(&place, &line);
            assert_eq!(code, "MALFORMED", "{line}");
            assert_eq!(place.files(), before, "{line}");
        }
    }
    place.pass("ledger audit --ledger ledger");
    // and a page of no results is no answer either
    assert_eq!(place.json(2, "ledger search --limit 0 --ledger ledger")["error"]["code"], "API_MISUSE");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_ledgers_own_file_holds_nobody_up() {
    let place = place();
    place.write("policy.json", r#"{"signers":[{"name":"maker","predicateTypes":["release"]}],"people":[]}"#);
    place.pass(
        "trust init --from policy.json --admin a=other.pub --signer maker=key.pub --key other.pem --out trust.json",
    );
    place.pass("ledger init --origin example.org/x --log-key log.pem --trust trust.json --ledger ledger");
    let own = ["checkpoint", "ledger.json", "lock", "journal", "tile/0/000.p/1", "tile/entries/000.p/1", "bodies/000"];
    for (number, name) in own.iter().enumerate() {
        let copy = format!("copy-{number}");
        let copied =
            std::process::Command::new("cp").arg("-r").args([place.path("ledger"), place.path(&copy)]).status();
        assert!(copied.unwrap().success());
        let at = format!("{copy}/{name}");
        let _ = std::fs::remove_file(place.path(&at));
        make_pipe(&place, &at);
        for line in ["ledger search", "ledger append record.json --log-key log.pem", "ledger audit"] {
            let mut command = std::process::Command::new("timeout");
            command.args(["20", env!("CARGO_BIN_EXE_sealwright")]).args(line.split_whitespace());
            command.args(["--json", "--ledger", &copy]).current_dir(place.path("")).env("HOME", place.path(""));
            let output = command.output().unwrap();
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(matches!(output.status.code(), Some(0..=2)), "{line} {name}: {:?}", output.status);
            assert_ne!(answer["error"]["code"], "INTERNAL", "{line} {name}: {answer:#}");
        }
    }
    place.pass("ledger audit --ledger ledger");
}

/// Every command that reads a file; none of them waits for somebody to write into a named pipe.
#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_file_and_nobody_waits_for_its_writer() {
    let place = place();
    make_pipe(&place, "pipe");
    let more = [
        "verify pipe --bundle record.json --key key.pub",
        "sign pipe --key key.pem",
        "attest release --subject pipe --predicate release.json --key key.pem --out out.json",
        "key public key.pem --passphrase-file pipe",
        "ledger key --out kek.json --passphrase-file pipe",
        "layout verify artifact --layout pipe --key key.pub",
        "layout verify artifact --layout release.json --key pipe",
        "pack verify folder --signers pipe --log-key log.pub",
    ];
    let before = place.files();
    for line in READERS.iter().map(|reader| reader.replace('X', "pipe")).chain(more.map(str::to_owned)) {
        // a key without a passphrase needs none
        if line.starts_with("key public key.pem") {
            place.pass(&line);
            continue;
        }
        assert_eq!(within_seconds(&place, &line), "MALFORMED", "{line}");
        assert_eq!(place.files(), before, "{line}");
    }
    // what a shell hands over is read
    let line =
        format!("{} verify artifact --bundle <(cat record.json) --key key.pub", env!("CARGO_BIN_EXE_sealwright"));
    let mut shell = std::process::Command::new("bash");
    let output = shell.current_dir(place.path("")).args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
fn make_pipe(place: &Place, name: &str) {
    assert!(std::process::Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

/// The code that a command ends with, which must be soon.
#[cfg(unix)]
fn within_seconds(place: &Place, line: &str) -> String {
    let mut command = std::process::Command::new("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_sealwright")]).args(line.split_whitespace()).arg("--json");
    let output = command.current_dir(place.path("")).env("HOME", place.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn an_error_in_a_document_names_nothing_of_this_program() {
    let place = place();
    place.write("policy.json", r#"{ "signers": [ { "name": "maker", "key": "key.pub" } ], "people": [] }"#);
    let answer = place.json(2, "trust init --from policy.json --admin a=key.pub --key key.pem --out trust.json");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("expected an object") && !message.contains("struct"), "{message}");
    place.write("policy.json", r#"{ "signers": {}, "people": [] }"#);
    let answer = place.json(2, "trust init --from policy.json --admin a=key.pub --key key.pem --out trust.json");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(!message.contains("a sequence") && !message.contains("struct"), "{message}");
}

#[test]
fn an_empty_passphrase_protects_no_new_key() {
    let place = place();
    place.write("empty", "");
    let before = place.files();
    for line in
        ["ledger key --out kek.json --passphrase-file empty", "key generate --out a.pem --passphrase-file empty"]
    {
        assert_eq!(place.json(2, line)["error"]["code"], "API_MISUSE", "{line}");
        assert_eq!(place.files(), before, "{line}");
    }
}

#[test]
fn json_that_is_nested_too_deep_is_over_a_limit() {
    let place = place();
    place.write("deep", "[".repeat(10_000));
    for reader in ["sbom validate deep", "verify artifact --bundle deep --key key.pub"] {
        assert_eq!(place.json(2, reader)["error"]["code"], "LIMIT_EXCEEDED", "{reader}");
    }
    place.write("deep.xml", format!("<testsuites>{}", "<testsuite>".repeat(10_000)));
    let report = "ingest junit deep.xml --subject artifact --kind unit --key key.pem";
    assert_eq!(place.json(2, report)["error"]["code"], "LIMIT_EXCEEDED");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_said_to_be_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    place.write("closed", "x");
    std::fs::set_permissions(place.path("closed"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(place.path("closed")).is_ok() {
        println!("not run: this user may read everything");
        return;
    }
    for reader in READERS {
        let line = reader.replace('X', "closed");
        assert_eq!(place.json(2, &line)["error"]["code"], "PERMISSION_DENIED", "{line}");
    }
}

#[test]
fn verification_refuses_with_1_and_the_reason() {
    let place = place();
    place.write("changed", "artifact, changed");
    let text = String::from_utf8(place.read("record.json")).unwrap();
    let payload = text.split("\"payload\":\"").nth(1).unwrap().split('"').next().unwrap();
    let swapped = payload.replacen('e', "f", 1);
    place.write("tampered.json", text.replace(payload, &swapped));
    for (line, code) in [
        ("verify artifact --bundle record.json --key other.pub", "UNTRUSTED_SIGNER"),
        ("verify artifact --bundle tampered.json --key key.pub", "BAD_SIGNATURE"),
        ("verify changed --bundle record.json --key key.pub", "DIGEST_MISMATCH"),
        ("verify artifact --bundle record.json --key key.pub --type approval", "WRONG_TYPE"),
    ] {
        assert_eq!(place.json(1, line)["error"]["code"], code, "{line}");
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{line}");
        assert!(ran.err.starts_with("sealwright: ") && ran.err.contains(code), "{line}: {}", ran.err);
    }
    let passed = place.json(0, "verify artifact --bundle record.json --key ann=key.pub --key other.pub --type release");
    assert_eq!(passed["signers"][0]["name"], "ann");
    assert_eq!(passed["signers"].as_array().unwrap().len(), 1);
}

#[test]
fn an_output_is_written_whole_or_not_at_all() {
    let place = place();
    let line = "attest release --subject artifact --predicate release.json --key key.pem --out";
    let first = place.read("record.json");
    place.pass(&format!("{line} record.json"));
    assert_ne!(first, place.read("record.json"), "a signature of P-256 is random, so this one is new");
    std::fs::create_dir(place.path("folder")).unwrap();
    assert_eq!(place.json(2, &format!("{line} folder"))["error"]["code"], "ALREADY_EXISTS");
    assert_eq!(place.json(2, &format!("{line} nowhere/out.json"))["error"]["code"], "NOT_FOUND");
    assert!(place.files().iter().all(|name| !name.contains("unfinished")), "{:?}", place.files());
}

#[test]
fn an_sbom_with_faults_is_refused_with_its_findings() {
    let place = Place::new();
    place.write("bom.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}"#);
    let answer = place.json(1, "sbom validate bom.json");
    assert_eq!(answer["findings"][0]["path"], "/components/0");
    assert_eq!(answer["valid"], false);
}

#[test]
fn what_stands_in_a_record_does_not_steer_the_terminal() {
    let place = place();
    let nasty = "\u{1b}]0;owned\u{7}\u{202e}";
    place.write("release.json", serde_json::json!({ "purl": "pkg:generic/x@1", "releaseId": nasty }).to_string());
    let ran = place.run("attest no\u{1b}[2Jthing --subject artifact --predicate release.json");
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
    let ran = place.run(&format!("gate {nasty} --artifact x --release x --deployer x"));
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{202e}'), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_can_not_be_printed_is_no_pass() {
    let place = place();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sealwright"));
    let command = command.current_dir(place.path("")).args(["key", "public", "key.pub"]).stdout(full);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[IO]"));
}
