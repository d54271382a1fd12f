//! Evidence packs: what is in them, and that the library and the shell script refuse the same ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

use sealwright::key::PublicKey;
use sealwright::pack::{self, Built, Extension, PackDemand, PackRequest, Signers};
use world::{RELEASE, World, artifact};

const PACK_SIGNER: &str = "records";

fn request(world: &World) -> PackRequest {
    PackRequest::new(RELEASE, world.actor("release-manager"), world.now)
}

fn build(world: &mut World, name: &str) -> (PathBuf, Built) {
    let folder = world.dir.path().join(name);
    let request = request(world);
    let built = pack::build(&mut world.ledger, &request, &folder, &world.keys[PACK_SIGNER], world.now).unwrap();
    (folder, built)
}

/// What somebody outside knows: the signers and the ledger's key, in a folder with a blank in its name.
struct Outside {
    signers: PathBuf,
    log: PathBuf,
}

impl Outside {
    fn new(world: &World) -> Self {
        let folder = world.dir.path().join("my signers");
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = String::from("# who may sign\n\n");
        for (name, key) in &world.keys {
            std::fs::write(folder.join(format!("{name}.pem")), key.public().to_pem()).unwrap();
            let pack = if *name == PACK_SIGNER { "pack" } else { "" };
            lines += &format!("key {} {} {name}.pem {pack}\n", key.public().id(), key.public().key_type());
        }
        let signers = folder.join("SIGNERS");
        std::fs::write(&signers, lines).unwrap();
        let log = folder.join("log.pub");
        std::fs::write(&log, world.ledger.log_key().key().to_pem()).unwrap();
        Self { signers, log }
    }

    fn demand(&self) -> PackDemand {
        let log = PublicKey::from_pem(&std::fs::read(&self.log).unwrap()).unwrap();
        PackDemand::new(Signers::read(&self.signers).unwrap(), log)
    }

    /// Exit code and standard error of the script, none if a tool is missing.
    fn script(&self, folder: &Path, min: Option<&Path>) -> Option<(i32, String)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pack/verify.sh");
        for tool in ["bash", "jq", "openssl", "xxd", "awk"] {
            if Command::new(tool).arg("--help").output().is_err() {
                eprintln!("not run: `{tool}` is missing");
                return None;
            }
        }
        let mut command = Command::new("bash");
        command.arg(script).arg(&self.signers).arg(&self.log).args(min).current_dir(folder);
        let out = command.output().unwrap();
        Some((out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned()))
    }
}

#[test]
fn s140_a_pack_of_a_release_verifies_by_library_and_by_script() {
    let mut world = World::released(&artifact());
    let (folder, built) = build(&mut world, "pack");
    let outside = Outside::new(&world);
    let verdict = pack::verify(&folder, &outside.demand()).unwrap();
    assert_eq!(verdict.records, world.ledger.size());
    assert_eq!(verdict.bare_entries, 0);
    assert_eq!(verdict.extension, Extension::NotAsked);
    assert_eq!(verdict.statement, built.statement);
    assert!(built.statement.completeness.gaps.is_empty(), "{:?}", built.statement.completeness.gaps);
    if let Some((code, err)) = outside.script(&folder, None) {
        assert_eq!(code, 0, "{err}");
    }
}
