//! BOMs of all lock files of JavaScript: real ones, cut ones, large ones and those of chance (systems rows 23, 25).

#![expect(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;
mod js;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use regex::Regex;
use sealwright::sbom::{self, GenerateOptions, Sbom};

use self::corpora::corpora;
use self::js::*;

#[test]
fn a_lock_file_without_packages_is_no_fault() {
    for (name, lock) in [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n"),
        ("pnpm-lock.yaml", "lockfileVersion: 5.4\n\nspecifiers: {}\n"),
        ("yarn.lock", "# yarn lockfile v1\n\n\n"),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n",
        ),
    ] {
        let dir = tree(&[(name, lock), ("package.json", r#"{"name":"app","version":"1.0.0"}"#)]);
        let bom = generate(dir.path(), None);
        assert_sound(&bom, lock);
        assert_eq!(bom.metadata.component.purl.as_deref(), Some("pkg:npm/app@1.0.0"));
        assert!(bom.components.is_empty());
    }
}

#[test]
fn a_project_without_a_name_is_no_component_and_its_needs_are_those_of_the_product() {
    let yarn = "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n\n\"d@npm:^1\":\n  version: 1.0.0\n  resolution: \"d@npm:1.0.0\"\n\n\"root-workspace-0b6124@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"root-workspace-0b6124@workspace:.\"\n  dependencies:\n    a: \"npm:^1\"\n    d: \"npm:^1\"\n";
    let one = "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n\nd@^1:\n  version \"1.0.0\"\n";
    let pnpm = "lockfileVersion: 5.4\ndependencies:\n  a: 1.0.0\ndevDependencies:\n  d: 1.0.0\npackages:\n  /a/1.0.0:\n    resolution: {integrity: INTEGRITY}\n  /d/1.0.0:\n    resolution: {integrity: INTEGRITY}\n";
    for (name, lock) in [("yarn.lock", yarn), ("yarn.lock", one), ("pnpm-lock.yaml", pnpm)] {
        let manifest = ("package.json", r#"{"dependencies":{"a":"^1"},"devDependencies":{"d":"^1"}}"#);
        let dir = tree(&[(name, lock), manifest]);
        let bom = generate(dir.path(), Some("product"));
        assert_sound(&bom, lock);
        assert_eq!(edges(&bom)["product"], ["pkg:npm/a@1.0.0", "pkg:npm/d@1.0.0"], "{lock}");
        assert_eq!(scopes(&bom)["pkg:npm/a@1.0.0"], "required");
        assert_eq!(scopes(&bom)["pkg:npm/d@1.0.0"], "excluded");
        assert_eq!(refusal(dir.path()), "API_MISUSE");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_or_lacks_no_package() {
    for (name, lock) in
        [("pnpm-lock.yaml", PNPM_9), ("pnpm-lock.yaml", PNPM_6), ("yarn.lock", YARN_1), ("yarn.lock", YARN_8)]
    {
        let dir = workspace(name, lock);
        std::fs::write(dir.path().join(".yarnrc.yml"), "catalog:\n  ts: ^5\n").unwrap();
        if lock == YARN_1 {
            std::fs::write(dir.path().join("packages/lib/package.json"), LIB.replace("\"other\":\"^1.0.0\",", ""))
                .unwrap();
        }
        let whole = generate(dir.path(), None);
        let lock = std::fs::read_to_string(dir.path().join(name)).unwrap();
        let mut refused = 0;
        for cut in (0..lock.len()).filter(|cut| lock.is_char_boundary(*cut)) {
            std::fs::write(dir.path().join(name), &lock[..cut]).unwrap();
            match sbom::generate(dir.path(), &GenerateOptions::default()) {
                Err(e) => {
                    assert!(matches!(e.code(), "MALFORMED" | "UNSUPPORTED"), "{e:?}");
                    refused += 1;
                }
                Ok(bom) => {
                    let names = |bom: &Sbom| bom.components.iter().map(|c| c.name.clone()).collect::<BTreeSet<_>>();
                    assert_eq!(names(&bom), names(&whole), "cut at {cut}:\n{}", &lock[..cut]);
                }
            }
        }
        assert!(refused * 10 > lock.len() * 9, "{name}: {refused} of {}", lock.len());
    }
}

#[test]
fn fifty_thousand_packages_are_read() {
    let count = 50_000;
    let needs = |n: usize| [n + 1, n * 2 + 1].into_iter().filter(|m| *m < count).collect::<BTreeSet<_>>();
    let mut pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a0:\n        specifier: ^1\n        version: 1.0.0\npackages:\n".to_owned();
    let mut yarn = "# yarn lockfile v1\n\n".to_owned();
    let mut snapshots = "snapshots:\n".to_owned();
    let mut berry = "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a0: \"npm:^1\"\n".to_owned();
    for n in 0..count {
        pnpm += &format!("  a{n}@1.0.0:\n    resolution: {{integrity: {INTEGRITY}}}\n");
        snapshots += &format!("  a{n}@1.0.0:\n    dependencies:\n");
        yarn += &format!("a{n}@^1:\n  version \"1.0.0\"\n  dependencies:\n");
        berry += &format!("\"a{n}@npm:^1\":\n  version: 1.0.0\n  resolution: \"a{n}@npm:1.0.0\"\n  dependencies:\n");
        for m in needs(n) {
            snapshots += &format!("      a{m}: 1.0.0\n");
            yarn += &format!("    a{m} \"^1\"\n");
            berry += &format!("    a{m}: \"npm:^1\"\n");
        }
    }
    let manifest = ("package.json", r#"{"name":"app","dependencies":{"a0":"^1"}}"#);
    for (name, lock) in [("pnpm-lock.yaml", pnpm + &snapshots), ("yarn.lock", yarn), ("yarn.lock", berry)] {
        let dir = tree(&[(name, &lock), manifest]);
        let bom = generate(dir.path(), None);
        assert_eq!(bom.components.len(), count);
        assert!(bom.components.iter().all(|c| c.purl.is_some()));
    }
}

#[test]
fn s023_every_package_of_real_lock_files_is_in_the_bom_and_nothing_else() {
    let Some(dir) = corpora("lockfiles") else { return };
    let mut seen = 0;
    let lines = Regex::new(r"(?m)^  (packages/\S+|playground):$").unwrap();
    for file in lock_files(&dir) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = if file.ends_with("yarn.lock") { "yarn.lock" } else { "pnpm-lock.yaml" };
        let dir = tree(&[(name, &text)]);
        let manifest = file.with_file_name("package.json");
        let product = (!manifest.exists()).then_some("product");
        if product.is_none() {
            std::fs::copy(manifest, dir.path().join("package.json")).unwrap();
        }
        let bom = generate(dir.path(), product);
        assert_sound(&bom, &file.display().to_string());
        assert_eq!(bom.to_json().unwrap(), generate(dir.path(), product).to_json().unwrap());
        let expected = if file.ends_with("yarn.lock") { yarn_packages(&text) } else { pnpm_packages(&text) };
        assert!(expected.len() >= 2);
        // workspace members are of the tree, and have no line of their own
        let members: BTreeSet<_> =
            lines.captures_iter(&text).map(|c| c[1].rsplit('/').next().unwrap().to_owned()).collect();
        let found: BTreeMap<_, _> = bom.components.iter().map(|c| (c.purl.clone().unwrap(), c)).collect();
        let own: BTreeSet<_> = found.values().filter(|c| c.version.is_none()).map(|c| c.name.clone()).collect();
        assert_eq!(own, members, "{}", file.display());
        let fetched: BTreeSet<_> =
            found.iter().filter(|(_, c)| c.version.is_some()).map(|(purl, _)| purl.clone()).collect();
        assert_eq!(fetched, expected.keys().cloned().collect(), "{}", file.display());
        for (purl, (integrity, scope)) in &expected {
            let component = found[purl];
            assert_eq!(!component.hashes.is_empty(), *integrity, "{purl}");
            if let Some(scope) = scope {
                assert_eq!(serde_json::to_value(component.scope).unwrap(), **scope, "{purl} in {}", file.display());
            }
        }
        seen += 1;
    }
    assert!(seen >= 5, "only {seen}");
}

#[test]
fn s025_real_edges_are_those_of_the_lines_of_the_file() {
    let Some(dir) = corpora("lockfiles/real/witness-docs/docs-website") else { return };
    let text = std::fs::read_to_string(dir.join("yarn.lock")).unwrap();
    let bom = generate(&dir, None);
    assert_eq!(bom.metadata.component.purl.as_deref(), Some("pkg:npm/witness-website@0.0.0"));
    assert_eq!(edges(&bom)["pkg:npm/witness-website@0.0.0"].len(), 12);
    // by blocks of lines: who asks for what, and who answers to it
    let mut answers = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for block in text.split("\n\n").filter(|block| block.contains("\n  version ")) {
        let mut lines = block.lines().skip_while(|line| line.starts_with('#') || line.is_empty());
        let keys: Vec<_> =
            lines.next().unwrap().trim_end_matches(':').split(", ").map(|k| k.replace('"', "")).collect();
        let lines: Vec<_> = lines.collect();
        let version = lines[0].split('"').nth(1).unwrap();
        let name = keys[0].split_once("@npm:").map_or(&*keys[0], |(_, target)| target);
        let purl = npm_purl(&name[..name.rfind('@').unwrap()], version);
        for line in lines.iter().filter(|line| line.starts_with("    ")) {
            let (name, range) = line.trim().split_once(' ').unwrap();
            asked.insert((purl.clone(), format!("{}@{}", name.replace('"', ""), range.replace('"', ""))));
        }
        answers.extend(keys.into_iter().map(|key| (key, purl.clone())));
    }
    let expected: BTreeSet<_> = asked.iter().map(|(user, key)| (user.clone(), answers[key].clone())).collect();
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for (user, needs) in edges(&bom).iter().filter(|(user, _)| !user.contains("witness-website")) {
        found.extend(needs.iter().map(|need| (user.clone(), need.clone())));
    }
    assert!(expected.len() > 1000);
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_and_no_change_of_a_lock_file_ends_the_process(
        text in r"\PC{0,60}",
        at in 0..4000_usize,
        length in 0..40_usize,
        with in "[\"'{}\\[\\]:@/#&*, \\-\na0]{0,8}",
    ) {
        for (name, lock) in [("pnpm-lock.yaml", PNPM_9), ("pnpm-lock.yaml", PNPM_6), ("yarn.lock", YARN_1), ("yarn.lock", YARN_8)] {
            let dir = workspace(name, &text);
            let _ = sbom::generate(dir.path(), &GenerateOptions::default());
            let mut changed: Vec<char> = lock.chars().collect();
            let start = at % changed.len();
            let end = (start + length).min(changed.len());
            changed.splice(start..end, with.chars());
            let changed: String = changed.into_iter().collect();
            std::fs::write(dir.path().join(name), changed).unwrap();
            if let Ok(bom) = sbom::generate(dir.path(), &GenerateOptions::default()) {
                prop_assert_eq!(bom.dependencies.len(), bom.components.len() + 1);
            }
        }
    }
}

/// Packages by their purls, whether they have an integrity, and their scope where the file has it; read line by line,
/// apart from the code under test.
type Packages = BTreeMap<String, (bool, Option<&'static str>)>;

fn yarn_packages(text: &str) -> Packages {
    let key = Regex::new(r#"^"?(?:[^"]*@npm:)?(@?[^@"]+)@[^:]*"#).unwrap();
    let mut found = Packages::new();
    for block in text.split("\n\n") {
        let Some(version) = block.lines().find_map(|line| line.strip_prefix("  version ")) else { continue };
        let head = block.lines().find(|line| line.ends_with(':') && !line.starts_with(['#', ' '])).unwrap();
        let name = &key.captures(head).unwrap()[1];
        found.insert(npm_purl(name, version.trim_matches('"')), (block.contains("\n  integrity "), None));
    }
    found
}

fn pnpm_packages(text: &str) -> Packages {
    let key = Regex::new(r"^  '?/(@?[^@'(]+?)[@/](\d+\.\d+\.\d+[^_('/:]*)").unwrap();
    let (_, packages) = text.split_once("\npackages:\n").unwrap();
    let mut found = Packages::new();
    for block in packages.split("\n\n") {
        let Some(head) = block.lines().find(|line| line.ends_with(':')) else { continue };
        let parts = key.captures(head).unwrap_or_else(|| panic!("{head}"));
        let dev = block.contains("\n    dev: true");
        let scope = match block.contains("\n    optional: true") {
            _ if dev => "excluded",
            true => "optional",
            false => "required",
        };
        let row = found.entry(npm_purl(&parts[1], &parts[2])).or_insert((true, Some(scope)));
        // of several copies, the strongest
        row.1 = row.1.max(Some(scope));
    }
    found
}

/// The lock files of pnpm and Yarn below `dir`, installed packages aside.
fn lock_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path
                .file_name()
                .is_some_and(|n| n == "yarn.lock" || n.to_string_lossy().ends_with("pnpm-lock.yaml"))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
