//! A witness of our own: it remembers the highest checkpoint of each log, refuses what does not extend it, and cosigns
//! what does (C2SP tlog-witness).
//!
//! Its folder is all its state, and can be served as it is for monitors (`<origin hash>/checkpoint`):
//!
//! ```text
//! <SHA-256 of the origin>/log.json      the keys of the log it believes
//! <SHA-256 of the origin>/checkpoint    the highest checkpoint, with the log's signature and ours
//! <SHA-256 of the origin>/forks/        proofs that the log signed two histories
//! lock, unfinished                      as in a ledger
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::folder::{UNFINISHED, lock_folder, write_whole};
use super::fork::Fork;
use super::log_key::{check_continues, other_key};
use super::source::LogSource;
use super::store::CHECKPOINT;
use super::tiled::{TiledLog, damaged};
use crate::checkpoint::{LogKeys, SignedCheckpoint, VerifierKey, WitnessKey, cosign};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result, optional};
use crate::key::PrivateKey;
use crate::merkle::{Hash, TileReader, verify_consistency};
use crate::timestamp::Timestamp;
use crate::{json, limits};

/// A witness, with its state in a folder. Several processes may use one folder; they take turns.
pub struct Witness {
    folder: PathBuf,
    key: PrivateKey,
    public: WitnessKey,
}

/// What a witness answers to a request, as HTTP says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WitnessAnswer {
    /// Status: 200 cosigned; 400 no request; 403 not signed by the log; 404 unknown log; 409 another old size; 422 no
    /// continuation.
    pub status: u16,
    /// Type of the body.
    pub content_type: &'static str,
    /// Signature lines (200), the size known (409), or what is wrong, in words.
    pub body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KnownLog {
    v: String,
    origin: String,
    log_key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rotations: Vec<String>,
}

const FORMAT: &str = "sealwright-witnessed-log/v1";
const LOG: &str = "log.json";

/// Why a witness does not cosign.
enum Refusal {
    /// With this status and in these words.
    With(u16, String),
    /// It cosigned another size last.
    Conflict(u64),
    /// The log signed two histories, or its proof is none.
    Fork(String),
    /// The witness itself is at fault.
    Own(Error),
}

impl Witness {
    /// The witness of this name and key, whose state lies in `folder`.
    ///
    /// # Errors
    /// `UNSUPPORTED` if the key is not Ed25519, `MALFORMED` if the name can't name a key.
    pub fn open(folder: &Path, name: &str, key: PrivateKey) -> Result<Self> {
        let public = WitnessKey::new(name, key.public().clone())?;
        Ok(Self { folder: folder.to_path_buf(), key, public })
    }

    /// Its key, to be named in trust policies.
    pub fn key(&self) -> &WitnessKey {
        &self.public
    }

