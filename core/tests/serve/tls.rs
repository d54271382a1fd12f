//! TLS and client certificates.

use std::io::{Read as _, Write as _};
use std::process::Command;

use sealwright::ledger::Ledger;
use sealwright::remote::Access;

use crate::team::{Running, Team, submission};

fn openssl(team: &Team, line: &str) {
    let ran = Command::new("openssl").args(line.split_whitespace()).current_dir(team.dir()).output().unwrap();
    assert!(ran.status.success(), "{line}\n{}", String::from_utf8_lossy(&ran.stderr));
}

/// An authority, and certificates of it.
fn authority(team: &Team, name: &str) {
    openssl(
        team,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
        ),
    );
}

fn certificate(team: &Team, authority: &str, name: &str, subject: &str, alternative: &str, days: &str) {
    openssl(
        team,
        &format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj {subject}"
        ),
    );
    let extensions = if alternative.is_empty() { String::new() } else { format!("subjectAltName={alternative}\n") };
    std::fs::write(team.dir().join("ext"), format!("basicConstraints=CA:FALSE\n{extensions}")).unwrap();
    openssl(
        team,
        &format!(
            "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -out {name}.pem {days} -extfile ext"
        ),
    );
}

fn with_tls(team: &Team, more: &str) -> Running {
    authority(team, "servers");
    authority(team, "clients");
    authority(team, "others");
    certificate(team, "servers", "server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1", "-days 2");
    let config = Team::config("", more).replace("transport = \"plain-behind-proxy\"", "transport = \"tls\"").replace(
        "[roles]",
        "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient-authorities = \"clients.pem\"\n[roles]",
    );
    team.start_with(&config)
}

const BY_CERTIFICATE: &str = r#"
[[caller]]
name = "by-uri"
credential = "ci-build"
roles = ["submitter"]
certificate = { uri = "spiffe://example.org/ci/build" }
[[caller]]
name = "by-dns"
roles = ["auditor"]
certificate = { dns = "auditor.example.org" }
[[caller]]
name = "by-email"
roles = ["auditor"]
certificate = { email = "ann@example.org" }
[[caller]]
name = "by-subject"
roles = ["auditor"]
certificate = { subject = "CN=mirror,O=Example" }
"#;

fn connect(team: &Team, running: &Running, access: &Access) -> Result<Ledger, sealwright::Error> {
    let url = format!("https://localhost:{}", running.address().rsplit(':').next().unwrap());
    Ledger::connect(&url, access, &team.anchors("tls"), &team.pins())
}

fn showing(team: &Team, name: &str) -> Access {
    Access::anonymous()
        .with_certificate(&team.dir().join(format!("{name}.pem")), &team.dir().join(format!("{name}.key")))
        .unwrap()
        .with_authorities(&team.dir().join("servers.pem"))
        .unwrap()
}

