//! A team with a sequencer: an organisation of [`World`], an issuer of tokens, callers, and a clock that tests turn.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealwright::encryption::{KeyEncryptionKey, KeyFile};
use sealwright::ledger::{Anchors, Ledger, Pins, Place};
use sealwright::predicate::*;
use sealwright::remote::{Access, Submitter};
use sealwright::serve::{Config, Sequencer};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, key};

use crate::small;
use crate::world::{START, World};

pub(crate) const AUDIENCE: &str = "ledger.example";
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const OTHER_ISSUER: &str = "https://other-issuer.example";
/// A type that is nobody's business.
pub(crate) const NOTE: &str = "https://example.org/attestation/something-else/v1";
/// A secret that stands in records and tokens, and must not in logs.
pub(crate) const PLANTED: &str = "planted-9f3a1c";

/// Types that a credential may append.
const WRITERS: [(&str, &[&str]); 4] = [
    ("ci-build", &[Provenance::TYPE, Cyclonedx::TYPE, TestResult::TYPE, NOTE]),
    ("ci-deploy", &[Deployment::TYPE]),
    ("admins", &[TrustPolicy::TYPE]),
    (
        "everything",
        &[
            Provenance::TYPE,
            Cyclonedx::TYPE,
            TestResult::TYPE,
            ChangeRequest::TYPE,
            Approval::TYPE,
            Release::TYPE,
            PolicyEvaluation::TYPE,
            Promotion::TYPE,
            EnvironmentSnapshot::TYPE,
            DriftReport::TYPE,
            EvidencePack::TYPE,
            NOTE,
        ],
    ),
];

/// Callers by name: credential and roles.
pub(crate) const CALLERS: [(&str, &str, &str); 7] = [
    ("build", "ci-build", "\"submitter\""),
    ("deploy", "ci-deploy", "\"submitter\""),
    ("deployer", "ci-deploy", "\"submitter\", \"auditor\""),
    ("auditor", "", "\"auditor\""),
    ("monitor", "", "\"monitor\""),
    ("everything", "everything", "\"submitter\", \"auditor\""),
    ("nothing", "", ""),
];

/// What the description of a place must not hold, by name.
pub(crate) type Secrets = fn(&str) -> Option<zeroize::Zeroizing<String>>;

pub(crate) struct Team {
    pub world: World,
    secret: Secrets,
    pub clock: Arc<AtomicI64>,
    pub log: Log,
}

/// What the sequencer wrote.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

pub(crate) fn jwks(seed: u8) -> String {
    let x = URL_SAFE_NO_PAD.encode(pair(seed).public_key().as_ref());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"key-{seed}","x":"{x}"}}]}}"#)
}

