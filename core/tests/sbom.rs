//! SBOMs of real projects, and verdicts on those that others made (systems rows 22, 23, 25).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests"
)]

mod corpora;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sealwright::json::Value;
use sealwright::sbom::{self, GenerateOptions, Rule, Sbom};

use self::corpora::corpora;

#[test]
fn this_repository_gives_a_valid_bom_with_every_package_of_its_lock_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bom = generate(&root, None);
    assert_sound(&bom, "this repository");
    let expected = cargo_packages(&root.join("Cargo.lock"));
    let found = packages(&bom);
    let missing: Vec<_> = expected.iter().filter(|p| !found.contains(*p)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(bom.metadata.component.name, "sealwright");
    assert!(bom.metadata.component.licenses.len() == 1, "the licence comes from the workspace");
}

#[test]
fn s022_an_sbom_without_a_component_is_told_as_unusable() {
    let with = |components: &str| format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6"{components}}}"#);
    for empty in ["", r#","components":[]"#, r#","metadata":{"component":{"type":"application","name":"a"}}"#] {
        let bytes = with(empty);
        assert_eq!(sbom::validate(bytes.as_bytes()).unwrap(), [], "valid, and yet no inventory");
        assert!(!sbom::read(bytes.as_bytes()).unwrap().is_usable());
    }
    let one = with(r#","components":[{"type":"library","name":"a"}]"#);
    assert!(sbom::read(one.as_bytes()).unwrap().is_usable());
}

#[test]
fn s023_every_component_of_a_generated_bom_can_be_found_by_its_purl() {
    let Some(dir) = corpora("lockfiles/real") else { return };
    for project in projects(&dir) {
        let bom = generate(&project, Some("product"));
        let summary = sbom::read(&bom.to_json().unwrap()).unwrap();
        assert!(summary.is_usable(), "{}", project.display());
        assert_eq!(summary.component_count, bom.components.len());
        for component in &summary.components {
            assert!(component.purl.as_ref().is_some_and(|p| p.starts_with("pkg:")), "{component:?}");
        }
    }
}

#[test]
fn s025_a_dependency_from_elsewhere_says_where_it_comes_from() {
    let dir = tree(&[(
        "Cargo.lock",
        "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"fork\", \"own\"]\n\
         [[package]]\nname = \"fork\"\nversion = \"1.0.0\"\nsource = \"git+https://git.corp.example/fork#0123abcd\"\n\
         [[package]]\nname = \"own\"\nversion = \"1.0.0\"\nsource = \"registry+https://crates.corp.example/index\"\n",
    )]);
    let bom = generate(dir.path(), Some("app"));
    let purls: Vec<_> = bom.components.iter().filter_map(|c| c.purl.as_deref()).collect();
    assert_eq!(
        purls,
        [
            "pkg:cargo/fork@1.0.0?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Ffork%400123abcd",
            "pkg:cargo/own@1.0.0?repository_url=https:%2F%2Fcrates.corp.example%2Findex",
        ]
    );
}

#[test]
fn real_projects_give_valid_boms_with_every_package() {
    let Some(dir) = corpora("lockfiles") else { return };
    let mut seen = 0;
    for project in projects(&dir.join("real")).into_iter().chain(projects(&dir.join("trivy-fixtures"))) {
        if project.ends_with("trivy-ci-test") {
            // by its own words it needs `ammonia 2.0.0`, and holds `ammonia 1.9.0`
            assert_eq!(refusal(&project, &GenerateOptions::default()), "MALFORMED");
            continue;
        }
        let bom = generate(&project, Some("product"));
        assert_sound(&bom, &project.display().to_string());
        let found = packages(&bom);
        let expected = if project.join("Cargo.lock").exists() {
            cargo_packages(&project.join("Cargo.lock"))
        } else {
            npm_packages(&project.join("package-lock.json"))
        };
        assert!(!expected.is_empty());
        let missing: Vec<_> = expected.iter().filter(|p| !found.contains(*p)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", project.display());
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} projects");
}

#[test]
fn another_library_reads_the_same_packages_licences_and_edges() {
    let Some(dir) = corpora("lockfiles/real") else { return };
    for project in projects(&dir) {
        let ours = generate(&project, Some("product"));
        // the other library speaks up to 1.5; what we write has the same form there
        let json = String::from_utf8(ours.to_json().unwrap()).unwrap();
        let json = json.replace(r#""specVersion":"1.6""#, r#""specVersion":"1.5""#);
        let theirs = cyclonedx_bom::prelude::Bom::parse_from_json(json.as_bytes()).unwrap();
        use cyclonedx_bom::prelude::Validate as _;
        assert!(theirs.validate().passed(), "{}: {:?}", project.display(), theirs.validate());
        let components = theirs.components.unwrap().0;
        assert_eq!(components.len(), ours.components.len());
        for (a, b) in components.iter().zip(&ours.components) {
            assert_eq!(a.bom_ref, b.bom_ref);
            assert_eq!(a.purl.as_ref().unwrap().to_string(), *b.purl.as_ref().unwrap());
            assert_eq!(a.licenses.as_ref().map_or(0, |l| l.0.len()), b.licenses.len());
        }
        let edges: usize = theirs.dependencies.unwrap().0.iter().map(|d| d.dependencies.len()).sum();
        assert_eq!(edges, ours.dependencies.iter().map(|d| d.depends_on.len()).sum::<usize>());
    }
}

#[test]
fn what_no_schema_can_say_is_found() {
    let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6",
        "components":[{"type":"library","name":"a","bom-ref":"a","purl":"npm/a"},
                      {"type":"library","name":"b","bom-ref":"a","purl":"pkg:npm/b@1"}],
        "dependencies":[{"ref":"a","dependsOn":["gone","urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1"]}]}"#;
    let found = sbom::validate(bom).unwrap();
    let told: Vec<_> = found.iter().map(|f| (f.rule, &*f.path)).collect();
    assert_eq!(
        told,
        [(Rule::Purl, "/components/0/purl"), (Rule::UniqueRef, "/components/1"), (Rule::KnownRef, "/dependencies/0")]
    );
}

#[test]
fn a_bom_with_thousands_of_faults_gives_a_short_list() {
    let faulty = vec![r#"{"type":"library","licenses":[{"license":{"id":"no such id"}}]}"#; 5_000].join(",");
    let bom = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{faulty}]}}"#);
    let found = sbom::validate(bom.as_bytes()).unwrap();
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|f| f.message.chars().count() <= 301));
}

