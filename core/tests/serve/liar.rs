//! A service that lies: the client believes what is proven, and nothing else.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::Error;
use sealwright::ledger::{Anchors, Ledger, Pins, Query};
use sealwright::remote::{Access, Submitter};

use crate::loopback::{Loopback, Request};
use crate::small::copy;
use crate::team::{Running, Team, submission};

type Answers = Arc<Mutex<Box<dyn Fn(&str, &Request) -> Option<(u16, Vec<u8>)> + Send>>>;

/// A server that passes everything on to the honest one, but for what `lie` answers itself.
struct Liar {
    front: Loopback,
    lie: Answers,
}

impl Liar {
    /// In front of the files of a folder.
    fn over(folder: PathBuf) -> Self {
        Self::new(move |request| {
            let (method, path) = request.line.split_once(' ').unwrap();
            let file = folder.join(path.trim_start_matches('/'));
            match (method, path) {
                ("GET", "/v1/trust-policy") => (200, br#"{"entries":[0]}"#.to_vec()),
                ("GET", _) if file.is_file() => (200, std::fs::read(file).unwrap()),
                _ => (404, br#"{"error":{"code":"NOT_FOUND","message":"there is nothing of this name"}}"#.to_vec()),
            }
        })
    }

    /// In front of a sequencer.
    fn before(running: Arc<Running>) -> Self {
        Self::new(move |request| {
            let (method, path) = request.line.split_once(' ').unwrap();
            let token = request.headers.get("authorization").and_then(|a| a.strip_prefix("Bearer "));
            let answer = running.ask(method, path, token, request.body.as_bytes());
            (answer.status, answer.body)
        })
    }

    fn new(honest: impl Fn(&Request) -> (u16, Vec<u8>) + Send + 'static) -> Self {
        let lie: Answers = Arc::new(Mutex::new(Box::new(|_, _| None)));
        let own = Arc::clone(&lie);
        let front = Loopback::new(move |request| {
            let path = request.line.split_once(' ').unwrap().1;
            let lie = own.lock().unwrap()(path, request);
            lie.unwrap_or_else(|| honest(request))
        });
        Self { front, lie }
    }

    fn lie(&self, lie: impl Fn(&str, &Request) -> Option<(u16, Vec<u8>)> + Send + 'static) {
        *self.lie.lock().unwrap() = Box::new(lie);
    }

    fn lie_at(&self, at: &'static str, status: u16, body: impl Into<Vec<u8>>) {
        let body = body.into();
        self.lie(move |path, _| (path == at).then(|| (status, body.clone())));
    }

    fn connect(&self, team: &Team, name: &str) -> Result<Ledger, Error> {
        Ledger::connect(&self.front.url(""), &team.access("everything"), &team.anchors(name), &team.pins())
    }

    fn submitter(&self, team: &Team) -> Result<Submitter, Error> {
        let anchors = Anchors::in_folder(team.dir().join("state-of-nobody"));
        Submitter::connect(&self.front.url(""), &team.access("everything"), &anchors, &team.pins())
    }
}

/// The team's ledger opened where it lies, to append past the server.
fn append(team: &mut Team, texts: &[&str]) {
    let ledger = team.world.open().unwrap();
    let mut ledger = ledger.with_log_key(team.world.log_key()).unwrap().with_submitter("everything");
    for text in texts {
        let record = ledger.verify(&team.note(text), team.now()).unwrap();
        ledger.append(&record, team.now()).unwrap();
    }
}

#[test]
fn a_log_that_is_not_the_one_pinned_or_seen_before_is_refused() {
    let mut team = Team::new();
    append(&mut team, &["a"]);
    copy(&team.world.folder(), &team.dir().join("older"));
    // the same key, another history from here on
    let fork = team.dir().join("fork");
    copy(&team.world.folder(), &fork);
    append(&mut team, &["b"]);
    let anchors = Anchors::in_folder(team.dir().join("state-of-the-fork"));
    let mut forked = Ledger::open(&fork, &anchors, &Pins::none()).unwrap();
    forked = forked.with_log_key(team.world.log_key()).unwrap().with_submitter("everything");
    for text in ["c", "d", "e"] {
        let record = forked.verify(&team.note(text), team.now()).unwrap();
        forked.append(&record, team.now()).unwrap();
    }
    forked.settle().unwrap();

    let honest = Liar::over(team.world.folder());
    assert_eq!(honest.connect(&team, "reader").unwrap().size(), 3);
    for (folder, code) in [("older", "LEDGER_ROLLED_BACK"), ("fork", "LEDGER_FORKED")] {
        let liar = Liar::over(team.dir().join(folder));
        assert_eq!(liar.connect(&team, "reader").unwrap_err().code(), code);
        // who never saw it cannot tell, unless a checkpoint is pinned
        let mut pins = team.pins();
        pins.min_checkpoint = Some(std::fs::read(team.world.folder().join("checkpoint")).unwrap());
        let fresh = Anchors::in_folder(team.dir().join(format!("state-fresh-{folder}")));
        let e = Ledger::connect(&liar.front.url(""), &team.access("everything"), &fresh, &pins).unwrap_err();
        assert_eq!(e.code(), code);
    }
    let stranger = Team::new();
    let liar = Liar::over(stranger.world.folder());
    assert_eq!(liar.connect(&team, "reader").unwrap_err().code(), "LEDGER_FORKED");

    // a handle that is open sees it as well, and stays what it was
    let switching = Liar::over(team.world.folder());
    let mut ledger = switching.connect(&team, "reader").unwrap();
    switching.lie(move |path, _| Some((200, std::fs::read(fork.join(path.trim_start_matches('/'))).ok()?)));
    assert_eq!(ledger.refresh().unwrap_err().code(), "LEDGER_FORKED");
    assert_eq!(ledger.size(), 3);
    switching.lie_at("/checkpoint", 200, std::fs::read(team.dir().join("older/checkpoint")).unwrap());
    assert_eq!(ledger.refresh().unwrap_err().code(), "LEDGER_ROLLED_BACK");
}

#[test]
fn no_file_of_the_log_can_be_another() {
    let mut team = Team::new();
    append(&mut team, &["a", "b", "c"]);
    let liar = Liar::over(team.world.folder());
    let read = |path: &str| std::fs::read(team.world.folder().join(path)).unwrap();
    let mut changed = read("tile/entries/000.p/4");
    *changed.last_mut().unwrap() ^= 1;
    let mut tile = read("tile/0/000.p/4");
    tile[100] ^= 1;
    let mut checkpoint = read("checkpoint");
    checkpoint[40] ^= 1;
    let honest = read("bodies/000")[32..].to_vec();
    for (path, body, codes) in [
        ("/ledger.json", b"{}".to_vec(), &["LEDGER_TAMPERED"][..]),
        ("/ledger.json", b"<html>".to_vec(), &["LEDGER_TAMPERED"]),
        ("/checkpoint", checkpoint, &["LEDGER_TAMPERED"]),
        ("/checkpoint", vec![b'a'; 1 << 20], &["LIMIT_EXCEEDED"]),
        ("/tile/entries/000.p/4", changed, &["LEDGER_TAMPERED"]),
        ("/tile/entries/000.p/4", vec![0; 1 << 20], &["LEDGER_TAMPERED", "LIMIT_EXCEEDED"]),
        ("/tile/0/000.p/4", tile, &["LEDGER_TAMPERED"]),
        ("/bodies/000", read("bodies/001"), &["LEDGER_TAMPERED"]),
        ("/bodies/000", vec![], &["BODY_LOST", "LEDGER_TAMPERED"]),
    ] {
        liar.lie_at(path, 200, body);
        match liar.connect(&team, "nobody-yet").and_then(|ledger| ledger.record(0)) {
            // hashes that follow from the entries are made from them
            Ok(record) => assert!(path.starts_with("/tile/0/") && record.verified.record() == honest, "{path}"),
            Err(e) => assert!(codes.contains(&e.code()), "{path}: {e:?}"),
        }
    }
    liar.lie_at("/bodies/002", 200, read("bodies/001"));
    let ledger = liar.connect(&team, "nobody-yet").unwrap();
    assert_eq!(ledger.record(2).unwrap_err().code(), "LEDGER_TAMPERED");
    assert_eq!(ledger.prove(2).unwrap_err().code(), "LEDGER_TAMPERED");
    assert!(ledger.record(1).is_ok());
}

#[test]
fn a_search_shows_what_matches_in_order_and_ends() {
    let mut team = Team::new();
    append(&mut team, &["a", "b", "c"]);
    let liar = Liar::over(team.world.folder());
    let ledger = liar.connect(&team, "reader").unwrap();
    let search = |query: &str, answer: &str| {
        liar.lie_at("/v1/search", 200, answer.as_bytes());
        ledger.search(&serde_json::from_str::<Query>(query).unwrap())
    };
    let found = search("{}", r#"{"indexes":[1,2],"more":true}"#).unwrap();
    assert_eq!((found.records.len(), found.more), (2, true));
    for (query, answer, code) in [
        ("{}", r#"{"indexes":[2,1],"more":false}"#, "LEDGER_TAMPERED"),
        ("{}", r#"{"indexes":[1,1],"more":false}"#, "LEDGER_TAMPERED"),
        // the next page is asked for, and is the same
        (r#"{"after":2}"#, r#"{"indexes":[1,2],"more":true}"#, "LEDGER_TAMPERED"),
        (r#"{"limit":1}"#, r#"{"indexes":[1,2],"more":false}"#, "LEDGER_TAMPERED"),
        (r#"{"after":1}"#, r#"{"indexes":[1],"more":false}"#, "LEDGER_TAMPERED"),
        (r#"{"release":"r"}"#, r#"{"indexes":[1],"more":false}"#, "LEDGER_TAMPERED"),
        ("{}", r#"{"indexes":[1]}"#, "SERVICE_UNAVAILABLE"),
        ("{}", r#"{"indexes":["1"],"more":false}"#, "SERVICE_UNAVAILABLE"),
        ("{}", r#"[]"#, "SERVICE_UNAVAILABLE"),
        ("{}", "", "SERVICE_UNAVAILABLE"),
    ] {
        assert_eq!(search(query, answer).unwrap_err().code(), code, "{answer}");
    }
    // what this handle has not seen yet is not shown, and there is no endless next page
    for answer in [r#"{"indexes":[3,4,5],"more":true}"#, r#"{"indexes":[],"more":true}"#] {
        assert!(!search("{}", answer).unwrap().more);
    }
}

#[test]
fn a_receipt_that_proves_something_else_is_no_receipt() {
    let mut team = Team::new();
    append(&mut team, &["there"]);
    let running = Arc::new(team.start());
    let liar = Liar::before(Arc::clone(&running));
    let record = team.note("mine");
    let token = team.token("everything");
    let honest = |records: &[Vec<u8>]| running.ask("POST", "/v1/records", Some(&token), &submission(records)).json();
    let other = honest(&[team.note("other")]);
    let mine = honest(std::slice::from_ref(&record));
    let receipt = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = mine.clone();
        change(&mut changed);
        changed.to_string()
    };
    let there = STANDARD.encode(team.folder().record(1).unwrap().verified.record());
    let mut submitter = liar.submitter(&team).unwrap();
    for (why, answer) in [
        ("another record's receipt", other.to_string()),
        ("no receipt", r#"{"receipts":[]}"#.to_owned()),
        (
            "two receipts",
            receipt(&|v| {
                let one = v["receipts"][0].clone();
                v["receipts"].as_array_mut().unwrap().push(one);
            }),
        ),
        ("another index", receipt(&|v| v["receipts"][0]["receipt"]["index"] = 1.into())),
        ("another salt", receipt(&|v| v["receipts"][0]["receipt"]["salt"] = STANDARD.encode([0; 32]).into())),
        (
            "another entry",
            receipt(&|v| v["receipts"][0]["receipt"]["entry"] = other["receipts"][0]["receipt"]["entry"].clone()),
        ),
        (
            "another proof",
            receipt(&|v| v["receipts"][0]["receipt"]["proof"] = other["receipts"][0]["receipt"]["proof"].clone()),
        ),
        ("no proof", receipt(&|v| v["receipts"][0]["receipt"]["proof"] = "".into())),
        ("somebody else's record of before", {
            let mut changed = other.clone();
            changed["receipts"][0]["record"] = there.clone().into();
            changed.to_string()
        }),
    ] {
        let body = answer.into_bytes();
        liar.lie(move |path, _| (path == "/v1/records").then(|| (200, body.clone())));
        let e = submitter.submit(std::slice::from_ref(&record), team.now()).unwrap_err();
        assert!(["LEDGER_TAMPERED", "LEDGER_ROLLED_BACK"].contains(&e.code()), "{why}: {e:?}");
    }
    // a proven receipt of another statement, with the record it is really for
    let mut swapped = other.clone();
    swapped["receipts"][0]["record"] = STANDARD.encode(team.note("other")).into();
    let body = swapped.to_string().into_bytes();
    liar.lie(move |path, _| (path == "/v1/records").then(|| (200, body.clone())));
    assert_eq!(submitter.submit(std::slice::from_ref(&record), team.now()).unwrap_err().code(), "LEDGER_TAMPERED");
    for answer in ["", "{}", "null", r#"{"receipts":[{}]}"#, r#"{"receipts":null}"#, "\u{0}"] {
        liar.lie_at("/v1/records", 200, answer);
        assert_eq!(
            submitter.submit(std::slice::from_ref(&record), team.now()).unwrap_err().code(),
            "SERVICE_UNAVAILABLE",
            "{answer:?}"
        );
    }
    liar.lie(|_, _| None);
    let receipts = submitter.submit(&[record], team.now()).unwrap();
    assert!(receipts[0].already_there);
}

#[test]
fn a_receipt_under_a_fork_is_refused_though_the_log_key_signed_it() {
    let mut team = Team::new();
    append(&mut team, &["a"]);
    let fork = team.dir().join("fork");
    copy(&team.world.folder(), &fork);
    append(&mut team, &["b"]);
    let anchors = Anchors::in_folder(team.dir().join("state-of-the-fork"));
    let forked = Ledger::open(&fork, &anchors, &Pins::none()).unwrap();
    let mut forked = forked.with_log_key(team.world.log_key()).unwrap().with_submitter("everything");
    let record = team.note("mine");
    let verified = forked.verify(&record, team.now()).unwrap();
    let receipt = forked.append(&verified, team.now()).unwrap();
    let liar = Liar::over(team.world.folder());
    let mut submitter = liar.submitter(&team).unwrap();
    let answer = serde_json::json!({ "receipts": [{ "receipt": receipt }] }).to_string();
    liar.lie_at("/v1/records", 200, answer);
    assert_eq!(submitter.submit(&[record], team.now()).unwrap_err().code(), "LEDGER_FORKED");
}

#[test]
fn what_a_service_says_of_itself_is_no_verdict_and_a_redirect_leads_nowhere() {
    let team = Team::new();
    let liar = Liar::over(team.world.folder());
    let refused = |status: u16, body: &str| {
        liar.lie_at("/checkpoint", status, body);
        liar.connect(&team, "reader").unwrap_err()
    };
    let refusal = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"`evil` \u001b[2J"}}}}"#);
    for (status, body, code) in [
        (500, refusal("LEDGER_FORKED"), "SERVICE_UNAVAILABLE"),
        (400, refusal("LEDGER_TAMPERED"), "SERVICE_UNAVAILABLE"),
        (403, refusal("PERMISSION_DENIED"), "PERMISSION_DENIED"),
        (422, refusal("NO_SUCH_CODE"), "SERVICE_UNAVAILABLE"),
        (404, "<html>not found</html>".to_owned(), "SERVICE_UNAVAILABLE"),
        (302, String::new(), "SERVICE_UNAVAILABLE"),
        (401, "x".repeat(3 << 20), "SERVICE_UNAVAILABLE"),
    ] {
        let e = refused(status, &body);
        assert_eq!(e.code(), code, "{status} {e}");
        assert!(!e.message().contains('\u{1b}') && e.message().len() < 1000, "{e}");
    }
    assert!(liar.front.asked().iter().all(|r| r.headers.contains_key("authorization")));
}

#[test]
fn an_attempt_that_fails_is_made_again_and_not_for_ever() {
    let mut team = Team::new();
    append(&mut team, &["a"]);
    let running = Arc::new(team.start());
    let liar = Liar::before(Arc::clone(&running));
    let mut submitter = liar.submitter(&team).unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    // the first is refused for now, the second is appended and its answer lost
    let behind = Arc::clone(&running);
    let token = team.token("everything");
    liar.lie(move |path, request| {
        if path != "/v1/records" {
            return None;
        }
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Some((503, Vec::new())),
            1 => {
                assert_eq!(behind.ask("POST", path, Some(&token), request.body.as_bytes()).status, 200);
                Some((502, b"gateway".to_vec()))
            }
            _ => None,
        }
    });
    let receipt = submitter.submit(&[team.note("once")], team.now()).unwrap().remove(0);
    assert_eq!((receipt.already_there, tries.load(Ordering::Relaxed)), (true, 3));
    assert_eq!(team.folder().size(), 3);
    tries.store(0, Ordering::Relaxed);
    let counted = Arc::clone(&tries);
    liar.lie(move |path, _| {
        (path == "/v1/records").then(|| {
            counted.fetch_add(1, Ordering::Relaxed);
            (503, Vec::new())
        })
    });
    let e = submitter.submit(&[team.note("never")], team.now()).unwrap_err();
    assert_eq!((e.code(), tries.load(Ordering::Relaxed)), ("SERVICE_UNAVAILABLE", 5));
    assert!(!e.message().contains(&team.token("everything")));
}

#[test]
fn whoever_only_submits_must_know_the_log_and_is_told_no_lies_of_its_trust_policy() {
    let team = Team::new();
    let liar = Liar::over(team.world.folder());
    let anchors = Anchors::in_folder(team.dir().join("state-of-nobody"));
    let access = || Access::anonymous().with_token(&team.token("build")).unwrap();
    let e = Submitter::connect(&liar.front.url(""), &access(), &anchors, &Pins::none()).unwrap_err();
    assert_eq!(e.code(), "API_MISUSE");
    for (entries, code) in [("[]", "TRUST_POLICY_REFUSED"), ("[7]", "NOT_FOUND"), ("[0,0]", "TRUST_POLICY_REFUSED")] {
        liar.lie_at("/v1/trust-policy", 200, format!("{{\"entries\":{entries}}}"));
        let found = Submitter::connect(&liar.front.url(""), &access(), &anchors, &team.pins());
        // a version named twice is what it was
        assert!(found.as_ref().map_or_else(|e| e.code() == code, |_| entries == "[0,0]"), "{entries}: {found:?}");
    }
    // and it remembers nothing that it did not look at
    assert!(!anchors.folder().exists());
}