pub(crate) fn jwt(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

impl Team {
    pub(crate) fn new() -> Self {
        Self::with_policy(|_| {})
    }

    pub(crate) fn with_policy(change: impl FnOnce(&mut TrustPolicy)) -> Self {
        Self::over(None, change, |dir| Place::Folder(dir.join("ledger")), |_| None)
    }

    /// One whose ledger is encrypted under this key.
    pub(crate) fn encrypted(kek: &KeyFile) -> Self {
        Self::over(Some(kek), |_| {}, |dir| Place::Folder(dir.join("ledger")), |_| None)
    }

    /// One whose ledger is at a place that is made for its folder; `secret` gives what the description of one must not hold.
    pub(crate) fn over(
        kek: Option<&KeyFile>,
        change: impl FnOnce(&mut TrustPolicy),
        place: impl Fn(&Path) -> Place,
        secret: Secrets,
    ) -> Self {
        let with_writers = |policy: &mut TrustPolicy| {
            policy.writers = WRITERS
                .iter()
                .map(|(credential, types)| Writer {
                    credential: (*credential).to_owned(),
                    predicate_types: types.iter().map(|t| (*t).to_owned()).collect(),
                })
                .collect();
            // a P-256 key signs anew each time
            let author = policy.signers.iter_mut().find(|s| s.name == "author").unwrap();
            author.predicate_types.push(NOTE.to_owned());
            change(policy);
        };
        let kek = kek.map(|kek| kek as &dyn KeyEncryptionKey);
        let mut world = World::made_by(with_writers, |folder, anchors, origin, log_key, trust, now| {
            Ledger::init_at(&place(folder.parent().unwrap()), anchors, origin, log_key, trust, kek, now)
        });
        let place = place(world.dir.path());
        let own = Ledger::open_at(&place, &world.anchors(), &Pins::none(), kek).unwrap();
        let own = own.with_log_key(world.log_key()).unwrap();
        world.ledger = own.with_submitter("everything");
        let dir = world.dir.path();
        std::fs::write(dir.join("keys.json"), jwks(1)).unwrap();
        std::fs::write(dir.join("other-keys.json"), jwks(2)).unwrap();
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.unix_millis() + 3_600_000));
        Self { clock, log: Log::default(), world, secret }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.world.dir.path()
    }

    /// Sets the clock to the real time, for servers that read that.
    pub(crate) fn real_time(&self) {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        self.clock.store(i64::try_from(since.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.clock.load(Ordering::Relaxed)).unwrap()
    }

    /// A configuration for plain HTTP on loopback, with `limits` and whatever `more` adds.
    pub(crate) fn config(limits: &str, more: &str) -> String {
        let mut text = format!(
            r#"
            ledger = "ledger"
            state = "server-state"
            log-key = "log.pem"
            listen = "127.0.0.1:0"
            transport = "plain-behind-proxy"
            [roles]
            submitter = ["append", "attach", "read-log"]
            auditor = ["read-log", "read-records", "search"]
            monitor = ["metrics"]
            [[issuer]]
            issuer = "{ISSUER}"
            audience = "{AUDIENCE}"
            algorithms = ["EdDSA", "RS256"]
            keys-file = "keys.json"
            [[issuer]]
            issuer = "{OTHER_ISSUER}"
            audience = "{AUDIENCE}"
            algorithms = ["EdDSA"]
            keys-file = "other-keys.json"
            [limits]
            requests-per-second = 10000
            burst = 10000
            {limits}
            "#
        );
        for (name, credential, roles) in CALLERS {
            let credential =
                if credential.is_empty() { String::new() } else { format!("credential = \"{credential}\"\n") };
            text.push_str(&format!(
                "[[caller]]\nname = \"{name}\"\n{credential}roles = [{roles}]\n\
                 token = {{ issuer = \"{ISSUER}\", subject = \"job:{name}\", claims = {{ repository = \"shop\" }} }}\n"
            ));
        }
        text + more
    }

    pub(crate) fn start(&self) -> Running {
        self.start_with(&Self::config("", ""))
    }

    pub(crate) fn start_with(&self, config: &str) -> Running {
        self.try_start(config).unwrap()
    }

    pub(crate) fn try_start(&self, config: &str) -> Result<Running, Error> {
        let config = Config::parse(config, self.dir())?;
        let clock = Arc::clone(&self.clock);
        let clock = Box::new(move || Timestamp::from_unix_millis(clock.load(Ordering::Relaxed)));
        let place = Place::find(config.ledger(), &self.secret)?;
        let kek = config.encryption_key().map(|path| KeyFile::read(path, None)).transpose()?;
        let kek = kek.as_ref().map(|kek| kek as &dyn KeyEncryptionKey);
        let mut ledger = Ledger::open_at(&place, &Anchors::in_folder(config.state()), &Pins::none(), kek)?;
        if let Some(archive) = config.archive() {
            ledger = ledger.with_archive(archive)?;
        }
        let keys = [Some(config.log_key()), config.next_log_key()];
        let keys = keys.into_iter().flatten().map(|path| key::read_private(path, None)).collect::<Result<_, _>>()?;
        let sequencer = Sequencer::start(config, ledger, keys, clock, Box::new(self.log.clone()))?;
        let address = sequencer.address().to_owned();
        Ok(Running { sequencer: Some(sequencer), address })
    }

    pub(crate) fn claims(&self, name: &str) -> String {
        let now = self.now().unix_seconds();
        format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"job:{name}","repository":"shop","iat":{now},"exp":{},"note":"{PLANTED}"}}"#,
            now + 300
        )
    }

    /// A good token of a caller.
    pub(crate) fn token(&self, name: &str) -> String {
        self.token_of(&self.claims(name))
    }

    pub(crate) fn token_of(&self, claims: &str) -> String {
        jwt(r#"{"alg":"EdDSA","kid":"key-1"}"#, claims, |signed| pair(1).sign(signed).as_ref().to_vec())
    }

    pub(crate) fn access(&self, name: &str) -> Access {
        Access::anonymous().with_token(&self.token(name)).unwrap()
    }

    /// What is known of the ledger by everybody in the team.
    pub(crate) fn pins(&self) -> Pins {
        let mut pins = Pins::none();
        pins.log_key = Some(self.world.ledger.log_key().clone());
        pins.trust_policy = self.world.ledger.trust().versions().next().map(|(_, v)| v.payload().clone());
        pins
    }

    pub(crate) fn anchors(&self, name: &str) -> Anchors {
        Anchors::in_folder(self.dir().join(format!("state-of-{name}")))
    }

    pub(crate) fn connect(&self, running: &Running, name: &str) -> Result<Ledger, Error> {
        Ledger::connect(&running.url(), &self.access(name), &self.anchors(name), &self.pins())
    }

    pub(crate) fn submitter(&self, running: &Running, name: &str) -> Result<Submitter, Error> {
        Submitter::connect(&running.url(), &self.access(name), &self.anchors(name), &self.pins())
    }

    /// A note, signed by whoever may say such.
    pub(crate) fn note(&self, text: &str) -> Vec<u8> {
        self.signed("records", &small::of(NOTE, text.as_bytes(), &serde_json::json!({ "text": text, "s": PLANTED })))
    }

    pub(crate) fn signed(&self, signer: &str, statement: &Statement) -> Vec<u8> {
        sign(statement, &self.world.keys[signer]).unwrap().to_json()
    }

    /// The ledger in its folder, as another process opens it.
    pub(crate) fn folder(&self) -> Ledger {
        Ledger::open(&self.world.folder(), &self.anchors("folder"), &Pins::none()).unwrap()
    }
}