#[test]
fn what_is_no_sbom_of_a_known_version_is_not_validated() {
    for (bytes, code) in [
        (&b"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.3\"}"[..], "UNSUPPORTED"),
        (b"{\"spdxVersion\":\"SPDX-2.2\"}", "UNSUPPORTED"),
        (b"{\"bomFormat\":\"CycloneDX\",\"specVersion\"", "MALFORMED"),
        (b"[]", "MALFORMED"),
        (b"{}", "MALFORMED"),
        (b"", "MALFORMED"),
    ] {
        assert_eq!(sbom::validate(bytes).unwrap_err().code(), code);
    }
}

#[test]
fn the_same_tree_gives_the_same_bytes_and_only_a_given_time_is_written() {
    let dir = tree(&[("Cargo.lock", LOCK), ("Cargo.toml", "[package]\nname = \"app\"\n")]);
    let other = tree(&[("Cargo.toml", "[package]\nname = \"app\"\n"), ("Cargo.lock", LOCK)]);
    let bytes = generate(dir.path(), None).to_json().unwrap();
    assert_eq!(generate(dir.path(), None).to_json().unwrap(), bytes);
    assert_eq!(generate(other.path(), None).to_json().unwrap(), bytes);
    assert!(!String::from_utf8(bytes).unwrap().contains("timestamp"));
    let mut options = GenerateOptions::default();
    options.timestamp = Some("2026-11-21T09:30:00Z".parse().unwrap());
    let bom = sbom::generate(dir.path(), &options).unwrap();
    assert!(String::from_utf8(bom.to_json().unwrap()).unwrap().contains("\"timestamp\":\"2026-11-21T09:30:00Z\""));
    assert_sound(&bom, "with a time");
}

