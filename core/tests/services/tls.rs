//! TLS to object storage and database, by an authority of the tests' own. What is believed is told to a process by
//! `SSL_CERT_FILE`, so each of these runs the command.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::grounds::{Ground, Way, fact};
use super::small::tempdir;

/// A folder with keys and a signed trust policy, and the command run in it.
struct Desk {
    dir: tempfile::TempDir,
    authority: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempdir(), authority: fact("/tls/authority") };
        for (name, key_type) in [("maker", "p256"), ("admin", "p256"), ("log", "ed25519")] {
            desk.passes(&format!("key generate --type {key_type} --out {name}.pem --no-passphrase"));
            let public = desk.passes(&format!("key public {name}.pem"))["publicKey"].as_str().unwrap().to_owned();
            desk.write(&format!("{name}.pub"), &public);
        }
        desk.write("policy.json", r#"{"signers":[{"name":"maker","predicateTypes":["release"]}],"people":[]}"#);
        desk.passes(
            "trust init --from policy.json --admin admin=admin.pub --signer maker=maker.pub --key admin.pem --out trust.json",
        );
        desk
    }

    fn believing(mut self, authority: &str) -> Self {
        self.authority = fact(authority);
        self
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.dir.path().join(name), content).unwrap();
    }

    /// The description of a new place: a bucket behind `endpoint`, and `database`.
    fn place(&self, endpoint: &str, database: &str) -> &Self {
        let (endpoint, database) = (Some(endpoint.to_owned()), Some(database.to_owned()));
        let way = Way { endpoint, database, timeout: 10, retries: 1, ..Way::default() };
        self.write("place.toml", &Ground::Versitygw.description(self.dir.path(), &way));
        self
    }

    fn run(&self, line: &str) -> (Option<i32>, Value, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
        command.current_dir(self.dir.path()).args(line.split_whitespace()).arg("--json").stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("SSL_CERT_FILE", &self.authority).env_remove("SSL_CERT_DIR");
        command.env("AWS_ACCESS_KEY_ID", fact("/buckets/access_key"));
        command.env("AWS_SECRET_ACCESS_KEY", fact("/buckets/secret_key"));
        let output = command.output().unwrap();
        let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!shown.contains(&fact("/buckets/secret_key")), "{line}: {shown}");
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), shown)
    }

    fn passes(&self, line: &str) -> Value {
        let (code, answer, shown) = self.run(line);
        assert_eq!(code, Some(0), "{line}: {shown}");
        answer
    }

    fn init(&self) -> (Option<i32>, Value, String) {
        self.run("ledger init --ledger place.toml --origin example.org/tls --log-key log.pem --trust trust.json")
    }

    /// A place that is refused with this code and for this reason, with nothing made there.
    fn refuses(&self, endpoint: &str, database: &str, code: &str, because: &str) {
        let (status, answer, shown) = self.place(endpoint, database).init();
        let error = &answer["error"];
        assert_eq!((status, error["code"].as_str()), (Some(2), Some(code)), "{endpoint} {database}: {shown}");
        assert!(error["message"].as_str().unwrap().contains(because), "{endpoint} {database}: {shown}");
    }
}

fn bucket(host: &str) -> String {
    format!("https://{host}:{}", fact("/tls/bucket_port"))
}

fn database(host: &str, more: &str) -> String {
    format!("postgres://sealwright@{host}:{}/postgres{more}", fact("/tls/postgres_port"))
}

fn plain_bucket() -> String {
    Ground::Versitygw.endpoint()
}

fn plain_database() -> String {
    fact("/postgres/url")
}

fn append_and_read(desk: &Desk) {
    let (code, _, shown) = desk.init();
    assert_eq!(code, Some(0), "{shown}");
    desk.write("artifact", "artifact");
    desk.write("release.json", r#"{"purl":"pkg:generic/x@1","releaseId":"x-1"}"#);
    desk.passes("attest release --subject artifact --predicate release.json --key maker.pem --out record.json");
    let at = "--ledger place.toml";
    assert_eq!(desk.passes(&format!("ledger append record.json --log-key log.pem {at}"))["receipts"][0]["index"], 1);
    let found = desk.passes(&format!("ledger search --type release {at}"));
    assert_eq!(found["records"].as_array().unwrap().len(), 1, "{found}");
    desk.passes(&format!("ledger attach release.json {at}"));
    let audit = desk.passes(&format!("ledger audit {at}"));
    assert_eq!((audit["size"].as_u64(), audit["findings"].as_array().map(Vec::len)), (Some(2), Some(0)), "{audit}");
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_is_made_appended_to_searched_and_audited_with_tls_to_storage_and_database() {
    let desk = Desk::new();
    // the one speaks nothing else, the other lets nobody in without
    append_and_read(desk.place(&bucket("localhost"), &database("localhost", "?sslmode=require")));
    // TLS is taken where the server has it, also within this machine, and always elsewhere
    for at in [database("localhost", ""), database("db.example.org", "?hostaddr=127.0.0.1")] {
        append_and_read(Desk::new().place(&bucket("localhost"), &at));
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_server_of_another_authority_is_refused() {
    let desk = Desk::new().believing("/tls/another_authority");
    desk.refuses(&bucket("localhost"), &plain_database(), "SERVICE_UNAVAILABLE", "certificate");
    desk.refuses(&plain_bucket(), &database("localhost", ""), "SERVICE_UNAVAILABLE", "certificate");
}

#[test]
#[ignore = "needs make test-services"]
fn a_server_whose_certificate_is_for_another_host_is_refused() {
    let desk = Desk::new();
    desk.refuses(&bucket("127.0.0.1"), &plain_database(), "SERVICE_UNAVAILABLE", "certificate");
    for other in [database("127.0.0.1", ""), database("other.example.org", "?hostaddr=127.0.0.1")] {
        desk.refuses(&plain_bucket(), &other, "SERVICE_UNAVAILABLE", "certificate");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn plain_text_is_refused_where_tls_is_demanded() {
    let desk = Desk::new();
    let plain = plain_database();
    let elsewhere = plain.replace("127.0.0.1", "db.example.org");
    // whoever is elsewhere must speak TLS, whatever the address asks for; here it is asked for
    for (at, because) in [
        (format!("{elsewhere}?hostaddr=127.0.0.1"), "TLS"),
        (format!("{elsewhere}?hostaddr=127.0.0.1&sslmode=disable"), "TLS"),
        (format!("{plain}?sslmode=require"), "TLS"),
    ] {
        desk.refuses(&plain_bucket(), &at, "SERVICE_UNAVAILABLE", because);
    }
    // a database that demands it says so
    desk.refuses(&plain_bucket(), &database("localhost", "?sslmode=disable"), "PERMISSION_DENIED", "encryption");
    // storage that speaks none, and one that speaks nothing else
    let tls_to_plain = plain_bucket().replace("http://127.0.0.1", "https://localhost");
    desk.refuses(&tls_to_plain, &plain, "SERVICE_UNAVAILABLE", "corrupt message");
    let plain_to_tls = bucket("127.0.0.1").replace("https", "http");
    let (status, answer, shown) = desk.place(&plain_to_tls, &plain).init();
    assert_eq!(status, Some(2), "{shown}");
    assert!(["SERVICE_UNAVAILABLE", "IO"].contains(&answer["error"]["code"].as_str().unwrap()), "{shown}");
    desk.refuses("http://storage.example.org", &plain, "MALFORMED", "https");
    assert!(!Path::new(&desk.dir.path().join(".sealwright")).exists());
}
