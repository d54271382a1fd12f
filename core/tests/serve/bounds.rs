//! Bounds: what is too long, too slow, too often or no HTTP at all.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use sealwright::digest::Digest;

use crate::team::{Team, parse, submission};

#[test]
fn what_is_too_long_is_refused_before_it_is_held() {
    let team = Team::new();
    let running = team
        .start_with(&Team::config("submission-bytes = 20000\nattachment-bytes = 1000\nrecords-per-submission = 2", ""));
    let token = team.token("build");
    let long = vec![b' '; 20_001];
    let answer = running.ask("POST", "/v1/records", Some(&token), &long);
    assert_eq!((answer.status, answer.code().as_str()), (413, "LIMIT_EXCEEDED"));
    // one that does not say its length
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunk = format!("{:x}\r\n{}\r\n", 1024, " ".repeat(1024)).repeat(40);
    let answer = running.raw(format!("{head}{chunk}0\r\n\r\n").as_bytes()).unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (413, "LIMIT_EXCEEDED"));
    let three: Vec<_> = (0..3).map(|n| team.note(&n.to_string())).collect();
    let answer = running.ask("POST", "/v1/records", Some(&token), &submission(&three));
    assert_eq!((answer.status, answer.code().as_str()), (413, "LIMIT_EXCEEDED"));
    let file = vec![7; 1001];
    let path = format!("/attachments/{}", Digest::sha256(&file).hex());
    assert_eq!(running.ask("PUT", &path, Some(&token), &file).status, 413);
    let answer = running.raw(
        format!("PUT {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n")
            .as_bytes(),
    );
    assert_eq!(answer.unwrap().status, 413);
    // a head that is too long never gets to a handler
    let answer =
        running.raw(format!("GET /checkpoint HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(1 << 20)).as_bytes());
    assert!(answer.is_none_or(|a| a.status == 431 || a.status == 400));
    running.stop();
    let mut ledger = team.folder();
    assert_eq!(ledger.size(), 1);
    assert!(ledger.audit().unwrap().is_clean());
    assert!(std::fs::read_dir(team.dir().join("server-state/uploads")).map_or(true, |mut d| d.next().is_none()));
}

#[test]
fn garbage_is_answered_or_closed_and_changes_nothing() {
    let team = Team::new();
    let running = team.start_with(&Team::config("header-millis = 500", ""));
    let token = team.token("build");
    for body in [
        &b""[..],
        b"{}",
        b"null",
        b"[]",
        b"{\"records\":[]}",
        b"{\"records\":[\"!\"]}",
        b"{\"records\":[\"e30=\"]}",
        b"{\"records\":[\"e30=\"],\"records\":[]}",
        b"{\"records\":[1]}",
        b"{\"records\":[\"e30=\"],\"as\":\"everything\"}",
        b"\xff\xfe",
        &b"[".repeat(5000),
    ] {
        let answer = running.ask("POST", "/v1/records", Some(&token), body);
        assert!((400..=422).contains(&answer.status), "{body:?}: {}", answer.status);
        assert!(["MALFORMED", "LIMIT_EXCEEDED", "UNSUPPORTED"].contains(&answer.code().as_str()), "{}", answer.text());
    }
    let auditor = team.token("auditor");
    for query in
        [&b"{"[..], b"{\"relase\":\"x\"}", b"{\"limit\":10001}", b"{\"limit\":-1}", b"{\"since\":\"yesterday\"}"]
    {
        let answer = running.ask("POST", "/v1/search", Some(&auditor), query);
        assert!([400, 413].contains(&answer.status), "{}", answer.text());
    }
    // a changed record, and one that nobody of the trust policy signed
    let mut changed = team.note("x");
    let at = changed.len() / 2;
    changed[at] ^= 1;
    let stranger = sealwright::key::PrivateKey::generate(sealwright::key::KeyType::Ed25519).unwrap();
    let stranger = sealwright::signer::sign(&crate::small::note("x"), &stranger).unwrap().to_json();
    for record in [changed, stranger] {
        let answer = running.ask("POST", "/v1/records", Some(&token), &submission(&[record]));
        assert!([400, 422].contains(&answer.status), "{}", answer.text());
    }
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = running.raw(bytes);
        assert!(answer.is_none_or(|a| a.status >= 400));
    }
    assert_eq!(running.ask("GET", "/healthz", None, b"").status, 200);
    running.stop();
    assert_eq!(team.folder().size(), 1);
}