    /// Believes the checkpoints of a log that these keys sign. Of a log known already, they must continue those known.
    ///
    /// # Errors
    /// `LEDGER_FORKED` or `LEDGER_ROLLED_BACK` if the log is known by other keys; `PERMISSION_DENIED`, `STORAGE_FULL`,
    /// `IO`.
    pub fn trust_log(&self, keys: &LogKeys) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|e| Error::io("make the folder of the witness", &self.folder, e))?;
        let _lock = self.lock()?;
        if let Some(known) = self.keys_of(keys.first().name())? {
            check_continues(&known, keys)?;
            if known == *keys {
                return Ok(());
            }
        }
        let known = KnownLog {
            v: FORMAT.to_owned(),
            origin: keys.first().name().to_owned(),
            log_key: keys.first().to_string(),
            rotations: keys.rotations().iter().map(|rotation| rotation.note().to_owned()).collect(),
        };
        self.write(&self.name(&known.origin, LOG), &json::canonical("witnessed log", &known)?)
    }

    /// The highest checkpoint of a log that it cosigned, with its cosignature.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if its own state is not as it wrote it; `PERMISSION_DENIED` or `IO`.
    pub fn checkpoint(&self, origin: &str) -> Result<Option<SignedCheckpoint>> {
        let Some(keys) = self.keys_of(origin)? else { return Ok(None) };
        let name = self.name(origin, CHECKPOINT);
        let Some(note) = optional(self.read(&name, limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        let own = std::slice::from_ref(&self.public);
        let read = keys.parse_and_verify(&note).and_then(|read| {
            let cosigned = !read.cosignatures(own)?.is_empty();
            cosigned.then_some(read).ok_or_else(|| Error::new(ErrorKind::BadSignature, "it is not cosigned here"))
        });
        read.map(Some).map_err(|e| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("`{name}` of the witness is not as it wrote it: {}; restore it from a copy", e.message()),
            )
            .caused_by(e)
        })
    }

    /// Answers a request `add-checkpoint` of C2SP tlog-witness at the time `now`.
    ///
    /// # Errors
    /// Only for faults of the witness itself, which the protocol has no answer for: `LEDGER_BUSY`, `LEDGER_TAMPERED`,
    /// `PERMISSION_DENIED`, `STORAGE_FULL`, `IO`.
    pub fn add_checkpoint(&self, request: &[u8], now: Timestamp) -> Result<WitnessAnswer> {
        let answer = |status, body| WitnessAnswer { status, content_type: "text/plain; charset=utf-8", body };
        match self.added(request, now) {
            Ok(lines) => Ok(answer(200, lines)),
            Err(Refusal::With(status, why)) => Ok(answer(status, format!("{why}\n"))),
            Err(Refusal::Fork(why)) => Ok(answer(422, format!("{why}\n"))),
            Err(Refusal::Conflict(size)) => {
                Ok(WitnessAnswer { status: 409, content_type: "text/x.tlog.size", body: format!("{size}\n") })
            }
            Err(Refusal::Own(e)) => Err(e),
        }
    }

    /// Reads a log where it lies, and cosigns its checkpoint if it extends what was cosigned before; gives the checkpoint
    /// with the cosignature, for its ledger to keep. A log that is not known yet must be that of the key `known`; of one that
    /// is, `known` must be a key if it is given.
    ///
    /// # Errors
    /// `LEDGER_FORKED` if it contradicts what was cosigned before (the proof is kept), `LEDGER_ROLLED_BACK` if it is
    /// smaller; `NOT_FOUND` if the log is not known and `known` is not given; those of [`TiledLog::open`].
    pub fn cosign(&self, log: &LogSource, known: Option<&VerifierKey>, now: Timestamp) -> Result<SignedCheckpoint> {
        let note = log.checkpoint()?;
        let origin = String::from_utf8_lossy(&note).lines().next().unwrap_or_default().to_owned();
        let first = match (self.keys_of(&origin)?, known) {
            (Some(keys), _) => keys.first().clone(),
            (None, Some(known)) if known.name() == origin => known.clone(),
            _ => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!(
                        "this witness does not know the log `{}`; give its key, from a way you trust",
                        origin.escape_debug()
                    ),
                ));
            }
        };
        let keys = log.keys(&first)?;
        if let Some(pinned) = known.filter(|pinned| keys.all().all(|key| key != *pinned)) {
            return Err(other_key(pinned, keys.current()));
        }
        self.trust_log(&keys)?;
        let read = TiledLog::open(log, &keys).map_err(damaged)?;
        for rotation in keys.rotations() {
            read.extends(rotation.at()).map_err(damaged)?;
        }
        let seen = self.checkpoint(&origin)?;
        let (old, proof) = match &seen {
            Some(seen) => (seen.checkpoint().size(), self.continued(&read, seen, &keys)?),
            None => (0, Vec::new()),
        };
        let line = match self.advance(read.checkpoint(), &keys, old, &proof, now) {
            Ok(line) => line,
            Err(Refusal::Own(e)) => return Err(e),
            Err(Refusal::Fork(why)) => return Err(Error::new(ErrorKind::LedgerForked, why)),
            Err(Refusal::With(_, why)) => return Err(Error::new(ErrorKind::LedgerForked, why)),
            Err(Refusal::Conflict(size)) => {
                return Err(Error::new(
                    ErrorKind::LedgerBusy,
                    format!("another process had size {size} cosigned meanwhile; run it again"),
                ));
            }
        };
        read.checkpoint().with_cosignatures(&line, std::slice::from_ref(&self.public))
    }

    /// The proof that the log extends what was seen; where it contradicts that, both are kept.
    fn continued(&self, log: &TiledLog<'_>, seen: &SignedCheckpoint, keys: &LogKeys) -> Result<Vec<Hash>> {
        log.extends(seen.checkpoint()).map_err(|e| match e.kind() {
            ErrorKind::LedgerForked => match self.keep_fork(seen, log.checkpoint(), log, keys) {
                Ok(Some(fork)) => fork.refusal().caused_by(e),
                Ok(None) => e,
                Err(own) => own,
            },
            _ => damaged(e),
        })
    }

    fn added(&self, request: &[u8], now: Timestamp) -> std::result::Result<String, Refusal> {
        let request = Request::read(request)?;
        let keys = self.keys_of(request.origin)?.ok_or_else(|| {
            Refusal::With(404, format!("the log `{}` is not known here", request.origin.escape_debug()))
        })?;
        let signed = keys.parse_and_verify(request.note.as_bytes()).map_err(|e| match e.kind() {
            ErrorKind::BadSignature | ErrorKind::UntrustedSigner => Refusal::With(403, e.message().to_owned()),
            ErrorKind::LedgerForked => Refusal::Fork(e.message().to_owned()),
            // a checkpoint of size zero under another root is signed, and is none
            _ if request.note.split('\n').nth(1) == Some("0") => Refusal::With(422, e.message().to_owned()),
            _ => Refusal::With(400, e.message().to_owned()),
        })?;
        self.advance(&signed, &keys, request.old, &request.proof, now)
    }

    /// The one step of the state: what is cosigned is on disk before it is given out.
    fn advance(
        &self,
        signed: &SignedCheckpoint,
        keys: &LogKeys,
        old: u64,
        proof: &[Hash],
        now: Timestamp,
    ) -> std::result::Result<String, Refusal> {
        let state = signed.checkpoint();
        if old > state.size() {
            return Err(Refusal::With(400, format!("the old size {old} is over the size {}", state.size())));
        }
        let _lock = self.lock()?;
        let seen = self.checkpoint(state.origin())?;
        let known = seen.as_ref().map_or(0, |seen| seen.checkpoint().size());
        if known != old {
            return Err(Refusal::Conflict(known));
        }
        match &seen {
            Some(seen) if known > 0 => {
                let before = seen.checkpoint();
                if let Err(e) = verify_consistency(known, before.root(), state.size(), state.root(), proof) {
                    if known == state.size() {
                        self.keep_fork(seen, signed, &NoTiles, keys)?;
                    }
                    return Err(Refusal::Fork(e.message().to_owned()));
                }
            }
            _ if !proof.is_empty() => {
                return Err(Refusal::With(422, "from the empty log no proof is needed, and one is given".to_owned()));
            }
            _ => {}
        }
        let line = cosign(signed, self.public.name(), &self.key, now)?;
        let own = keys.parse_and_verify(signed.log_note().as_bytes())?;
        let cosigned = own.with_cosignatures(&line, std::slice::from_ref(&self.public))?;
        self.write(&self.name(state.origin(), CHECKPOINT), cosigned.note().as_bytes())?;
        Ok(line)
    }

    /// Keeps the proof that a log signed two histories, if it did.
    fn keep_fork(
        &self,
        one: &SignedCheckpoint,
        other: &SignedCheckpoint,
        tiles: &dyn TileReader,
        keys: &LogKeys,
    ) -> Result<Option<Fork>> {
        let fork = Fork::prove(one, other, tiles)?;
        if let Some(fork) = &fork {
            let folder = self.name(keys.first().name(), "forks");
            let path = self.folder.join(&folder);
            if std::fs::read_dir(&path).map_or(0, Iterator::count) < limits::FORKS {
                self.write(&format!("{folder}/{}", fork.name()), &fork.to_json()?)?;
            }
        }
        Ok(fork)
    }

    fn keys_of(&self, origin: &str) -> Result<Option<LogKeys>> {
        let name = self.name(origin, LOG);
        let Some(bytes) = optional(self.read(&name, 4 * limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        let known: KnownLog = json::parse("witnessed log", &bytes)?;
        if known.v != FORMAT || known.origin != origin {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{name}` of the witness is of no log `{}`; restore it from a copy", origin.escape_debug()),
            ));
        }
        LogKeys::through(&known.log_key.parse()?, &known.rotations).map(Some)
    }

    fn name(&self, origin: &str, file: &str) -> String {
        format!("{}/{file}", Digest::sha256(origin.as_bytes()).hex())
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        limits::read_file("file of the witness", &self.folder.join(name), limit)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.folder.join(name), &self.folder.join(UNFINISHED), bytes)
    }

    fn lock(&self) -> Result<File> {
        lock_folder(&self.folder, Duration::from_millis(limits::LEDGER_LOCK_MILLIS))
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").field("name", &self.public.name()).finish_non_exhaustive()
    }
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        Self::Own(e)
    }
}

/// Two checkpoints of one size need none.
struct NoTiles;

impl TileReader for NoTiles {
    fn tile(&self, id: crate::merkle::TileId) -> Result<Vec<Hash>> {
        Err(Error::new(ErrorKind::NotFound, format!("no `{id}` was sent")))
    }
}

/// The body of `add-checkpoint`. Nothing of it is verified.
struct Request<'a> {
    old: u64,
    proof: Vec<Hash>,
    origin: &'a str,
    note: &'a str,
}

impl<'a> Request<'a> {
    fn read(bytes: &'a [u8]) -> std::result::Result<Self, Refusal> {
        let bad = |why: &str| Refusal::With(400, format!("the request has {why}"));
        if bytes.len() > limits::WITNESS_BYTES {
            return Err(bad("too many bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| bad("other bytes than UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or_else(|| bad("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).unwrap_or_default();
        let old =
            old.parse().ok().filter(|size: &u64| size.to_string() == old).ok_or_else(|| bad("no line `old <size>`"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == limits::WITNESS_PROOF_HASHES {
                return Err(bad("over 63 lines of proof"));
            }
            proof.push(line.parse().map_err(|_| bad("a line of proof that is no hash"))?);
        }
        let origin = note.split('\n').next().unwrap_or_default();
        Ok(Self { old, proof, origin, note })
    }
}

/// The body of `add-checkpoint`.
#[cfg(feature = "witness")]
pub(super) fn request(old: u64, proof: &[Hash], checkpoint: &SignedCheckpoint) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        body.push_str(&format!("{hash}\n"));
    }
    body + "\n" + checkpoint.log_note()
}
