//! BOMs of the lock files of pnpm (systems rows 23, 25).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod js;

use regex::Regex;
use sealwright::json::Value;

use self::js::*;

/// Version 5 from version 6, which differ in the form of keys and of what was asked for.
fn pnpm_5(version: &str) -> String {
    let text = PNPM_6.replace("'6.0'", version).replace("(patch_hash=0123abcd)(@s/q@1.0.0)", "_@s+q@1.0.0");
    let text = Regex::new(r"\(r@(\d+\.0\.0)\)").unwrap().replace_all(&text, "_r@$1").into_owned();
    let text = Regex::new(r"(/[@/a-z]+)@(\d\S*)").unwrap().replace_all(&text, "$1/$2").into_owned();
    Regex::new(r"\n        specifier: \S+\n        version: ").unwrap().replace_all(&text, " ").into_owned()
}

#[test]
fn each_version_of_pnpm_gives_the_same_packages_scopes_and_edges() {
    let five = ["5.0", "5.1", "5.2", "5.3", "5.4", "5.4-inlineSpecifiers"].map(pnpm_5);
    assert!(five[0].contains("/@s/q/1.0.0_r@17.0.0:") && five[0].contains("      alias: /b/2.0.0\n"), "{}", five[0]);
    for lock in [PNPM_9, PNPM_6].into_iter().chain(five.iter().map(String::as_str)) {
        let dir = workspace("pnpm-lock.yaml", lock);
        let bom = generate(dir.path(), None);
        assert_sound(&bom, lock);
        let (app, lib, local) = ("pkg:npm/app@1.0.0", "pkg:npm/lib@2.0.0", "pkg:npm/local@0.1.0");
        let g = "pkg:npm/%40s/g@3.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fs%2Fg.git%400123abcd";
        let o = "pkg:npm/o@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fnpm";
        let t = "pkg:npm/t@4.0.0?download_url=https:%2F%2Fx.example%2Ft.tgz";
        let (a, b, d) = ("pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/d@1.0.0");
        let (p, q, z) = ("pkg:npm/p@1.0.0", "pkg:npm/%40s/q@1.0.0", "pkg:npm/z@5.0.0");
        let (r17, r18, outside) = ("pkg:npm/r@17.0.0", "pkg:npm/r@18.0.0", "pkg:npm/outside");
        let edges = edges(&bom);
        assert_eq!(edges[app], [a, d, lib, o], "{lock}");
        assert_eq!(edges[lib], [g, a, b, local, outside, p, t, z], "{lock}");
        assert_eq!(edges[local], [lib, r17]);
        // both copies, each with its own peer, are one package
        assert_eq!(edges[a], [b, r17, r18]);
        assert_eq!(edges[p], [q]);
        assert_eq!(edges[q], [r17]);
        assert_eq!(edges[d], [b, o]);
        assert_eq!(edges.len(), 15);
        let scopes = scopes(&bom);
        for (purl, scope) in [(d, "excluded"), (o, "optional"), (b, "required"), (outside, "required"), (z, "required")]
        {
            assert_eq!(scopes[purl], scope, "{purl}");
        }
        for (purl, hashes) in [(a, 1), (o, 1), (t, 1), (z, 1), (g, 0), (lib, 0), (local, 0)] {
            assert_eq!(hashes_of(&bom, purl), vec![format!("SHA-1 {SHA_1}"); hashes], "{purl}");
        }
        let json: Value = serde_json::from_slice(&bom.to_json().unwrap()).unwrap();
        assert_eq!(json["metadata"]["component"]["licenses"][0]["license"]["id"], "MIT");
        let lib = json["components"].as_array().unwrap().iter().find(|c| c["name"] == "lib").unwrap();
        assert_eq!(lib["licenses"][0]["license"]["id"], "Zlib");
    }
}