#[test]
fn whoever_is_slow_is_not_waited_for_and_keeps_nobody_out() {
    let team = Team::new();
    let running = team.start_with(&Team::config(
        "connections = 4\nheader-millis = 300\nrequest-millis = 600\nstop-millis = 1000",
        "",
    ));
    let token = team.token("build");
    // heads that never end, bodies that never come, connections that say nothing
    let mut slow = Vec::new();
    for begin in [
        "GET /checkpoint HTTP/1.1\r\nHost: x\r\n".to_owned(),
        String::new(),
        format!(
            "POST /v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{"
        ),
        format!(
            "PUT /attachments/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{",
            "a".repeat(64)
        ),
    ] {
        let mut stream = running.open();
        stream.write_all(begin.as_bytes()).unwrap();
        slow.push(stream);
    }
    let upload = slow.pop().unwrap();
    // all slots are taken; the next one is answered as soon as one of them is closed
    let begun = Instant::now();
    assert_eq!(running.ask("GET", "/checkpoint", Some(&token), b"").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(30));
    for mut stream in slow {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(parse(&all).is_none_or(|a| a.status == 408), "{}", String::from_utf8_lossy(&all));
    }
    // an upload has its own time; it is cut when the server stops
    let _ = upload.shutdown(Shutdown::Write);
    drop(upload);
    running.stop();
    assert!(team.folder().audit().unwrap().is_clean());
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again_and_others_are_not() {
    let team = Team::new();
    let config = Team::config("", "")
        .replace("requests-per-second = 10000", "requests-per-second = 1")
        .replace("burst = 10000", "burst = 5");
    let running = team.start_with(&config);
    let (build, deploy) = (team.token("build"), team.token("deploy"));
    let statuses: Vec<u16> = (0..12).map(|_| running.ask("GET", "/checkpoint", Some(&build), b"").status).collect();
    assert!(statuses.iter().filter(|s| **s == 200).count() >= 5 && statuses.contains(&429), "{statuses:?}");
    let answer = running.ask("GET", "/checkpoint", Some(&build), b"");
    assert_eq!(answer.status, 429);
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(running.ask("GET", "/checkpoint", Some(&deploy), b"").status, 200);
    // strangers have a bucket of their own, by address
    let statuses: Vec<u16> = (0..12).map(|_| running.ask("GET", "/checkpoint", None, b"").status).collect();
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    // a client waits as it was told, and gets through
    let ledger = team.connect(&running, "auditor").unwrap();
    assert_eq!(ledger.size(), 1);
}

#[test]
fn what_waits_for_memory_is_told_to_come_again() {
    let team = Team::new();
    let running =
        team.start_with(&Team::config("submission-bytes = 100000\npending-bytes = 100000\nrequest-millis = 2000", ""));
    let token = team.token("build");
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: 99000\r\n\r\n"
    );
    let mut held = running.open();
    held.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let answer = running.ask("POST", "/v1/records", Some(&token), &vec![b' '; 90_000]);
    assert_eq!((answer.status, answer.code().as_str()), (503, "LEDGER_BUSY"));
    assert!(answer.headers.contains_key("retry-after"));
    drop(held);
    // the submitter comes again until there is room
    let receipts = team.submitter(&running, "build").unwrap().submit(&[team.note("patient")], team.now()).unwrap();
    assert_eq!(receipts.len(), 1);
}
