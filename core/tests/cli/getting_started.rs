//! docs/guide/getting-started.md from its first command to its last, as it stands there, and then what the README and the
//! guides to packs, ledgers and trust policies say to somebody who has got so far.

use std::process::{Command, Output};

use crate::place::Place;

/// The blocks of a document that are marked so.
fn blocks(document: &str, mark: &str) -> Vec<String> {
    let document = std::fs::read_to_string(format!("{}/../{document}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let fence = format!("```{mark}\n");
    document.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn bash(place: &Place, script: &str) -> Output {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(place.path("shop")).env("PATH", path);
    bash.env("HOME", place.path("")).output().unwrap()
}

/// Runs a script that must pass; gives what it printed.
fn pass(place: &Place, script: &str) -> String {
    let ran = bash(place, script);
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{script}\n{out}{err}");
    out.into_owned()
}

#[allow(clippy::print_stderr, reason = "a test that is not run says so")]
fn lacks_tools() -> bool {
    let lacks = |tool: &&str| Command::new(tool).arg("--version").output().is_err();
    let missing = ["git", "jq", "openssl", "xxd", "sha256sum"].into_iter().find(lacks);
    missing.inspect(|tool| eprintln!("not run, no {tool} command")).is_some()
}

const REPOSITORY: &str = "
git init -q . && git config user.name 'Ada Example' && git config user.email ada@example.org
git remote add origin https://git.example.org/shop.git
printf '[package]\\nname = \"shop\"\\nversion = \"1.4.0\"\\nedition = \"2024\"\\n[dependencies]\\ntax = \"1\"\\n' > Cargo.toml
printf 'version = 4\\n\\n[[package]]\\nname = \"shop\"\\nversion = \"1.4.0\"\\ndependencies = [\"tax\"]\\n' > Cargo.lock
printf '\\n[[package]]\\nname = \"tax\"\\nversion = \"1.0.0\"\\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\\n' >> Cargo.lock
printf 'checksum = \"%s\"\\n' \"$(printf tax | sha256sum | cut -c1-64)\" >> Cargo.lock
mkdir dist reports && echo program > dist/shop
for kind in unit integration contract; do
  echo '<testsuite name=\"shop\" tests=\"1\" failures=\"0\"><testcase name=\"adds tax\"/></testsuite>' > reports/$kind.xml
done
printf 'dist\\nkeys\\nledger\\npack\\n' > .gitignore
git add -A && git -c commit.gpgsign=false commit -qm 'Show prices with tax'";

#[test]
fn the_whole_way_from_keys_to_a_pack_runs_as_it_stands() {
    if lacks_tools() {
        return;
    }
    let guide = "docs/guide/getting-started.md";
    let place = Place::new();
    place.write("shop/README.md", "A shop.\n");
    pass(&place, REPOSITORY);
    let put = |name: &str, content: &str| place.write(&format!("shop/{name}"), content);
    let (tree, digest) = (
        pass(&place, "git rev-parse HEAD^{tree}").trim().to_owned(),
        pass(&place, "sha256sum dist/shop | cut -c1-64").trim().to_owned(),
    );
    put("sealwright.toml", &blocks(guide, "toml")[0]);
    let json = blocks(guide, "json");
    let [trust, change, review, approval, observed] = &json[..] else { panic!("{json:?}") };
    put("trust.json", trust);
    put("change.json", change);
    put("review.json", &review.replace("2b5c…", &tree));
    put("approval.json", approval);
    put("observed.json", &observed.replace("58ea…", &digest));

    let mut prod = String::new();
    for block in blocks(guide, "sh") {
        // what the text says of prod: refused as long as nobody approved, and the same commands afterwards
        if block.starts_with("sealwright record approval --subject") {
            let gate = format!(
                "sealwright gate prod --artifact sha256:{digest} --release shop-1.4.0 --change \
                 https://example.org/changes/17 --deployer deployer --key records"
            );
            let refused = bash(&place, &gate);
            assert_eq!(refused.status.code(), Some(1));
            let told = String::from_utf8_lossy(&refused.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains("EV-APPR-001") && told.contains("missing role release-manager"), "{told}");
            assert!(!bash(&place, &prod).status.success());
            pass(&place, &format!("{block}{prod}"));
            continue;
        }
        pass(&place, &block);
        if block.contains("for environment in dev staging") {
            prod = block.replace("dev staging", "prod");
        }
    }
    let audit = pass(&place, "sealwright --json ledger audit");
    assert!(audit.contains(r#""findings":[]"#) || audit.contains("\"findings\": []"), "{audit}");

    // the auditor's side, of which the paths are their own
    let yours = place.path("yours").display().to_string();
    pass(&place, "mkdir ../yours && cp pack/verify.sh pack/keys/* checkpoint ../yours/");
    let id = pass(&place, "sealwright trust show --json | jq -r .payload");
    let packs = blocks("docs/guide/packs.md", "sh");
    let [fingerprint, script, command] = &packs[..] else { panic!("{packs:?}") };
    pass(&place, &fingerprint.replace("ci.pem", "keys/builder.pub"));
    pass(&place, &format!("cd pack\n{}", script.replace("/yours", &yours)));
    pass(&place, &command.replace("/yours", &yours).replace("sha256:41d7…", id.trim()));
    let search =
        blocks("docs/guide/ledger.md", "sh").into_iter().find(|block| block.contains("ledger search")).unwrap();
    assert!(pass(&place, &search.replace("2026-11-01", "2020-01-01")).contains("promotion"), "{search}");
    let affected = blocks("docs/guide/ledger.md", "sh").into_iter().find(|block| block.contains("affected")).unwrap();
    let advisory = r#"{"id":"GHSA-35jh-r3h4-6jhm","affected":[{"package":{"ecosystem":"npm","name":"lodash"}}]}"#;
    let answers = pass(&place, &format!("echo '{advisory}' > GHSA-35jh-r3h4-6jhm.json\n{affected}"));
    assert_eq!(answers.matches("no artifact is known").count(), 3, "{answers}");
    let alerts = blocks("docs/guide/ledger.md", "sh").into_iter().find(|block| block.contains("alerts")).unwrap();
    assert_eq!(pass(&place, &alerts).matches("nothing unusual since").count(), 2, "{alerts}");
    pass(&place, "printf more >> dist/shop");
    let verify = "sealwright verify dist/shop --bundle shop.sigstore.json --key keys/builder.pub";
    assert_eq!(bash(&place, verify).status.code(), Some(1));
}

#[test]
fn the_commands_of_the_readme_and_of_trust_policies_run() {
    if lacks_tools() {
        return;
    }
    let place = Place::new();
    place.write("shop/README.md", "A shop.\n");
    pass(&place, &format!("{REPOSITORY}\nexport SEALWRIGHT_PASSPHRASE=only-for-this-example"));
    let readme = blocks("README.md", "sh").into_iter().find(|block| block.contains("sealwright key")).unwrap();
    // what needs no ledger; the rest is the way above
    let first = readme.split("sealwright gate").next().unwrap();
    pass(&place, &format!("export SEALWRIGHT_PASSPHRASE=only-for-this-example\n{first}"));

    let keys = "for name in ann bea builder builder-2; do
  sealwright key generate --type ed25519 --no-passphrase --out $name.pem && sealwright key public $name.pem > $name.pub
done
sealwright key generate --type ed25519 --no-passphrase --out log.pem
echo 'log-key = \"log.pem\"' > sealwright.toml";
    pass(&place, keys);
    place.write(
        "shop/trust.json",
        r#"{ "threshold": 2, "signers": [{ "name": "builder", "predicateTypes": ["https://cyclonedx.org/bom"] }], "people": [] }"#,
    );
    let guide = blocks("docs/guide/trust-policy.md", "sh");
    let [init, change, revoke] = &guide[..] else { panic!("{guide:?}") };
    pass(&place, &init.replace("--key ann.pem", "--signer builder=builder.pub --key ann.pem"));
    let edit = "jq '.threshold = 1' next.json > edited.json && mv edited.json next.json\n";
    let mut lines = change.lines();
    let (shown, signed) = (lines.next().unwrap(), lines.next().unwrap());
    pass(&place, &format!("{shown}\n{edit}{signed}"));
    let waits = pass(&place, "sealwright trust show --json | jq -r '.proposals[0].payload'");
    let last = change.lines().last().unwrap().replace("sha256:…", waits.trim());
    pass(&place, &last);
    pass(&place, revoke);
    assert!(pass(&place, "sealwright trust show").contains("builder-2"));
}
