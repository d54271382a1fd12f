//! BOMs of the lock files of Yarn and Bun (systems rows 23, 25).

mod js;

use self::js::*;

#[test]
fn version_1_of_yarn_takes_projects_and_scopes_from_their_manifests() {
    let dir = workspace("yarn.lock", YARN_1);
    std::fs::write(dir.path().join("packages/lib/package.json"), LIB).unwrap();
    std::fs::create_dir_all(dir.path().join("packages/other")).unwrap();
    std::fs::write(dir.path().join("packages/other/package.json"), r#"{"name":"other","version":"1.2.0"}"#).unwrap();
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "yarn 1");
    let (app, lib, local, other) =
        ("pkg:npm/app@1.0.0", "pkg:npm/lib@2.0.0", "pkg:npm/local@0.1.0", "pkg:npm/other@1.2.0");
    let g = "pkg:npm/%40s/g@3.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fs%2Fg.git%400123abcd";
    let h = "pkg:npm/h@1.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fs%2Fh.git%404567abcd";
    let o = "pkg:npm/o@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fnpm";
    let t = "pkg:npm/t@4.0.0?download_url=https:%2F%2Fx.example%2Ft.tgz";
    let (a, b, d, e) = ("pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/d@1.0.0", "pkg:npm/e@7.0.0");
    let r = "pkg:npm/r@18.0.0";
    let edges = edges(&bom);
    // the members that no other project needs are part of the product
    assert_eq!(edges[app], [a, d, lib, o]);
    assert_eq!(edges[lib], [g, a, d, h, local, other, t]);
    assert_eq!(edges[a], [b, r]);
    assert_eq!(edges[d], [b, e, o]);
    assert_eq!(edges[local], [r]);
    assert_eq!(edges.len(), 13);
    let scopes = scopes(&bom);
    for (purl, scope) in [(d, "excluded"), (e, "excluded"), (o, "optional"), (b, "required"), (lib, "required")] {
        assert_eq!(scopes[purl], scope, "{purl}");
    }
    for (purl, hashes) in [(a, 1), (b, 1), (o, 1), (r, 1), (t, 1), (d, 1), (e, 0), (g, 0), (h, 0), (local, 0)] {
        assert_eq!(hashes_of(&bom, purl), vec![format!("SHA-1 {SHA_1}"); hashes], "{purl}");
    }
    assert!(!String::from_utf8(bom.to_json().unwrap()).unwrap().contains("s3cret"));
}

#[test]
fn version_1_of_yarn_without_a_manifest_needs_what_nothing_else_needs() {
    let dir = tree(&[("yarn.lock", YARN_1)]);
    let bom = generate(dir.path(), Some("product"));
    assert_sound(&bom, "no manifest");
    let direct: Vec<_> = edges(&bom)["product"].iter().map(|purl| purl[..12].to_owned()).collect();
    assert_eq!(
        direct,
        ["pkg:npm/%40s", "pkg:npm/a@1.", "pkg:npm/d@1.", "pkg:npm/h@1.", "pkg:npm/loca", "pkg:npm/t@4."]
    );
    assert!(scopes(&bom).values().filter(|scope| *scope == "required").count() >= 9);
}