pub(crate) struct Running {
    sequencer: Option<Sequencer>,
    address: String,
}

impl Running {
    /// One that another process runs.
    pub(crate) fn elsewhere(address: String) -> Self {
        Self { sequencer: None, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it and waits until it has.
    pub(crate) fn stop(mut self) {
        let sequencer = self.sequencer.take().unwrap();
        sequencer.stop();
        sequencer.wait().unwrap();
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Answer {
        let authorization = token.map(|t| format!("Authorization: Bearer {t}\r\n")).unwrap_or_default();
        self.ask_with(method, path, &authorization, body)
    }

    pub(crate) fn ask_with(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat()).unwrap()
    }

    /// Sends bytes and reads the answer, if one comes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = self.open();
        // an answer may come before all of a long request is sent
        let _ = stream.write_all(bytes);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        parse(&all)
    }

    pub(crate) fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }
}

/// An answer with its headers; chunked bodies are not sent here.
pub(crate) fn parse(all: &[u8]) -> Option<Answer> {
    let end = all.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    Some(Answer { status, headers, body: all[end + 4..].to_vec() })
}

/// The body of a submission of these records.
pub(crate) fn submission(records: &[Vec<u8>]) -> Vec<u8> {
    let encoded: Vec<_> = records.iter().map(|r| base64::engine::general_purpose::STANDARD.encode(r)).collect();
    serde_json::to_vec(&serde_json::json!({ "records": encoded })).unwrap()
}
