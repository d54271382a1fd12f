//! `ledger move`, and places that a file describes.

use serde_json::json;

use crate::place::Place;

fn ledger() -> Place {
    let place = Place::new();
    place.key("admin", "p256");
    place.key("log", "ed25519");
    place.write("sealwright.toml", "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\n");
    place.write("trust.json", json!({ "signers": [], "people": [] }).to_string());
    place.pass("trust init --from trust.json --admin admin=admin.pub --key admin.pem --out trust.sigstore.json");
    place.pass("ledger init --origin example.org/releases --trust trust.sigstore.json");
    place.write("report.txt", "a report");
    place.pass("ledger attach report.txt");
    place
}

#[test]
fn a_ledger_is_moved_by_a_command_with_the_same_root() {
    let place = ledger();
    let before = place.json(0, "ledger stats");
    let moved = place.json(0, "ledger move ledger new");
    assert_eq!((&moved["root"], &moved["size"]), (&before["root"], &json!(1)));
    assert_eq!(place.json(1, "ledger attach report.txt")["error"]["code"], "APPEND_REFUSED");
    assert_eq!(place.json(1, "ledger move ledger third")["error"]["code"], "APPEND_REFUSED");
    place.pass("--ledger new ledger attach sealwright.toml");
    place.pass("--ledger new ledger audit");
    place.pass("ledger audit");
    assert_eq!(place.json(0, "ledger move new ledger")["root"], before["root"]);
    place.pass("ledger attach trust.json");
}

#[test]
fn a_description_that_holds_a_secret_or_is_wrong_is_refused_and_not_repeated() {
    let place = ledger();
    place.write("bucket.toml", "bucket = 's3://evidence'\ndatabase = 'postgres://ann:planted@127.0.0.1:1/x'\n");
    let refused = place.json(2, "--ledger bucket.toml ledger stats");
    if cfg!(feature = "object-store") {
        assert_eq!(refused["error"]["code"], "MALFORMED");
    } else {
        assert_eq!(refused["error"]["code"], "UNSUPPORTED");
    }
    assert!(!refused.to_string().contains("planted"), "{refused}");
    assert_eq!(
        place.json(2, "--ledger missing.toml ledger stats")["error"]["code"],
        if cfg!(feature = "object-store") { "NOT_FOUND" } else { "UNSUPPORTED" }
    );
}

#[test]
fn what_is_no_folder_is_refused_where_a_folder_is_made_and_an_address_where_a_ledger_lies() {
    let place = ledger();
    let vkey = place.json(0, "ledger stats")["logKey"].as_str().unwrap().to_owned();
    place.write("bucket.toml", "bucket = 's3://evidence/x'\ndatabase = 'postgres://127.0.0.1:1/x'\n");
    let before = place.files();
    let address = "https://ann:planted@127.0.0.1:1";
    for (line, code) in [
        (format!("ledger mirror ledger --to bucket.toml --pin-log-key {vkey}"), "UNSUPPORTED"),
        (format!("--ledger bucket.toml ledger restore ledger --pin-log-key {vkey}"), "UNSUPPORTED"),
        ("ledger stats --archive bucket.toml".to_owned(), "UNSUPPORTED"),
        (format!("--ledger {address} ledger restore ledger --pin-log-key {vkey}"), "API_MISUSE"),
        (format!("--ledger {address} ledger init --origin example.org/x --trust trust.sigstore.json"), "API_MISUSE"),
        (format!("ledger mirror ledger --to {address} --pin-log-key {vkey}"), "API_MISUSE"),
        (format!("ledger move {address} elsewhere"), "API_MISUSE"),
        (format!("ledger move ledger {address}"), "API_MISUSE"),
        (format!("ledger stats --archive {address}"), "API_MISUSE"),
        (format!("ledger mirror ledger --to copy --archive {address} --pin-log-key {vkey}"), "API_MISUSE"),
    ] {
        let ran = place.run(&line);
        let refused = place.json(2, &line);
        assert_eq!(refused["error"]["code"], code, "{line}: {refused}");
        for said in [refused.to_string(), ran.out, ran.err] {
            assert!(!said.contains("planted"), "{line}: {said}");
        }
        assert_eq!(place.files(), before, "{line}");
    }
    // a mistyped archive holds nothing, and is not made by looking there
    place.pass("ledger audit --archive mistyped");
    assert_eq!(place.files(), before);
    // nor does a mistyped spool
    let refused = place.json(2, "ledger spool send --spool mistyped");
    assert_eq!(refused["error"]["code"], "NOT_FOUND", "{refused}");
    // a file where a folder is meant
    for line in ["--ledger trust.json ledger stats", "ledger spool add trust.sigstore.json --spool trust.json"] {
        let refused = place.json(2, line);
        assert_eq!(refused["error"]["code"], "MALFORMED", "{line}: {refused}");
        assert_eq!(place.files(), before, "{line}");
    }
}

#[test]
fn a_spool_takes_records_and_files_without_a_ledger_and_nothing_that_is_wrong() {
    let place = ledger();
    place.write("empty", "");
    place.write("garbage", [0x80, 0x01, 0x00, 0xff]);
    std::fs::create_dir(place.path("folder")).unwrap();
    for (line, code) in [
        ("nope", "NOT_FOUND"),
        ("folder", "MALFORMED"),
        ("empty", "MALFORMED"),
        ("garbage", "MALFORMED"),
        ("trust.sigstore.json --attach nope", "NOT_FOUND"),
        ("trust.sigstore.json --attach folder", "MALFORMED"),
    ] {
        let refused = place.json(2, &format!("ledger spool add {line} --spool spool"));
        assert_eq!(refused["error"]["code"], code, "{line}: {refused}");
        assert!(!place.path("spool/waiting").exists(), "{line}");
    }
    let added = place.json(0, "ledger spool add --attach report.txt --spool spool");
    assert_eq!(added["attached"].as_array().unwrap().len(), 1);
    place.pass("ledger spool add trust.sigstore.json --spool spool");
    // the same folder's ledger takes both
    let sent = place.json(0, "ledger spool send --spool spool");
    assert_eq!((sent["attached"].as_array().unwrap().len(), sent["receipts"].as_array().unwrap().len()), (1, 1));
    assert_eq!((&sent["waiting"], &sent["attachmentsWaiting"]), (&json!(0), &json!(0)));
    assert_eq!(place.json(0, "ledger spool send --spool spool")["attached"], json!([]));
}