#[test]
fn several_lock_files_become_one_graph() {
    let npm = r#"{"name":"@corp/ui","version":"2.0.0","lockfileVersion":3,"packages":{
        "":{"name":"@corp/ui","version":"2.0.0","license":"MIT","dependencies":{"a":"1"},"devDependencies":{"b":"1"},
            "optionalDependencies":{"gone":"1"}},
        "node_modules/a":{"version":"1.0.0","dependencies":{"b":"2"},"peerDependencies":{"peer":"1"},
            "integrity":"sha1-5QNHYR1+aQlDIIu9r+vLwvuGbUY="},
        "node_modules/a/node_modules/b":{"version":"2.0.0","optional":true},
        "node_modules/b":{"version":"1.0.0","dev":true}}}"#;
    let dir = tree(&[
        ("Cargo.lock", LOCK),
        ("Cargo.toml", "[package]\nname = \"app\"\n"),
        ("ui/package-lock.json", npm),
        ("tools/Cargo.lock", &LOCK.replace("\"app\"", "\"tool\"")),
        ("node_modules/x/package-lock.json", "{}"),
        (".hidden/Cargo.lock", "garbage"),
        ("target/Cargo.lock", "garbage"),
    ]);
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "several");
    let edges: BTreeMap<_, Vec<_>> =
        bom.dependencies.iter().map(|d| (&*d.component, d.depends_on.iter().map(|d| &**d).collect())).collect();
    let (app, ui) = ("pkg:cargo/app@1.0.0", "pkg:npm/%40corp/ui@2.0.0");
    assert_eq!(edges[app], ["pkg:cargo/dep@0.1.0", "pkg:cargo/tool@1.0.0", ui]);
    assert_eq!(edges["pkg:cargo/tool@1.0.0"], ["pkg:cargo/dep@0.1.0"]);
    assert_eq!(edges[ui], ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]);
    assert_eq!(edges["pkg:npm/a@1.0.0"], ["pkg:npm/b@2.0.0"]);
    let json: Value = serde_json::from_slice(&bom.to_json().unwrap()).unwrap();
    let component = |purl: &str| {
        let list = json["components"].as_array().unwrap();
        list.iter().find(|c| c["purl"] == purl).unwrap().clone()
    };
    assert_eq!(component("pkg:npm/b@1.0.0")["scope"], "excluded");
    assert_eq!(component("pkg:npm/b@2.0.0")["scope"], "optional");
    assert_eq!(component("pkg:npm/b@2.0.0")["properties"][1]["value"], "transitive");
    assert_eq!(component(ui)["group"], "@corp");
    assert_eq!(component(ui)["licenses"][0]["license"]["id"], "MIT");
    assert_eq!(component("pkg:npm/a@1.0.0")["hashes"][0]["content"], "e50347611d7e690943208bbdafebcbc2fb866d46");
    let places: Vec<_> = component("pkg:cargo/dep@0.1.0")["properties"].as_array().unwrap().clone();
    assert_eq!(places[0]["value"], "Cargo.lock");
    assert_eq!(places[1]["value"], "tools/Cargo.lock");
}