#[test]
fn what_pnpm_itself_is_made_of_counts_as_development() {
    let env = "---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    configDependencies:\n      hooks:\n        \
               specifier: 1.0.0\n        version: 1.0.0\n    packageManagerDependencies:\n      pnpm:\n        \
               specifier: 11.0.0\n        version: 11.0.0\n\npackages:\n\n  hooks@1.0.0:\n    resolution: {integrity: \
               INTEGRITY}\n\n  pnpm@11.0.0:\n    resolution: {integrity: INTEGRITY}\n\nsnapshots:\n\n  hooks@1.0.0: \
               {}\n\n  pnpm@11.0.0: {}\n\n---\n";
    let dir = workspace("pnpm-lock.yaml", &format!("{env}{PNPM_9}"));
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "two documents");
    let app = &edges(&bom)["pkg:npm/app@1.0.0"];
    for purl in ["pkg:npm/hooks@1.0.0", "pkg:npm/pnpm@11.0.0"] {
        assert!(app.contains(&purl.to_owned()));
        assert_eq!(scopes(&bom)[purl], "excluded");
    }
}

#[test]
fn a_runtime_is_no_package_of_a_registry_and_a_named_registry_is_told_by_its_address() {
    let lock = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      node:\n        specifier: \
                runtime:22\n        version: runtime:22.0.0\n      w:\n        specifier: work:^1\n        version: \
                work:1.0.0\n      h:\n        specifier: gh:^1\n        version: gh:1.0.0\npackages:\n  \
                node@runtime:22.0.0:\n    resolution:\n      type: variations\n      variants:\n        - resolution:\n            \
                integrity: sha256-x\n            type: binary\n            url: https://nodejs.org/x.tar.gz\n          \
                targets:\n            - cpu: x64\n    version: 22.0.0\n  w@work:1.0.0:\n    resolution: {integrity: \
                INTEGRITY}\n  h@gh:1.0.0:\n    resolution: {integrity: INTEGRITY}\nsnapshots:\n  node@runtime:22.0.0: \
                {}\n  w@work:1.0.0: {}\n  h@gh:1.0.0: {}\n";
    let settings = ("pnpm-workspace.yaml", "packages: []\nnamedRegistries:\n  work: https://npm.corp.example/x/\n");
    let dir = tree(&[("pnpm-lock.yaml", lock), ("package.json", ROOT), settings]);
    let bom = generate(dir.path(), None);
    assert_sound(&bom, "registries");
    assert_eq!(
        edges(&bom)["pkg:npm/app@1.0.0"],
        [
            "pkg:generic/node@22.0.0",
            "pkg:npm/h@1.0.0?repository_url=https:%2F%2Fnpm.pkg.github.com",
            "pkg:npm/w@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fx",
        ]
    );
    let dir = tree(&[("pnpm-lock.yaml", lock), ("package.json", ROOT)]);
    assert_eq!(refusal(dir.path()), "MALFORMED");
}

#[test]
fn a_registry_in_the_key_of_older_versions_is_told() {
    let lock = "lockfileVersion: 5.4\ndependencies:\n  '@s/a': npm.corp.example/@s/a/1.0.0\npackages:\n  \
                npm.corp.example/@s/a/1.0.0:\n    resolution: {integrity: INTEGRITY}\n    dependencies:\n      b: \
                npm.corp.example/b/1.0.0_c@1.0.0\n    dev: false\n  npm.corp.example/b/1.0.0_c@1.0.0:\n    resolution: \
                {integrity: INTEGRITY, registry: 'https://npm.corp.example/x/'}\n";
    let dir = tree(&[("pnpm-lock.yaml", lock), ("package.json", ROOT)]);
    let bom = generate(dir.path(), None);
    let purls: Vec<_> = bom.components.iter().filter_map(|c| c.purl.as_deref()).collect();
    assert_eq!(
        purls,
        [
            "pkg:npm/%40s/a@1.0.0?repository_url=https:%2F%2Fnpm.corp.example",
            "pkg:npm/b@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2Fx",
        ]
    );
}

