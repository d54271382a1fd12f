//! Whole processes: one bundle by the command, 345 bundles on all cores, SBOMs of lock files, and what it takes to import
//! a binding; beside the peers, in turn, so that what else the machine does falls on all sides alike. Needs what
//! `make bench` builds, and for `uv` what `make peers-sbom` installs.
//!
//! Writes target/command.json: nanoseconds by row and side, of rows of memory bytes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use sealwright_benches::{BEACON, GITHUB, Signatures, corpora};

type Rows = BTreeMap<String, BTreeMap<&'static str, f64>>;

/// A program with its arguments.
type Line = Vec<OsString>;

/// A side with how it is run.
type Running<'a> = (&'static str, Box<dyn FnMut() + 'a>);

fn line(program: impl Into<OsString>) -> Line {
    vec![program.into()]
}

fn with<T: Into<OsString>>(mut line: Line, arguments: impl IntoIterator<Item = T>) -> Line {
    line.extend(arguments.into_iter().map(Into::into));
    line
}

fn command(line: &Line) -> Command {
    let (program, arguments) = line.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn passes(line: &Line) -> bool {
    command(line).status().is_ok_and(|status| status.success())
}

/// Median time of each side, which take turns.
fn in_turn(turns: usize, sides: &mut [Running<'_>]) -> BTreeMap<&'static str, f64> {
    let mut spent: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..turns {
        for (side, run) in &mut *sides {
            let begun = Instant::now();
            run();
            spent.entry(side).or_default().push(begun.elapsed().as_nanos() as f64);
        }
    }
    let median = |(side, mut times): (_, Vec<f64>)| {
        times.sort_unstable_by(f64::total_cmp);
        (side, times.get(times.len() / 2).copied().unwrap())
    };
    spent.into_iter().map(median).collect()
}

/// Those that are there and do what they are timed for; what is not there is said.
fn that_pass(row: &str, sides: Vec<(&'static str, Line)>) -> Vec<(&'static str, Line)> {
    let there = |(side, line): &(&str, Line)| {
        let passes = passes(line);
        if !passes {
            eprintln!("not measured, it does not run: {row}, {side}: {line:?}");
        }
        passes
    };
    sides.into_iter().filter(there).collect()
}

fn timed(turns: usize, sides: &[(&'static str, Line)]) -> BTreeMap<&'static str, f64> {
    let mut running: Vec<Running<'_>> = Vec::new();
    for (side, line) in sides {
        running.push((side, Box::new(move || assert!(passes(line), "{line:?}"))));
    }
    in_turn(turns, &mut running)
}

struct Programs {
    root: PathBuf,
    sealwright: PathBuf,
    releases: PathBuf,
    peers: PathBuf,
    python: PathBuf,
}

impl Programs {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
        let peers = root.join("benches/peers");
        let [sealwright, releases] = ["sealwright", "releases"].map(|name| root.join("target/release").join(name));
        Self { python: peers.join(".venv/bin/python"), root, sealwright, releases, peers }
    }

    fn one(&self, corpora: &Path, identity: &str) -> Vec<(&'static str, Line)> {
        let cases = corpora.join("sigstore-bundles/conformance/bundle-verify");
        let root = corpora.join("sigstore-trust-roots/public-good/targets/trusted_root.json");
        let (bundle, artifact) = (cases.join("happy-path-v0.3/bundle.sigstore.json"), cases.join("a.txt"));
        let ours = with(line(&self.sealwright), ["verify".as_ref(), &*artifact, "--bundle".as_ref(), &bundle]);
        let ours = with(ours, ["--identity", identity, "--issuer", GITHUB, "--trusted-root"]);
        let given = |program| with(with(program, [&root, &bundle, &artifact]), [identity, GITHUB]);
        vec![
            ("ours", with(ours, [&root])),
            ("python", given(with(line(&self.python), [self.peers.join("verify_one.py")]))),
            ("node", given(with(line("node"), [self.peers.join("verify_one.cjs")]))),
        ]
    }

    fn verify_one(&self, corpora: &Path, rows: &mut Rows) {
        let row = "verify by command, cold";
        let mut sides = that_pass(row, self.one(corpora, BEACON));
        for (side, wrong) in self.one(corpora, "https://example.org/another") {
            assert!(!passes(&wrong), "{side} believes another signer");
        }
        self.peaks(row, &sides, rows);
        // what starting any program costs
        sides.push(("floor", line("true")));
        rows.insert(row.to_owned(), timed(30, &sides));
    }

    /// The most memory that each side holds.
    fn peaks(&self, row: &str, sides: &[(&'static str, Line)], rows: &mut Rows) {
        // what holds less than the interpreter that looks on is taken to hold as much as that
        let peak = |line: &Line| {
            let line = with(with(line_of(&self.python, &["-I", "-S"]), [self.peers.join("peak.py")]), line);
            let printed = command(&line).stdout(Stdio::piped()).output().ok().filter(|ran| ran.status.success())?;
            String::from_utf8(printed.stdout).ok()?.trim().parse::<f64>().ok()
        };
        let peaks = sides.iter().filter_map(|(side, line)| Some((*side, peak(line)?)));
        rows.insert(format!("{row}, peak memory"), peaks.collect());
    }

    /// SBOMs of lock files, beside what the package managers write themselves.
    fn generate(&self, corpora: &Path, rows: &mut Rows) {
        let projects = corpora.join("lockfiles/real");
        let uv = self.peers.join("sbom/.venv/bin/uv");
        let npm = ["sbom", "--package-lock-only", "--offline", "--sbom-format", "cyclonedx", "--prefix"];
        let every = ["export", "--offline", "--frozen", "--all-packages", "--all-extras", "--all-groups"];
        let every = with(line_of(&uv, &every), ["--format", "cyclonedx1.5", "--project"]);
        for (row, from, files, peer, theirs) in [
            (
                "SBOM of a package-lock",
                "sigstore-js",
                ["package.json", "package-lock.json"],
                "node",
                line_of(Path::new("npm"), &npm),
            ),
            ("SBOM of a uv.lock", "uv", ["pyproject.toml", "uv.lock"], "uv", every),
        ] {
            let dir = tempfile::tempdir().unwrap();
            for file in files {
                std::fs::copy(projects.join(from).join(file), dir.path().join(file)).unwrap();
            }
            let ours = with(line_of(&self.sealwright, &["sbom", "generate"]), [dir.path()]);
            let sides = that_pass(row, vec![("ours", ours), (peer, with(theirs, [dir.path()]))]);
            self.peaks(row, &sides, rows);
            rows.insert(row.to_owned(), timed(20, &sides));
        }
    }

    fn validate(&self, rows: &mut Rows) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bom.json");
        std::fs::write(&file, crate::sbom::bom(10_000)).unwrap();
        let row = "validate CycloneDX 10000 by command";
        let sides = that_pass(row, vec![("ours", with(line_of(&self.sealwright, &["sbom", "validate"]), [file]))]);
        self.peaks(row, &sides, rows);
    }

    fn verify_all(&self, corpora: &Path, rows: &mut Rows) {
        let row = "345 bundles, process start included";
        let root = corpora.join("sigstore-trust-roots/public-good/targets/trusted_root.json");
        let folder = corpora.join("sigstore-bundles/cpython-releases");
        let sides = that_pass(
            row,
            vec![
                ("ours", with(line(&self.releases), [&root, &folder])),
                ("python", with(line(&self.python), [self.peers.join("verify_all.py"), root, folder])),
            ],
        );
        let (signatures, cores) = (Signatures::default(), std::thread::available_parallelism().unwrap().get());
        let arithmetic = || {
            assert!(passes(&line("true")));
            std::thread::scope(|scope| {
                for core in 0..cores {
                    let signatures = &signatures;
                    scope.spawn(move || (core..345).step_by(cores).for_each(|_| signatures.verify()));
                }
            });
        };
        let mut running: Vec<Running<'_>> = vec![("floor", Box::new(arithmetic))];
        for (side, line) in &sides {
            running.push((side, Box::new(move || assert!(passes(line), "{line:?}"))));
        }
        rows.insert(row.to_owned(), in_turn(12, &mut running));
    }

    /// What imports take beyond the start of the interpreter. The floor is a module that holds nothing.
    fn imports(&self, rows: &mut Rows) {
        let python = |code: &str| line_of(&self.python, &["-c", code]);
        let node = |code: &str| line_of(Path::new("node"), &["-e", code]);
        let required = |path: &Path| format!("require({path:?})");
        let peers = ["verify", "sign"].map(|name| required(&self.peers.join("node_modules/@sigstore").join(name)));
        for (row, peer, [bare, floor, ours, theirs]) in [
            (
                "import, Python",
                "python",
                ["pass", "import colorsys", "import sealwright", "import sigstore.verify, sigstore.models"].map(python),
            ),
            (
                "import, Node",
                "node",
                [
                    String::new(),
                    required(&self.peers.join("package.json")),
                    required(&self.root.join("target/node")),
                    peers.join(";"),
                ]
                .map(|code| node(&code)),
            ),
        ] {
            let sides = vec![("bare", bare), ("floor", floor), ("ours", ours), (peer, theirs)];
            let mut times = timed(40, &that_pass(row, sides));
            let Some(bare) = times.remove("bare") else { continue };
            rows.insert(row.to_owned(), times.into_iter().map(|(side, time)| (side, (time - bare).max(0.0))).collect());
        }
    }
}

fn line_of(program: &Path, arguments: &[&str]) -> Line {
    with(line(program), arguments)
}

pub(crate) fn run() {
    let (programs, mut rows) = (Programs::new(), Rows::new());
    if let Some(corpora) = corpora("verification by commands") {
        programs.verify_one(&corpora, &mut rows);
        programs.verify_all(&corpora, &mut rows);
        programs.generate(&corpora, &mut rows);
    }
    programs.validate(&mut rows);
    programs.imports(&mut rows);
    let json = serde_json::to_string_pretty(&rows).unwrap();
    println!("{json}");
    std::fs::write(programs.root.join("target/command.json"), json).unwrap();
}
