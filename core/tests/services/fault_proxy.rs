//! Proxies of the tests' own that make a real server seem to fail: one that knows HTTP, and one that passes bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    Pass,
    /// It is answered with this status, and never reaches the server.
    Refuse(u16),
    /// It is never answered, and never reaches the server.
    Swallow,
    /// The server does it, and the answer is lost.
    Forget,
    /// The server does it, and the answer is another status.
    Deny(u16),
    /// Half of the answer arrives.
    Cut,
    /// The server does it later, when whoever asked has given up.
    Late,
}

pub(crate) const FAULTS: [Fault; 8] = [
    Fault::Refuse(500),
    Fault::Refuse(503),
    Fault::Refuse(412),
    Fault::Swallow,
    Fault::Forget,
    Fault::Deny(500),
    Fault::Cut,
    Fault::Late,
];

/// A request as a rule sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// How many came before it.
    pub(crate) number: u64,
    pub(crate) method: String,
    pub(crate) target: String,
}

type Rule = Box<dyn FnMut(&Asked) -> Fault + Send>;

/// A proxy before an HTTP server.
pub(crate) struct HttpProxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    count: AtomicU64,
    rule: Mutex<Rule>,
    /// Answers to lists, given again and again while lists are stale.
    stale: Mutex<Option<std::collections::HashMap<String, Vec<u8>>>>,
}

impl HttpProxy {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: server.strip_prefix("http://").unwrap().to_owned(),
            count: AtomicU64::new(0),
            rule: Mutex::new(Box::new(|_| Fault::Pass)),
            stale: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&own);
                std::thread::spawn(move || shared.serve(client));
            }
        });
        Self { url, shared }
    }

    /// From now on, counting from 0.
    pub(crate) fn rule(&self, rule: impl FnMut(&Asked) -> Fault + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
        self.shared.count.store(0, Ordering::SeqCst);
    }

    pub(crate) fn pass(&self) {
        self.rule(|_| Fault::Pass);
    }

    /// Requests since the rule was set.
    pub(crate) fn count(&self) -> u64 {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// Whether lists are as they were when they were first asked for.
    pub(crate) fn stale_lists(&self, stale: bool) {
        *self.shared.stale.lock().unwrap() = stale.then(Default::default);
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            read_some(&mut client, &mut bytes)?;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|l| l.parse::<usize>().ok()).unwrap_or(0);
        while bytes.len() < end + length {
            read_some(&mut client, &mut bytes)?;
        }
        let mut words = head.split(' ');
        let asked = Asked {
            number: self.count.fetch_add(1, Ordering::SeqCst),
            method: words.next()?.to_owned(),
            target: words.next()?.to_owned(),
        };
        let fault = (self.rule.lock().unwrap())(&asked);
        let is_list = asked.method == "GET" && asked.target.contains("list-type=2");
        let key = asked.target.clone();
        if is_list && let Some(answer) = self.stale.lock().unwrap().as_ref().and_then(|known| known.get(&key)) {
            return client.write_all(answer).ok();
        }
        match fault {
            Fault::Refuse(status) => return client.write_all(refusal(status).as_bytes()).ok(),
            Fault::Swallow => {
                std::thread::sleep(Duration::from_millis(1500));
                return None;
            }
            Fault::Late => {
                std::thread::sleep(Duration::from_millis(1500));
                let _ = self.forward(&head, &bytes[end..]);
                return None;
            }
            Fault::Pass | Fault::Forget | Fault::Deny(_) | Fault::Cut => {}
        }
        let answer = self.forward(&head, &bytes[end..])?;
        if is_list && let Some(known) = self.stale.lock().unwrap().as_mut() {
            known.insert(key, answer.clone());
        }
        match fault {
            Fault::Forget => None,
            Fault::Deny(status) => client.write_all(refusal(status).as_bytes()).ok(),
            Fault::Cut => client.write_all(&answer[..answer.len() / 2]).ok(),
            _ => client.write_all(&answer).ok(),
        }
    }

    /// One request on a connection of its own; the whole answer.
    fn forward(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut server = TcpStream::connect(&self.server).ok()?;
        let lines = head.trim_end().split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let head: Vec<&str> = lines.collect();
        write!(server, "{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).ok()?;
        server.write_all(body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

fn refusal(status: u16) -> String {
    let body = "<?xml version=\"1.0\"?><Error><Code>Injected</Code></Error>";
    format!("HTTP/1.1 {status} Injected\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn read_some(from: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 64 * 1024];
    let read = from.read(&mut chunk).ok().filter(|read| *read > 0)?;
    into.extend_from_slice(&chunk[..read]);
    Some(())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// A proxy that passes bytes, and can cut all connections and lead new ones elsewhere.
pub(crate) struct Wire {
    pub(crate) port: u16,
    state: Arc<Mutex<WireState>>,
}

struct WireState {
    /// Where new connections lead; nowhere if none.
    server: Option<String>,
    open: Vec<TcpStream>,
}

impl Wire {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(WireState { server: Some(server.to_owned()), open: Vec::new() }));
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut state = own.lock().unwrap();
                let Some(server) = state.server.as_ref().and_then(|to| TcpStream::connect(to).ok()) else { continue };
                state.open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { port, state }
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        for open in self.state.lock().unwrap().open.drain(..) {
            let _ = open.shutdown(Shutdown::Both);
        }
    }

    /// Cuts every connection, and leads new ones to `server`, or nowhere.
    pub(crate) fn lead(&self, server: Option<&str>) {
        self.state.lock().unwrap().server = server.map(str::to_owned);
        self.cut();
    }
}