#[test]
fn lock_files_of_pnpm_that_cannot_be_trusted_whole_are_refused() {
    let nine = |from: &str, to: &str| {
        let (from, to) = (from.replace("INTEGRITY", INTEGRITY), to.replace("INTEGRITY", INTEGRITY));
        assert!(PNPM_9.contains(&from), "{from}");
        PNPM_9.replacen(&from, &to, 1)
    };
    let deep = format!("lockfileVersion: '9.0'\nx: {}", "[".repeat(100_000));
    let bomb = "lockfileVersion: '9.0'\nx: &a [1,1]\ny: &b [*a,*a]\nz: &c [*b,*b]\n";
    for (lock, code) in [
        ("", "MALFORMED"),
        ("\n", "MALFORMED"),
        ("{}", "MALFORMED"),
        ("lockfileVersion: '9.0", "MALFORMED"),
        ("- lockfileVersion: '9.0'\n", "MALFORMED"),
        ("lockfileVersion: [9]\n", "MALFORMED"),
        (&*nine("'9.0'", "'10.0'"), "UNSUPPORTED"),
        (&*nine("'9.0'", "4"), "UNSUPPORTED"),
        (&*nine("'9.0'", "5.5"), "UNSUPPORTED"),
        (&*nine("'9.0'", "'9.0'\nimporters: 3"), "MALFORMED"),
        ("lockfileVersion: '12.0'\nimporters: []\n", "UNSUPPORTED"),
        (&*deep, "MALFORMED"),
        (bomb, "MALFORMED"),
        (&*format!("{PNPM_9}---\nlockfileVersion: '9.0'\n---\nlockfileVersion: '9.0'\n"), "MALFORMED"),
        (&*nine("\n  r@18.0.0:\n", "\n  r@17.0.0:\n"), "MALFORMED"),
        (&*nine("\n  r@18.0.0: {}\n", "\n"), "MALFORMED"),
        (&*nine("version: b@2.0.0", "version: b@2.0.1"), "MALFORMED"),
        (&*nine("      b: 2.0.0", "      b: [2.0.0]"), "MALFORMED"),
        (&*nine("  b@2.0.0:\n    resolution: {integrity: INTEGRITY}\n", "  b@2.0.0:\n"), "MALFORMED"),
        (
            &*nine(
                "  b@2.0.0:\n    resolution: {integrity: INTEGRITY}\n",
                "  b@2.0.0:\n    resolution: {integrity: sha512-short}\n",
            ),
            "MALFORMED",
        ),
        (&*nine("commit: 0123abcd, ", ""), "MALFORMED"),
        (&*nine("{directory: packages/local, type: directory}", "{type: 'custom:cdn'}"), "UNSUPPORTED"),
        (&*nine("version: 3.0.0", "version: ''"), "MALFORMED"),
        (&*nine("version: 3.0.0", "version: '3 0'"), "MALFORMED"),
        (&*PNPM_9.replace("d@1.0.0", "'../d@1.0.0'"), "MALFORMED"),
        (&*PNPM_6.replace("/d@1.0.0", "/d"), "MALFORMED"),
        (&*PNPM_6.replace("    name: t\n", ""), "MALFORMED"),
        (&*format!("<<<<<<< ours\n{PNPM_9}"), "MALFORMED"),
    ] {
        let dir = workspace("pnpm-lock.yaml", lock);
        assert_eq!(refusal(dir.path()), code, "{}", &lock[..lock.len().min(3000)]);
    }
    let dir = workspace("pnpm-lock.yaml", PNPM_9);
    for manifest in ["", "[]", r#"{"name":1}"#, r#"{"dependencies":{"a":1}}"#] {
        std::fs::write(dir.path().join("packages/lib/package.json"), manifest).unwrap();
        assert_eq!(refusal(dir.path()), "MALFORMED", "{manifest}");
    }
}

#[test]
fn no_manifest_outside_of_the_tree_is_read() {
    let outer = tree(&[("package.json", r#"{"name":"outside","version":"6.6.6"}"#), ("in/package.json", ROOT)]);
    let lock =
        "lockfileVersion: 5.4\nimporters:\n  .:\n    dependencies:\n      x: link:../\n  ..:\n    dependencies: {}\n";
    std::fs::write(outer.path().join("in/pnpm-lock.yaml"), lock).unwrap();
    let json = generate(&outer.path().join("in"), None).to_json().unwrap();
    assert!(!String::from_utf8(json).unwrap().contains("6.6.6"));
    // from further above, that folder is part of the tree
    let json = generate(outer.path(), Some("app")).to_json().unwrap();
    assert!(String::from_utf8(json).unwrap().contains("6.6.6"));
}
