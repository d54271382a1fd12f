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