#[test]
fn resolutions_of_a_manifest_say_what_a_dependency_means() {
    let one = "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n\nb@2.0.0:\n  version \"2.0.0\"\n\nb@3.0.0:\n  version \"3.0.0\"\n";
    let later = "__metadata:\n  version: 6\n  cacheKey: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: ^1\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a: ^1\n\n\"b@npm:2.0.0\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n\n\"b@npm:3.0.0\":\n  version: 3.0.0\n  resolution: \"b@npm:3.0.0\"\n";
    for lock in [one, later] {
        for path in ["b", "a/b", "**/b"] {
            let manifest =
                format!(r#"{{"name":"app","dependencies":{{"a":"^1"}},"resolutions":{{"{path}":"2.0.0"}}}}"#);
            let dir = tree(&[("yarn.lock", lock), ("package.json", &manifest)]);
            let bom = generate(dir.path(), None);
            assert_eq!(edges(&bom)["pkg:npm/a@1.0.0"], ["pkg:npm/b@2.0.0"], "{path}");
        }
        // without it the range has nothing that it means
        let dir = tree(&[("yarn.lock", lock), ("package.json", r#"{"name":"app","dependencies":{"a":"^1"}}"#)]);
        assert_eq!(refusal(dir.path()), "MALFORMED");
    }
}

#[test]
fn later_versions_of_yarn_give_exact_edges_and_no_hash_of_their_own_cache() {
    let eight = YARN_8.to_owned();
    // before version 8 ranges of the registry were without a protocol
    let six = eight.replace("version: 8", "version: 6").replace("10c0/", "8/").replace(": \"npm:b@", ": \"npm;b@");
    let six =
        six.replace("    r: \"npm:*\"", "    r: \"*\"").replace(": \"npm:", ": \"").replace("\"npm;b@", "\"npm:b@");
    let four = six.replace("version: 6", "version: 4").replace("#~/.yarn", "#.yarn");
    for lock in [&eight, &six, &four, &eight.replace("version: 8", "version: 10")] {
        let dir = workspace("yarn.lock", lock);
        std::fs::write(dir.path().join(".yarnrc.yml"), "nodeLinker: node-modules\ncatalog:\n  ts: ^5\n").unwrap();
        std::fs::write(dir.path().join("package.json"), ROOT.replace(r#""d":"^1""#, r#""d":"^1","ts":"catalog:""#))
            .unwrap();
        let bom = generate(dir.path(), None);
        assert_sound(&bom, lock);
        let (app, lib, local) = ("pkg:npm/app@1.0.0", "pkg:npm/lib@2.0.0", "pkg:npm/local@0.1.0");
        let g = "pkg:npm/%40s/g@3.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fs%2Fg.git%400123abcd";
        let o = "pkg:npm/o@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fnpm";
        let t = "pkg:npm/t@4.0.0?download_url=https:%2F%2Fx.example%2Ft.tgz";
        let (a, b, d, p) = ("pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/d@1.0.0", "pkg:npm/p@1.0.0");
        let (r, ts, linked) = ("pkg:npm/r@18.0.0", "pkg:npm/ts@5.0.0", "pkg:npm/linked");
        let edges = edges(&bom);
        assert_eq!(edges[app], [a, d, lib, o, ts], "{lock}");
        assert_eq!(edges[lib], [g, a, linked, local, p, t]);
        assert_eq!(edges[a], [b, r]);
        assert_eq!(edges[d], [b, o, ts]);
        assert_eq!(edges[local], [r]);
        assert_eq!(edges.len(), 13);
        let scopes = scopes(&bom);
        for (purl, scope) in [(d, "excluded"), (ts, "excluded"), (o, "optional"), (b, "required"), (p, "required")] {
            assert_eq!(scopes[purl], scope, "{purl}");
        }
        assert!(bom.components.iter().all(|c| c.hashes.is_empty()));
        assert!(!String::from_utf8(bom.to_json().unwrap()).unwrap().contains("s3cret"));
    }
}

#[test]
fn lock_files_of_yarn_that_cannot_be_trusted_whole_are_refused() {
    let one = |from: &str, to: &str| {
        let from = from.replace("INTEGRITY", INTEGRITY);
        assert!(YARN_1.contains(&from), "{from}");
        YARN_1.replacen(&from, to, 1)
    };
    let eight = |from: &str, to: &str| {
        assert!(YARN_8.contains(from), "{from}");
        YARN_8.replacen(from, to, 1)
    };
    for (lock, code) in [
        ("", "MALFORMED"),
        ("\n# a comment\n", "MALFORMED"),
        ("{}", "MALFORMED"),
        (&*one("lockfile v1", "lockfile v2"), "UNSUPPORTED"),
        (&*one("d@^1:", "d@^2:"), "MALFORMED"),
        (&*one("d@^1:", "a@^1:"), "MALFORMED"),
        (&*one("b \"^2.0.0\"", "b \"^3.0.0\""), "MALFORMED"),
        (&*one("  version \"1.0.0\"\n", ""), "MALFORMED"),
        (&*one("  version \"1.0.0\"\n", "  version \"\"\n"), "MALFORMED"),
        (&*one("  version \"1.0.0\"\n", "  version \"1 0\"\n"), "MALFORMED"),
        (&*one("  version \"1.0.0\"\n", " version \"1.0.0\"\n"), "MALFORMED"),
        (&*one("integrity INTEGRITY", "integrity sha512-short"), "MALFORMED"),
        (&*one("#e50347611d7e", "#000000000000"), "MALFORMED"),
        (&*one("  resolved \"https://x.example/t.tgz", "  # \"https://x.example/t.tgz"), "MALFORMED"),
        (&*one("git+ssh://git@github.com/s/g.git#0123abcd", "git+ssh://git@github.com/s/g.git"), "MALFORMED"),
        (&*one("a@^1, \"a@>=1 <3\"", "a@^1, \"x@>=1 <3\""), "MALFORMED"),
        (&*format!("{YARN_1}>>>>>>> theirs\n"), "MALFORMED"),
        ("__metadata:\n", "UNSUPPORTED"),
        ("__metadata:\n  version: 8\n", "MALFORMED"),
        (&*eight("version: 8", "version: 3"), "UNSUPPORTED"),
        (&*eight("version: 8", "version: 11"), "UNSUPPORTED"),
        (&*eight("version: 8", "version: eight"), "UNSUPPORTED"),
        (&*eight("  resolution: \"app@workspace:.\"", "  resolution: \"app@workspace:x\""), "MALFORMED"),
        (&*eight("  resolution: \"d@npm:1.0.0\"\n", ""), "MALFORMED"),
        (&*eight("d@npm:1.0.0", "d@plugin:1.0.0"), "UNSUPPORTED"),
        (&*eight("d@npm:1.0.0", "d@npm:"), "MALFORMED"),
        (&*eight("\"d@npm:^1\"", "\"d@npm:^1, d@npm:^1\""), "MALFORMED"),
        (&*eight("\"d@npm:^1\"", "\"d@npm:^1,\""), "MALFORMED"),
        (&*eight("\"d@npm:^1\"", "\"d@npm:^2\""), "MALFORMED"),
        (&*eight("    b: \"npm:^2.0.0\"", "    b: \"npm:^3.0.0\""), "MALFORMED"),
        (&*eight("    b: \"npm:^2.0.0\"", "    b: *b"), "MALFORMED"),
        (&*eight("  languageName: node\n", "  languageName: node\n  languageName: node\n"), "MALFORMED"),
    ] {
        let dir = workspace("yarn.lock", lock);
        std::fs::write(dir.path().join(".yarnrc.yml"), "catalog:\n  ts: ^5\n").unwrap();
        assert_eq!(refusal(dir.path()), code, "{lock}");
    }
    let dir = workspace("yarn.lock", YARN_8);
    assert_eq!(refusal(dir.path()), "MALFORMED", "a catalog that no settings have");
    std::fs::write(dir.path().join(".yarnrc.yml"), "catalog: [").unwrap();
    assert_eq!(refusal(dir.path()), "MALFORMED");
}

const BUN: &str = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": { "a": "^1", "lib": "workspace:*", },
      "devDependencies": { "d": "^1", },
      "optionalDependencies": { "o": "^1", },
    },
    "packages/lib": {
      "name": "lib",
      "version": "2.0.0",
      "dependencies": { "@s/g": "github:s/g", "a": "^2", "alias": "npm:b@^2", "t": "https://x.example/t.tgz", },
    },
  },
  "trustedDependencies": ["a",],
  "packages": {
    "@s/g": ["@s/g@github:s/g#0123abc", { "dependencies": { "r": "*" } }, "s-g-0123abc"],

    "a": ["a@1.0.0", "", { "peerDependencies": { "gone": "*", "r": "*" }, "optionalPeers": ["gone"] }, "INTEGRITY"],

    "alias": ["b@2.0.0", "", {}, "INTEGRITY"],

    "b": ["b@2.0.0", "", {}, "INTEGRITY"],

    "d": ["d@1.0.0", "", { "dependencies": { "b": "^2", "r": "^17" }, "optionalDependencies": { "o": "^1" } }, "INTEGRITY"],

    "lib": ["lib@workspace:packages/lib"],

    "o": ["o@1.0.0", "https://npm.corp.example/npm/", { "os": "darwin" }, "INTEGRITY"],

    "r": ["r@18.0.0", "", {}, "INTEGRITY"],

    "t": ["t@https://x.example/t.tgz", {}, "INTEGRITY"],

    "d/r": ["r@17.0.0", "", {}, "INTEGRITY"],

    "lib/a": ["a@2.0.0", "", {}, "INTEGRITY"],
  }
}
"#;

#[test]
fn bun_gives_the_package_that_is_nearest_on_the_way() {
    let dir = workspace("bun.lock", BUN);
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "bun");
    let (app, lib) = ("pkg:npm/app@1.0.0", "pkg:npm/lib@2.0.0");
    let g = "pkg:npm/%40s/g?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fs%2Fg%400123abc";
    let o = "pkg:npm/o@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fnpm";
    let t = "pkg:npm/t?download_url=https:%2F%2Fx.example%2Ft.tgz";
    let (a1, a2, b, d) = ("pkg:npm/a@1.0.0", "pkg:npm/a@2.0.0", "pkg:npm/b@2.0.0", "pkg:npm/d@1.0.0");
    let (r17, r18) = ("pkg:npm/r@17.0.0", "pkg:npm/r@18.0.0");
    let edges = edges(&bom);
    assert_eq!(edges[app], [a1, d, lib, o]);
    assert_eq!(edges[lib], [g, a2, b, t]);
    assert_eq!(edges[a1], [r18]);
    assert_eq!(edges[g], [r18]);
    assert_eq!(edges[d], [b, o, r17]);
    assert_eq!(edges.len(), 11);
    let scopes = scopes(&bom);
    for (purl, scope) in [(d, "excluded"), (r17, "excluded"), (o, "optional"), (b, "required"), (r18, "required")] {
        assert_eq!(scopes[purl], scope, "{purl}");
    }
    for (purl, hashes) in [(a1, 1), (b, 1), (o, 1), (t, 1), (g, 0), (lib, 0)] {
        assert_eq!(hashes_of(&bom, purl), vec![format!("SHA-1 {SHA_1}"); hashes], "{purl}");
    }
}

#[test]
fn lock_files_of_bun_that_cannot_be_trusted_whole_are_refused() {
    let bun = |from: &str, to: &str| {
        assert!(BUN.contains(from), "{from}");
        BUN.replacen(from, to, 1)
    };
    let deep = "a/".repeat(5_000);
    for (lock, code) in [
        ("", "MALFORMED"),
        ("{}", "UNSUPPORTED"),
        (&BUN[..BUN.len() / 2], "MALFORMED"),
        (&*bun("\"lockfileVersion\": 1", "\"lockfileVersion\": 2"), "UNSUPPORTED"),
        (&*bun("\"lockfileVersion\": 1", "\"lockfileVersion\": \"1\""), "UNSUPPORTED"),
        (&*bun("    \"\": {", "    \"x\": {"), "MALFORMED"),
        (&*bun("    \"d\": [", "    \"x\": ["), "MALFORMED"),
        (&*bun("    \"d\": [", &format!("    \"{deep}d\": [")), "MALFORMED"),
        (&*bun("    \"d\": [", "    \"a\": ["), "MALFORMED"),
        (&*bun("\"d@1.0.0\"", "\"d\""), "MALFORMED"),
        (&*bun("\"d@1.0.0\"", "\"d@1 0\""), "MALFORMED"),
        (&*bun("\"d@1.0.0\"", "1"), "MALFORMED"),
        (&*bun("INTEGRITY", "sha512-short"), "MALFORMED"),
        (&*bun("workspace:packages/lib\"]", "workspace:packages/gone\"]"), "MALFORMED"),
        (&*bun("{ \"b\": \"^2\"", "{ \"b\": 2"), "MALFORMED"),
        (&*bun("\"trustedDependencies\": [\"a\",]", "\"trustedDependencies\": [\"a\",,]"), "MALFORMED"),
    ] {
        let dir = workspace("bun.lock", lock);
        assert_eq!(refusal(dir.path()), code, "{lock}");
    }
}