#[test]
fn the_product_is_what_the_caller_says() {
    let dir = tree(&[("Cargo.lock", LOCK)]);
    assert_eq!(refusal(dir.path(), &GenerateOptions::default()), "API_MISUSE");
    let mut options = GenerateOptions::default();
    options.name = Some("app".into());
    options.version = Some("3.0.0".into());
    let bom = sbom::generate(dir.path(), &options).unwrap();
    assert_sound(&bom, "app 3");
    assert_eq!(bom.metadata.component.purl.as_deref(), Some("pkg:cargo/app@3.0.0"));
    assert_eq!(bom.components.len(), 1);
    options.name = Some("device".into());
    options.bom_ref = Some("the-device".into());
    let bom = sbom::generate(dir.path(), &options).unwrap();
    assert_sound(&bom, "device");
    assert_eq!(bom.components.len(), 2);
    let row = bom.dependencies.iter().find(|d| d.component == "the-device").unwrap();
    assert_eq!(row.depends_on.iter().collect::<Vec<_>>(), ["pkg:cargo/app@1.0.0"]);
    options.bom_ref = Some("pkg:cargo/dep@0.1.0".into());
    assert_eq!(refusal(dir.path(), &options), "API_MISUSE");
    options.purl = Some("device".into());
    assert_eq!(refusal(dir.path(), &options), "MALFORMED");
}

#[test]
fn licences_of_crates_come_from_their_unpacked_sources() {
    let home = tree(&[(
        "registry/src/index.crates.io-0123/dep-0.1.0/Cargo.toml",
        "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nlicense = \"MIT/Apache-2.0\"\n",
    )]);
    let dir = tree(&[
        ("Cargo.lock", LOCK),
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nlicense = \"Zlib\"\n"),
        ("crates/app/Cargo.toml", "[package]\nname = \"app\"\nlicense.workspace = true\n"),
    ]);
    let mut options = GenerateOptions::default();
    options.name = Some("app".into());
    options.cargo_home = Some(home.path().to_owned());
    let bom = sbom::generate(dir.path(), &options).unwrap();
    assert_sound(&bom, "licences");
    let json: Value = serde_json::from_slice(&bom.to_json().unwrap()).unwrap();
    assert_eq!(json["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(json["metadata"]["component"]["licenses"][0]["license"]["id"], "Zlib");
}

#[test]
fn a_cargo_lock_that_is_cut_anywhere_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let whole = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let dir = tree(&[("Cargo.toml", "[package]\nname = \"zzz\"\n")]);
    let with_root =
        format!("{whole}\n[[package]]\nname = \"zzz\"\nversion = \"1.0.0\"\ndependencies = [\n \"zeroize\",\n]\n");
    std::fs::write(dir.path().join("Cargo.lock"), &with_root).unwrap();
    generate(dir.path(), None);
    let starts: Vec<_> = with_root.match_indices("\n[[package]]").map(|(at, _)| at).collect();
    let cuts = starts.iter().step_by(7).copied().chain((0..whole.len()).step_by(whole.len() / 40));
    for cut in cuts.chain([*starts.last().unwrap()]) {
        std::fs::write(dir.path().join("Cargo.lock"), &with_root[..cut]).unwrap();
        assert_eq!(refusal(dir.path(), &GenerateOptions::default()), "MALFORMED", "cut at {cut}");
    }
}