#[test]
fn a_client_certificate_is_its_holder_by_exact_name_and_one_of_others_is_nobodys() {
    let team = Team::new();
    let running = with_tls(&team, BY_CERTIFICATE);
    let client = |authority: &str, name: &str, subject: &str, alternative: &str, days: &str| {
        certificate(&team, authority, name, subject, alternative, days);
        connect(&team, &running, &showing(&team, name))
    };
    let mut build = client("clients", "build", "/CN=x", "URI:spiffe://example.org/ci/build", "-days 2").unwrap();
    let record = build.verify(&team.note("by certificate"), team.now()).unwrap();
    assert_eq!(build.append(&record, team.now()).unwrap().index, 1);
    client("clients", "dns", "/CN=x", "DNS:auditor.example.org,URI:urn:x", "-days 2").unwrap();
    client("clients", "email", "/CN=x", "email:ann@example.org", "-days 2").unwrap();
    client("clients", "subject", "/O=Example/CN=mirror", "", "-days 2").unwrap();
    for (authority, name, subject, alternative, days, code) in [
        // known to the authority and to nobody here: a name must be the very one, of the very kind
        ("clients", "a", "/CN=spiffe:%2F%2Fexample.org%2Fci%2Fbuild", "", "-days 2", "PERMISSION_DENIED"),
        ("clients", "b", "/CN=x", "URI:spiffe://example.org/ci/build2", "-days 2", "PERMISSION_DENIED"),
        ("clients", "c", "/CN=x", "DNS:ann@example.org", "-days 2", "PERMISSION_DENIED"),
        ("clients", "d", "/CN=mirror/O=Example", "", "-days 2", "PERMISSION_DENIED"),
        ("clients", "e", "/CN=auditor.example.org", "", "-days 2", "PERMISSION_DENIED"),
        // of another authority, its own authority, or past its time: TLS itself refuses
        ("others", "f", "/CN=x", "URI:spiffe://example.org/ci/build", "-days 2", "SERVICE_UNAVAILABLE"),
        ("servers", "g", "/CN=x", "URI:spiffe://example.org/ci/build", "-days 2", "SERVICE_UNAVAILABLE"),
        (
            "clients",
            "h",
            "/CN=x",
            "URI:spiffe://example.org/ci/build",
            "-not_before 20200101000000Z -not_after 20200102000000Z",
            "SERVICE_UNAVAILABLE",
        ),
    ] {
        if days.contains("not_before") && !knows_not_before(&team) {
            continue;
        }
        assert_eq!(
            client(authority, name, subject, alternative, days).unwrap_err().code(),
            code,
            "{name} {alternative}"
        );
    }
    running.stop();
    assert_eq!(team.folder().size(), 2);
    assert!(team.log.lines().iter().any(|l| l["event"] == "tls-refused"));
}

/// Whether this openssl can make a certificate of the past.
fn knows_not_before(team: &Team) -> bool {
    let help = Command::new("openssl").args(["x509", "-help"]).current_dir(team.dir()).output().unwrap();
    String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("-not_before")
}

#[test]
fn a_token_needs_no_certificate_and_must_not_be_anothers() {
    let team = Team::new();
    let running = with_tls(&team, BY_CERTIFICATE);
    certificate(&team, "clients", "build", "/CN=x", "URI:spiffe://example.org/ci/build", "-days 2");
    certificate(&team, "clients", "unknown", "/CN=x", "URI:urn:unknown", "-days 2");
    let trusting = || Access::anonymous().with_authorities(&team.dir().join("servers.pem")).unwrap();
    connect(&team, &running, &trusting().with_token(&team.token("auditor")).unwrap()).unwrap();
    // a certificate that is nobody's says nothing; one of somebody else contradicts
    connect(&team, &running, &showing(&team, "unknown").with_token(&team.token("auditor")).unwrap()).unwrap();
    let e = connect(&team, &running, &showing(&team, "build").with_token(&team.token("auditor")).unwrap()).unwrap_err();
    assert_eq!(e.code(), "PERMISSION_DENIED");
    let e = connect(&team, &running, &showing(&team, "build").with_token("x.y.z").unwrap()).unwrap_err();
    assert_eq!(e.code(), "PERMISSION_DENIED");
    let e = connect(&team, &running, &trusting()).unwrap_err();
    assert_eq!(e.code(), "PERMISSION_DENIED");
    // a server that the named authorities do not vouch for gets no token
    let wrong = Access::anonymous().with_authorities(&team.dir().join("others.pem")).unwrap();
    let e = connect(&team, &running, &wrong.with_token(&team.token("auditor")).unwrap()).unwrap_err();
    assert_eq!(e.code(), "SERVICE_UNAVAILABLE");
    // without TLS nothing is answered
    let mut stream = running.open();
    let body = submission(&[team.note("plain")]);
    let head = format!("POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(!all.starts_with(b"HTTP/"));
    running.stop();
    assert_eq!(team.folder().size(), 1);
}
