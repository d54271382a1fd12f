//! The command with its start, and many bundles at once. Needs the release build of both programs, which `make bench`
//! makes.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "a bench")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};

const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn run(command: &mut Command) {
    assert!(command.stdout(Stdio::null()).status().unwrap().success(), "{command:?}");
}

fn command(c: &mut Criterion) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpora =
        std::env::var_os("SEALWRIGHT_CORPORA").map_or_else(|| here.join("../../shared/corpora"), PathBuf::from);
    let [sealwright, releases] = ["sealwright", "releases"].map(|name| here.join("../target/release").join(name));
    if !corpora.is_dir() || !sealwright.is_file() || !releases.is_file() {
        eprintln!("not run: the command needs the corpora, and a release build of sealwright and releases");
        return;
    }
    let cases = corpora.join("sigstore-bundles/conformance/bundle-verify");
    let root = corpora.join("sigstore-trust-roots/public-good/targets/trusted_root.json");
    let bundle = cases.join("happy-path-v0.3/bundle.sigstore.json");
    let one = || {
        let mut command = Command::new(&sealwright);
        command.arg("verify").arg(cases.join("a.txt")).arg("--bundle").arg(&bundle);
        command.args(["--identity", BEACON, "--issuer", GITHUB]).arg("--trusted-root").arg(&root);
        run(&mut command);
    };
    let all = || run(Command::new(&releases).arg(&root).arg(corpora.join("sigstore-bundles/cpython-releases")));
    // what starting any program costs
    let nothing = || run(&mut Command::new("true"));
    for (row, ours) in [("verify by command, cold", &one as &dyn Fn()), ("345 bundles, process start included", &all)] {
        let mut group = c.benchmark_group(row);
        group.sample_size(20);
        group.bench_function("ours", |b| b.iter(ours));
        group.bench_function("floor", |b| b.iter(nothing));
        group.finish();
    }
}

criterion_group!(benches, command);
criterion_main!(benches);
