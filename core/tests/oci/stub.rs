//! A registry that keeps everything in memory, and answers as a test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sealwright::digest::Digest;
use serde_json::{Value, json};

pub(crate) struct Stub {
    pub(crate) address: String,
    state: Arc<State>,
}

/// An answer to give instead of the true one.
pub(crate) enum Instead {
    /// Status line, headers and body as they go over the wire.
    Raw(Vec<u8>),
    /// A body that never ends.
    Endless,
}

type Hook = Box<dyn Fn(&Asked) -> Option<Instead> + Send + Sync>;

struct State {
    /// Whether it lists referrers itself.
    lists_referrers: bool,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// By tag or digest: media type and bytes.
    manifests: Mutex<BTreeMap<String, (String, Vec<u8>)>>,
    asked: Mutex<Vec<Asked>>,
    hook: Mutex<Option<Hook>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    media_type: String,
    body: Vec<u8>,
}

impl Stub {
    pub(crate) fn new(lists_referrers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            lists_referrers,
            blobs: Mutex::default(),
            manifests: Mutex::default(),
            asked: Mutex::default(),
            hook: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                // a client that goes away is no fault here
                std::thread::spawn(move || serve(&state, stream.ok()?));
            }
        });
        Self { address, state }
    }

    /// Answers with what `hook` gives, if anything.
    pub(crate) fn answer(&self, hook: impl Fn(&Asked) -> Option<Instead> + Send + Sync + 'static) {
        *self.state.hook.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn put_blob(&self, bytes: &[u8]) {
        self.state.blobs.lock().unwrap().insert(Digest::sha256(bytes).to_string(), bytes.to_vec());
    }

    /// Puts a manifest under its digest and `tag`.
    pub(crate) fn put_manifest(&self, tag: &str, manifest: &Value) -> Digest {
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::sha256(&bytes);
        let mut manifests = self.state.manifests.lock().unwrap();
        let entry = (manifest["mediaType"].as_str().unwrap().to_owned(), bytes);
        manifests.insert(digest.to_string(), entry.clone());
        manifests.insert(tag.to_owned(), entry);
        digest
    }

    pub(crate) fn manifest(&self, name: &str) -> Option<Value> {
        let manifests = self.state.manifests.lock().unwrap();
        manifests.get(name).map(|(_, bytes)| serde_json::from_slice(bytes).unwrap())
    }
}

/// An answer without surprises.
pub(crate) fn reply(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    [answer.as_bytes(), b"\r\n", body].concat()
}

fn serve(state: &State, mut stream: TcpStream) -> Option<()> {
    let asked = read(&stream)?;
    state.asked.lock().unwrap().push(asked.clone());
    let instead = state.hook.lock().unwrap().as_ref().and_then(|hook| hook(&asked));
    let answer = match instead {
        Some(Instead::Raw(answer)) => answer,
        Some(Instead::Endless) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").ok()?;
            loop {
                stream.write_all(&[b'x'; 64 * 1024]).ok()?;
            }
        }
        None => answer(state, &asked),
    };
    let answer = if asked.method == "HEAD" {
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        answer[..end].to_vec()
    } else {
        answer
    };
    stream.write_all(&answer).ok()
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let media_type = headers.remove("content-type").unwrap_or_default();
    Some(Asked { method, path, authorization: headers.remove("authorization"), media_type, body })
}

fn answer(state: &State, asked: &Asked) -> Vec<u8> {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let name = path.rsplit('/').next().unwrap();
    let missing = || reply("404 Not Found", &[], b"{}");
    let put = matches!(asked.method.as_str(), "PUT" | "POST");
    if path.contains("/manifests/") && put {
        put_manifest(state, asked, name)
    } else if path.contains("/manifests/") {
        let manifests = state.manifests.lock().unwrap();
        manifests.get(name).map_or_else(missing, |(kind, bytes)| reply("200 OK", &[("Content-Type", kind)], bytes))
    } else if path.contains("/referrers/") && state.lists_referrers {
        let list = referrers(state, name).to_string();
        reply("200 OK", &[("Content-Type", "application/vnd.oci.image.index.v1+json")], list.as_bytes())
    } else if path.ends_with("/blobs/uploads/") {
        reply("202 Accepted", &[("Location", &format!("{path}1?state=x"))], b"")
    } else if path.contains("/blobs/uploads/") && put {
        let digest = query.rsplit("digest=").next().unwrap().replace("%3A", ":");
        if digest != Digest::sha256(&asked.body).to_string() {
            return reply("400 Bad Request", &[], b"{}");
        }
        state.blobs.lock().unwrap().insert(digest, asked.body.clone());
        reply("201 Created", &[], b"")
    } else if path.contains("/blobs/") {
        let blobs = state.blobs.lock().unwrap();
        blobs.get(name).map_or_else(missing, |bytes| reply("200 OK", &[], bytes))
    } else {
        missing()
    }
}

fn put_manifest(state: &State, asked: &Asked, name: &str) -> Vec<u8> {
    let digest = Digest::sha256(&asked.body).to_string();
    if name.starts_with("sha256:") && name != digest {
        return reply("400 Bad Request", &[], b"{}");
    }
    let manifest: Value = serde_json::from_slice(&asked.body).unwrap();
    let mut manifests = state.manifests.lock().unwrap();
    let entry = (asked.media_type.clone(), asked.body.clone());
    manifests.insert(digest, entry.clone());
    manifests.insert(name.to_owned(), entry);
    match manifest["subject"]["digest"].as_str().filter(|_| state.lists_referrers) {
        Some(subject) => reply("201 Created", &[("OCI-Subject", subject)], b""),
        None => reply("201 Created", &[], b""),
    }
}

fn referrers(state: &State, subject: &str) -> Value {
    let manifests = state.manifests.lock().unwrap();
    let all = manifests.iter().filter(|(name, _)| name.starts_with("sha256:"));
    let listed: Vec<Value> = all
        .filter_map(|(digest, (kind, bytes))| {
            let manifest: Value = serde_json::from_slice(bytes).unwrap();
            (manifest["subject"]["digest"] == subject).then(|| {
                json!({
                    "mediaType": kind, "digest": digest, "size": bytes.len(),
                    "artifactType": manifest["artifactType"], "annotations": manifest["annotations"],
                })
            })
        })
        .collect();
    json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed })
}