#[test]
fn lock_files_that_cannot_be_trusted_whole_are_refused() {
    let npm = |packages: &str| format!(r#"{{"name":"a","lockfileVersion":3,"packages":{{{packages}}}}}"#);
    let conflict = format!("<<<<<<< HEAD\n{LOCK}=======\n>>>>>>> other\n");
    let missing = npm(r#""":{"dependencies":{"b":"1"}}"#);
    let missing_dev = npm(r#""":{"devDependencies":{"b":"1"}}"#);
    let link = npm(r#""":{"dependencies":{"b":"1"}},"node_modules/b":{"link":true,"resolved":"b"}"#);
    let integrity = npm(r#""":{},"node_modules/b":{"version":"1.0.0","integrity":"sha512-short"}"#);
    let twice = npm(r#""":{},"node_modules/b":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0"}"#);
    let cases: &[(&str, &str, &str)] = &[
        ("Cargo.lock", "", "MALFORMED"),
        ("Cargo.lock", "version = 4\n", "MALFORMED"),
        ("Cargo.lock", "\u{0}\u{1}garbage", "MALFORMED"),
        ("Cargo.lock", &conflict, "MALFORMED"),
        ("Cargo.lock", &LOCK.replace("version = 4", "version = 5"), "UNSUPPORTED"),
        ("Cargo.lock", &LOCK.replace("version = 4", "version = \"4\""), "UNSUPPORTED"),
        ("Cargo.lock", &LOCK.replace("\"dep\",", "\"dep\", \"gone\","), "MALFORMED"),
        ("Cargo.lock", &LOCK.replace("\"dep\",", "\"dep 0.2.0\","), "MALFORMED"),
        ("Cargo.lock", &LOCK.replace("[[package]]\nname = \"dep\"", "[[package]]\nname = \"../dep\""), "MALFORMED"),
        ("Cargo.lock", &LOCK.replace("checksum = \"00", "checksum = \"zz"), "MALFORMED"),
        ("Cargo.lock", &LOCK.replace("name = \"dep\"", "name = \"dep\"\nextra = 1"), "MALFORMED"),
        ("Cargo.lock", &format!("{LOCK}[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n"), "MALFORMED"),
        ("package-lock.json", "{\"lockfileVersion\":3,\"packages\":{\"\":{\"na", "MALFORMED"),
        ("package-lock.json", "{}", "UNSUPPORTED"),
        ("package-lock.json", r#"{"lockfileVersion":4,"packages":{"":{}}}"#, "UNSUPPORTED"),
        ("package-lock.json", r#"{"lockfileVersion":3}"#, "MALFORMED"),
        ("package-lock.json", r#"{"lockfileVersion":3,"packages":{}}"#, "MALFORMED"),
        ("package-lock.json", &missing, "MALFORMED"),
        ("package-lock.json", &missing_dev, "MALFORMED"),
        ("package-lock.json", &link, "MALFORMED"),
        ("package-lock.json", &integrity, "MALFORMED"),
        ("package-lock.json", &twice, "MALFORMED"),
    ];
    for (name, text, code) in cases {
        let dir = tree(&[(name, text)]);
        let mut options = GenerateOptions::default();
        options.name = Some("product".into());
        assert_eq!(refusal(dir.path(), &options), *code, "{name}: {text}");
    }
}

#[test]
fn two_lock_files_with_different_hashes_for_one_package_are_refused() {
    let other = LOCK.replace("checksum = \"00", "checksum = \"11");
    let dir = tree(&[("Cargo.lock", LOCK), ("x/Cargo.lock", &other)]);
    let mut options = GenerateOptions::default();
    options.name = Some("app".into());
    assert_eq!(refusal(dir.path(), &options), "DIGEST_MISMATCH");
}

#[test]
fn a_local_package_is_not_taken_for_the_published_one_of_its_name() {
    let own = "[[package]]\nname = \"dep\"\nversion = \"0.1.0\"\ndependencies = [\"dep 0.1.0 (registry+https://github.com/rust-lang/crates.io-index)\"]\n";
    let dir = tree(&[("Cargo.lock", &format!("{LOCK}{own}"))]);
    let bom = generate(dir.path(), Some("app"));
    assert_sound(&bom, "two of a name");
    let edges: BTreeMap<_, Vec<_>> =
        bom.dependencies.iter().map(|d| (&*d.component, d.depends_on.iter().map(|d| &**d).collect())).collect();
    // `dep` without a source in the words of `app` is the local one
    assert_eq!(edges["pkg:cargo/app@1.0.0"], ["pkg:cargo/dep@0.1.0#local"]);
    assert_eq!(edges["pkg:cargo/dep@0.1.0#local"], ["pkg:cargo/dep@0.1.0"]);
    assert_eq!(edges["pkg:cargo/dep@0.1.0"], [""; 0]);
}

#[test]
fn version_1_of_npm_lock_files_gives_the_same_graph_as_later_ones() {
    let lock = r#"{"name":"app","version":"1.0.0","lockfileVersion":1,"requires":true,"dependencies":{
        "a":{"version":"1.0.0","requires":{"b":"^2"},"dependencies":{"b":{"version":"2.0.0","requires":{"c":"1"}}}},
        "b":{"version":"1.0.0","dev":true},
        "c":{"version":"npm:@corp/c@1.5.0","optional":true},
        "d":{"version":"git+https://git.corp.example/d.git#0123abcd","requires":false}}}"#;
    let manifest = r#"{"name":"app","license":"MIT","dependencies":{"a":"1","d":"x"},"devDependencies":{"b":"1"}}"#;
    let dir = tree(&[("package-lock.json", lock), ("package.json", manifest)]);
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "version 1");
    let d = "pkg:npm/d?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fd.git%400123abcd";
    let edges: BTreeMap<_, Vec<_>> =
        bom.dependencies.iter().map(|d| (&*d.component, d.depends_on.iter().map(|d| &**d).collect())).collect();
    assert_eq!(edges["pkg:npm/app@1.0.0"], ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0", d]);
    assert_eq!(edges["pkg:npm/a@1.0.0"], ["pkg:npm/b@2.0.0"]);
    assert_eq!(edges["pkg:npm/b@2.0.0"], ["pkg:npm/%40corp/c@1.5.0"]);
    // without the manifest, what no other package needs
    let dir = tree(&[("package-lock.json", &lock.replace(r#""version":"1.0.0","lockfile"#, r#""lockfile"#))]);
    let bom = generate(dir.path(), None);
    let row = bom.dependencies.iter().find(|row| row.component == "pkg:npm/app").unwrap();
    assert_eq!(row.depends_on.iter().map(|d| &**d).collect::<Vec<_>>(), ["pkg:npm/a@1.0.0", d]);
}

#[test]
fn the_root_of_an_npm_workspace_needs_each_member_of_it_and_no_folder_that_a_member_asks_for() {
    let lock = r#"{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{
        "":{"name":"app","version":"1.0.0",WORKSPACES"dependencies":{"a":"1"}},
        "node_modules/a":{"version":"1.0.0"},
        "node_modules/@s/base":{"resolved":"packages/base","link":true},
        "node_modules/far":{"resolved":"far","link":true},
        "node_modules/user":{"resolved":"packages/user","link":true},
        "far":{"version":"3.0.0"},
        "packages/base":{"name":"@s/base","version":"1.0.0"},
        "packages/user":{"version":"2.0.0","dependencies":{"@s/base":"^1","far":"file:../../far"}}}}"#;
    let (base, far, user) = ("pkg:npm/%40s/base@1.0.0", "pkg:npm/far@3.0.0", "pkg:npm/user@2.0.0");
    for (workspaces, needs) in [
        (r#""workspaces":["packages/*"],"#, vec![base, "pkg:npm/a@1.0.0", user]),
        (r#""workspaces":{"packages":["packages/*"]},"#, vec![base, "pkg:npm/a@1.0.0", user]),
        // folders in a tree without a workspace are the product's only if nothing else needs them
        ("", vec!["pkg:npm/a@1.0.0", user]),
    ] {
        let bom = generate(tree(&[("package-lock.json", &lock.replace("WORKSPACES", workspaces))]).path(), None);
        assert_sound(&bom, workspaces);
        let edges: BTreeMap<_, Vec<_>> =
            bom.dependencies.iter().map(|d| (&*d.component, d.depends_on.iter().map(|d| &**d).collect())).collect();
        assert_eq!(edges["pkg:npm/app@1.0.0"], needs, "{workspaces}");
        assert_eq!(edges[user], [base, far], "{workspaces}");
    }
}

#[test]
fn absurd_sizes_are_refused_before_they_are_read() {
    let dir = tree(&[("Cargo.lock", "")]);
    let file = std::fs::File::create(dir.path().join("Cargo.lock")).unwrap();
    file.set_len(sealwright::limits::DOCUMENT_BYTES + 1).unwrap();
    assert_eq!(refusal(dir.path(), &GenerateOptions::default()), "LIMIT_EXCEEDED");
    let deep = tree(&[(&format!("{}Cargo.lock", "d/".repeat(80)), LOCK)]);
    assert_eq!(refusal(deep.path(), &GenerateOptions::default()), "LIMIT_EXCEEDED");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let elsewhere = tree(&[("Cargo.lock", LOCK)]);
    let dir = tree(&[("README.md", "")]);
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("folder")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
    assert_eq!(refusal(dir.path(), &GenerateOptions::default()), "NOT_FOUND");
}

#[test]
fn a_tree_without_a_lock_file_is_told_what_is_read() {
    let dir = tree(&[("README.md", "")]);
    let e = sbom::generate(dir.path(), &GenerateOptions::default()).unwrap_err();
    assert_eq!(e.code(), "NOT_FOUND");
    assert!(e.message().contains("Cargo.lock") && e.message().contains("package-lock.json"), "{e}");
    assert_eq!(refusal(&dir.path().join("gone"), &GenerateOptions::default()), "NOT_FOUND");
}

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"dep\",\n]\n\n\
    [[package]]\nname = \"dep\"\nversion = \"0.1.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
    checksum = \"0011223344556677889900112233445566778899001122334455667788990011\"\n";

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

fn generate(root: &Path, name: Option<&str>) -> Sbom {
    let mut options = GenerateOptions::default();
    options.name = name.map(str::to_owned);
    sbom::generate(root, &options).unwrap_or_else(|e| panic!("{}: {e:?}", root.display()))
}

fn refusal(root: &Path, options: &GenerateOptions) -> &'static str {
    sbom::generate(root, options).map_or_else(|e| e.code(), |_| "accepted")
}

/// Valid by schema and beyond, every component in the graph, and no cycle of the product to itself.
fn assert_sound(bom: &Sbom, what: &str) {
    assert_eq!(sbom::validate(&bom.to_json().unwrap()).unwrap(), [], "{what}");
    assert_eq!(bom.dependencies.len(), bom.components.len() + 1, "{what}");
}

/// `name version` of each package, the product too.
fn packages(bom: &Sbom) -> BTreeSet<String> {
    let all = bom.components.iter().chain([&bom.metadata.component]);
    all.map(|c| {
        let group = c.group.as_ref().map(|g| format!("{g}/")).unwrap_or_default();
        format!("{group}{} {}", c.name, c.version.as_deref().unwrap_or_default())
    })
    .collect()
}

/// Read line by line, apart from the code under test.
fn cargo_packages(lock: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(lock).unwrap();
    let value = |block: &str, key: &str| {
        let line = block.lines().find(|l| l.starts_with(&format!("{key} = \""))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    text.split("[[package]]").skip(1).map(|b| format!("{} {}", value(b, "name"), value(b, "version"))).collect()
}

/// Of either part of a lock file, apart from the code under test.
fn npm_packages(lock: &Path) -> BTreeSet<String> {
    let lock: Value = serde_json::from_slice(&std::fs::read(lock).unwrap()).unwrap();
    let mut found = BTreeSet::new();
    if let Some(packages) = lock["packages"].as_object() {
        for (folder, package) in packages.iter().filter(|(f, p)| f.contains("node_modules/") && p["link"].is_null()) {
            let name = package["name"].as_str().unwrap_or(folder.rsplit("node_modules/").next().unwrap());
            found.insert(format!("{name} {}", package["version"].as_str().unwrap_or_default()));
        }
        return found;
    }
    let mut open = vec![&lock["dependencies"]];
    while let Some(level) = open.pop() {
        for (name, package) in level.as_object().into_iter().flatten() {
            found.insert(format!("{name} {}", package["version"].as_str().unwrap()));
            open.push(&package["dependencies"]);
        }
    }
    found
}

/// The folders below `dir` that hold a lock file this library reads.
fn projects(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        if ["Cargo.lock", "package-lock.json"].iter().any(|name| folder.join(name).is_file()) {
            found.push(folder.clone());
        }
        open.extend(std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
    }
    found.sort();
    found
}
