//! BOMs of the lock files of pnpm and Yarn (systems rows 22, 23, 25).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests"
)]

mod corpora;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use regex::Regex;
use sealwright::json::Value;
use sealwright::sbom::{self, GenerateOptions, Sbom};

use self::corpora::corpora;

/// The integrity of every package here, and the hash it stands for.
const INTEGRITY: &str = "sha1-5QNHYR1+aQlDIIu9r+vLwvuGbUY=";
const SHA_1: &str = "e50347611d7e690943208bbdafebcbc2fb866d46";

const ROOT: &str = r#"{"name":"app","version":"1.0.0","license":"MIT","workspaces":["packages/*"],
    "dependencies":{"a":"^1"},"devDependencies":{"d":"^1"},"optionalDependencies":{"o":"^1"}}"#;

/// A workspace with everything that version 9 has; below, the same as older versions wrote it.
const PNPM_9: &str = r#"lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

catalogs:
  default:
    a:
      specifier: ^1
      version: 1.0.0

overrides:
  x: 1.0.0

patchedDependencies:
  p@1.0.0:
    hash: 0123abcd
    path: patches/p.patch

importers:

  .:
    dependencies:
      a:
        specifier: 'catalog:'
        version: 1.0.0(r@18.0.0)
      lib:
        specifier: workspace:*
        version: link:packages/lib
    optionalDependencies:
      o:
        specifier: ^1
        version: 1.0.0
    devDependencies:
      d:
        specifier: ^1
        version: 1.0.0

  packages/lib:
    dependencies:
      '@s/g':
        specifier: git+ssh://git@github.com/s/g.git
        version: git+https://git@github.com:s/g.git#0123abcd
      a:
        specifier: ^1
        version: 1.0.0(r@17.0.0)
      alias:
        specifier: npm:b@^2
        version: b@2.0.0
      local:
        specifier: file:../local
        version: file:packages/local(r@17.0.0)
      outside:
        specifier: link:../../../outside
        version: link:../../../outside
      p:
        specifier: ^1
        version: 1.0.0(patch_hash=0123abcd)(@s/q@1.0.0(r@17.0.0))
      t:
        specifier: https://x.example/t.tgz
        version: https://x.example/t.tgz
      z:
        specifier: file:z.tgz
        version: file:packages/lib/z.tgz

packages:

  '@s/g@git+https://git@github.com:s/g.git#0123abcd':
    resolution: {commit: 0123abcd, repo: git@github.com:s/g.git, type: git}
    version: 3.0.0

  '@s/q@1.0.0':
    resolution: {integrity: INTEGRITY}
    peerDependencies:
      r: '*'

  a@1.0.0:
    resolution: {integrity: INTEGRITY}
    engines: {node: '>=10'}
    peerDependencies:
      r: '>=17'

  b@2.0.0:
    resolution: {integrity: INTEGRITY}
    deprecated: |-
      do not use: it is old
      - really

  d@1.0.0:
    resolution: {integrity: INTEGRITY}
    hasBin: true

  local@file:packages/local:
    resolution: {directory: packages/local, type: directory}

  o@1.0.0:
    resolution: {integrity: INTEGRITY, tarball: https://npm.corp.example/npm/o/-/o-1.0.0.tgz}
    os: [darwin]

  p@1.0.0:
    resolution: {integrity: INTEGRITY}

  r@17.0.0:
    resolution: {integrity: INTEGRITY}

  r@18.0.0:
    resolution: {integrity: INTEGRITY}

  t@https://x.example/t.tgz:
    resolution: {integrity: INTEGRITY, tarball: https://x.example/t.tgz}
    version: 4.0.0

  z@file:packages/lib/z.tgz:
    resolution: {integrity: INTEGRITY, tarball: file:packages/lib/z.tgz}
    version: 5.0.0

snapshots:

  '@s/g@git+https://git@github.com:s/g.git#0123abcd': {}

  '@s/q@1.0.0(r@17.0.0)':
    dependencies:
      r: 17.0.0

  a@1.0.0(r@17.0.0):
    dependencies:
      b: 2.0.0
      r: 17.0.0

  a@1.0.0(r@18.0.0):
    dependencies:
      b: 2.0.0
      r: 18.0.0

  b@2.0.0: {}

  d@1.0.0:
    dependencies:
      b: 2.0.0
    optionalDependencies:
      o: 1.0.0

  local@file:packages/local(r@17.0.0):
    dependencies:
      lib: link:packages/lib
      r: 17.0.0

  o@1.0.0:
    optional: true

  p@1.0.0(patch_hash=0123abcd)(@s/q@1.0.0(r@17.0.0)):
    dependencies:
      '@s/q': 1.0.0(r@17.0.0)

  r@17.0.0: {}

  r@18.0.0: {}

  t@https://x.example/t.tgz: {}

  z@file:packages/lib/z.tgz: {}
"#;

const PNPM_6: &str = r#"lockfileVersion: '6.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      a:
        specifier: ^1
        version: 1.0.0(r@18.0.0)
      lib:
        specifier: workspace:*
        version: link:packages/lib
    optionalDependencies:
      o:
        specifier: ^1
        version: 1.0.0
    devDependencies:
      d:
        specifier: ^1
        version: 1.0.0

  packages/lib:
    dependencies:
      '@s/g':
        specifier: git+ssh://git@github.com/s/g.git
        version: github.com/s/g/0123abcd
      a:
        specifier: ^1
        version: 1.0.0(r@17.0.0)
      alias:
        specifier: npm:b@^2
        version: /b@2.0.0
      local:
        specifier: file:../local
        version: file:packages/local(r@17.0.0)
      outside:
        specifier: link:../../../outside
        version: link:../../../outside
      p:
        specifier: ^1
        version: 1.0.0(patch_hash=0123abcd)(@s/q@1.0.0)
      t:
        specifier: https://x.example/t.tgz
        version: '@x.example/t.tgz'
      z:
        specifier: file:z.tgz
        version: file:packages/lib/z.tgz

packages:

  /@s/q@1.0.0(r@17.0.0):
    resolution: {integrity: INTEGRITY}
    dependencies:
      r: 17.0.0
    dev: false

  /a@1.0.0(r@17.0.0):
    resolution: {integrity: INTEGRITY}
    dependencies:
      b: 2.0.0
      r: 17.0.0
    dev: false

  /a@1.0.0(r@18.0.0):
    resolution: {integrity: INTEGRITY}
    dependencies:
      b: 2.0.0
      r: 18.0.0
    dev: false

  /b@2.0.0:
    resolution: {integrity: INTEGRITY}

  /d@1.0.0:
    resolution: {integrity: INTEGRITY}
    dependencies:
      b: 2.0.0
    optionalDependencies:
      o: 1.0.0
    dev: true

  /o@1.0.0:
    resolution: {integrity: INTEGRITY, tarball: https://npm.corp.example/npm/o/-/o-1.0.0.tgz}
    optional: true

  /p@1.0.0(patch_hash=0123abcd)(@s/q@1.0.0):
    resolution: {integrity: INTEGRITY}
    dependencies:
      '@s/q': 1.0.0(r@17.0.0)
    dev: false
    patched: true

  /r@17.0.0:
    resolution: {integrity: INTEGRITY}
    dev: false

  /r@18.0.0:
    resolution: {integrity: INTEGRITY}
    dev: false

  '@x.example/t.tgz':
    resolution: {integrity: INTEGRITY, tarball: https://x.example/t.tgz}
    name: t
    version: 4.0.0
    dev: false

  file:packages/lib/z.tgz:
    resolution: {integrity: INTEGRITY, tarball: file:packages/lib/z.tgz}
    name: z
    version: 5.0.0
    dev: false

  file:packages/local(r@17.0.0):
    resolution: {directory: packages/local, type: directory}
    id: file:packages/local
    name: local
    dependencies:
      lib: link:packages/lib
      r: 17.0.0
    dev: false

  github.com/s/g/0123abcd:
    resolution: {commit: 0123abcd, repo: git@github.com:s/g.git, type: git}
    name: '@s/g'
    version: 3.0.0
    dev: false
"#;

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
        assert_eq!(edges.len(), 14);
        let scopes = scopes(&bom);
        for (purl, scope) in [(d, "excluded"), (o, "optional"), (b, "required"), (outside, "required"), (z, "required")] {
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
fn a_lock_file_without_packages_is_no_fault() {
    for (name, lock) in [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n"),
        ("pnpm-lock.yaml", "lockfileVersion: 5.4\n\nspecifiers: {}\n"),
        ("yarn.lock", "# yarn lockfile v1\n\n\n"),
        ("yarn.lock", "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n"),
    ] {
        let dir = tree(&[(name, lock), ("package.json", r#"{"name":"app","version":"1.0.0"}"#)]);
        let bom = generate(dir.path(), None);
        assert_sound(&bom, lock);
        assert_eq!(bom.metadata.component.purl.as_deref(), Some("pkg:npm/app@1.0.0"));
        assert!(bom.components.is_empty());
    }
}

const YARN_1: &str = r#"# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.
# yarn lockfile v1


"@s/g@git+ssh://git@github.com/s/g.git#main":
  version "3.0.0"
  resolved "git+ssh://git@github.com/s/g.git#0123abcd"

a@^1, "a@>=1 <3":
  version "1.0.0"
  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#e50347611d7e690943208bbdafebcbc2fb866d46"
  integrity INTEGRITY
  dependencies:
    alias "npm:b@^2"
    r "*"

"alias@npm:b@^2", b@^2.0.0:
  version "2.0.0"
  resolved "https://registry.npmjs.org/b/-/b-2.0.0.tgz#e50347611d7e690943208bbdafebcbc2fb866d46"

d@^1:
  version "1.0.0"
  resolved "https://registry.yarnpkg.com/d/-/d-1.0.0.tgz"
  integrity INTEGRITY
  dependencies:
    b "^2.0.0"
    e ""
  optionalDependencies:
    gone "^1"
    o "^1"

e@:
  version "7.0.0"

"h@https://github.com/s/h.git":
  version "1.0.0"
  resolved "https://github.com/s/h.git#4567abcd"

"local@file:packages/local":
  version "0.1.0"
  dependencies:
    r "*"

o@^1:
  version "1.0.0"
  resolved "https://user:s3cret@npm.corp.example/npm/o/-/o-1.0.0.tgz?token=s3cret#e50347611d7e690943208bbdafebcbc2fb866d46"

r@*, r@^18:
  version "18.0.0"
  resolved "r-18.0.0.tgz#e50347611d7e690943208bbdafebcbc2fb866d46"

"t@https://x.example/t.tgz":
  version "4.0.0"
  resolved "https://x.example/t.tgz#e50347611d7e690943208bbdafebcbc2fb866d46"
"#;

const LIB: &str = r#"{"name":"lib","version":"2.0.0","license":"Zlib","dependencies":{
    "@s/g":"git+ssh://git@github.com/s/g.git#main","a":">=1 <3","h":"https://github.com/s/h.git",
    "local":"file:packages/local","other":"^1.0.0","t":"https://x.example/t.tgz"},"devDependencies":{"d":"^1"}}"#;

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
    assert_eq!(direct, ["pkg:npm/%40s", "pkg:npm/a@1.", "pkg:npm/d@1.", "pkg:npm/h@1.", "pkg:npm/loca", "pkg:npm/t@4."]);
    assert!(scopes(&bom).values().filter(|scope| *scope == "required").count() >= 9);
}

#[test]
fn resolutions_of_a_manifest_say_what_a_dependency_means() {
    let one = "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n\nb@2.0.0:\n  version \"2.0.0\"\n\nb@3.0.0:\n  version \"3.0.0\"\n";
    let later = "__metadata:\n  version: 6\n  cacheKey: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: ^1\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a: ^1\n\n\"b@npm:2.0.0\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n\n\"b@npm:3.0.0\":\n  version: 3.0.0\n  resolution: \"b@npm:3.0.0\"\n";
    for lock in [one, later] {
        for path in ["b", "a/b", "**/b"] {
            let manifest = format!(r#"{{"name":"app","dependencies":{{"a":"^1"}},"resolutions":{{"{path}":"2.0.0"}}}}"#);
            let dir = tree(&[("yarn.lock", lock), ("package.json", &manifest)]);
            let bom = generate(dir.path(), None);
            assert_eq!(edges(&bom)["pkg:npm/a@1.0.0"], ["pkg:npm/b@2.0.0"], "{path}");
        }
        // without it the range has nothing that it means
        let dir = tree(&[("yarn.lock", lock), ("package.json", r#"{"name":"app","dependencies":{"a":"^1"}}"#)]);
        assert_eq!(refusal(dir.path()), "MALFORMED");
    }
}

const YARN_8: &str = r#"# This file is generated by running "yarn install" inside your project.
# Manual changes might be lost - proceed with caution!

__metadata:
  version: 8
  cacheKey: 10c0

"@s/g@git+ssh://git@github.com/s/g.git#main":
  version: 3.0.0
  resolution: "@s/g@ssh://git@github.com/s/g.git#commit=0123abcd"
  checksum: 10c0/CHECKSUM
  languageName: node
  linkType: hard

"a@npm:>=1 <3, a@npm:^1":
  version: 1.0.0
  resolution: "a@npm:1.0.0"
  dependencies:
    alias: "npm:b@^2"
    r: "npm:*"
  peerDependencies:
    peer: "*"
  checksum: 10c0/CHECKSUM
  languageName: node
  linkType: hard

"alias@npm:b@^2, b@npm:^2.0.0":
  version: 2.0.0
  resolution: "b@npm:2.0.0"
  conditions: os=darwin & cpu=arm64
  languageName: node
  linkType: hard

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    a: "npm:^1"
    d: "npm:^1"
    lib: "workspace:*"
    o: "npm:^1"
    ts: "catalog:"
  dependenciesMeta:
    o:
      optional: true
  languageName: unknown
  linkType: soft

"d@npm:^1":
  version: 1.0.0
  resolution: "d@npm:1.0.0"
  dependencies:
    b: "npm:^2.0.0"
    o: "npm:^1"
    ts: "npm:^5"
  dependenciesMeta:
    o:
      optional: true
  bin:
    d: ./bin/d.js
  languageName: node
  linkType: hard

"lib@workspace:*, lib@workspace:packages/lib":
  version: 0.0.0-use.local
  resolution: "lib@workspace:packages/lib"
  dependencies:
    "@s/g": "git+ssh://git@github.com/s/g.git#main"
    a: "npm:>=1 <3"
    linked: "link:../linked"
    local: "file:../local"
    p: "patch:p@npm%3A^1#~/.yarn/patches/p.patch"
    t: "https://x.example/t.tgz"
  languageName: unknown
  linkType: soft

"linked@link:../linked::locator=lib%40workspace%3Apackages%2Flib":
  version: 0.0.0-use.local
  resolution: "linked@link:../linked::locator=lib%40workspace%3Apackages%2Flib"
  languageName: node
  linkType: soft

"local@file:../local::locator=lib%40workspace%3Apackages%2Flib":
  version: 0.1.0
  resolution: "local@file:../local#../local::hash=0123ab&locator=lib%40workspace%3Apackages%2Flib"
  dependencies:
    r: "npm:*"
  languageName: node
  linkType: hard

"o@npm:^1":
  version: 1.0.0
  resolution: "o@npm:1.0.0::__archiveUrl=https%3A%2F%2Fuser%3As3cret%40npm.corp.example%2Fnpm%2Fo%2F-%2Fo-1.0.0.tgz"
  languageName: node
  linkType: hard

"p@npm:^1":
  version: 1.0.0
  resolution: "p@npm:1.0.0"
  checksum: 10c0/CHECKSUM
  languageName: node
  linkType: hard

"p@patch:p@npm%3A^1#~/.yarn/patches/p.patch":
  version: 1.0.0
  resolution: "p@patch:p@npm%3A1.0.0#~/.yarn/patches/p.patch::version=1.0.0&hash=0123ab"
  checksum: 10c0/CHECKSUM
  languageName: node
  linkType: hard

"r@npm:*":
  version: 18.0.0
  resolution: "r@npm:18.0.0"
  languageName: node
  linkType: hard

"t@https://x.example/t.tgz":
  version: 4.0.0
  resolution: "t@https://x.example/t.tgz"
  languageName: node
  linkType: hard

"ts@npm:^5":
  version: 5.0.0
  resolution: "ts@npm:5.0.0"
  languageName: node
  linkType: hard

"ts@patch:ts@npm%3A^5#optional!builtin<compat/ts>":
  version: 5.0.0
  resolution: "ts@patch:ts@npm%3A5.0.0#optional!builtin<compat/ts>::version=5.0.0&hash=0123ab"
  languageName: node
  linkType: hard
"#;

#[test]
fn later_versions_of_yarn_give_exact_edges_and_no_hash_of_their_own_cache() {
    let eight = YARN_8.replace("CHECKSUM", &"0".repeat(128));
    // before version 8 ranges of the registry were without a protocol
    let six = eight.replace("version: 8", "version: 6").replace("10c0/", "8/").replace(": \"npm:b@", ": \"npm;b@");
    let six = six.replace("    r: \"npm:*\"", "    r: \"*\"").replace(": \"npm:", ": \"").replace("\"npm;b@", "\"npm:b@");
    let four = six.replace("version: 6", "version: 4").replace("#~/.yarn", "#.yarn");
    for lock in [&eight, &six, &four, &eight.replace("version: 8", "version: 9")] {
        let dir = workspace("yarn.lock", lock);
        std::fs::write(dir.path().join(".yarnrc.yml"), "nodeLinker: node-modules\ncatalog:\n  ts: ^5\n").unwrap();
        std::fs::write(dir.path().join("package.json"), ROOT.replace(r#""d":"^1""#, r#""d":"^1","ts":"catalog:""#)).unwrap();
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
fn lock_files_of_pnpm_that_cannot_be_trusted_whole_are_refused() {
    let nine = |from: &str, to: &str| {
        assert!(PNPM_9.contains(from), "{from}");
        PNPM_9.replacen(from, to, 1)
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
        (&*nine("'9.0'", "9.0.0\nimporters: 3 # and another form"), "MALFORMED"),
        ("lockfileVersion: '12.0'\nimporters: []\n", "UNSUPPORTED"),
        (&*deep, "MALFORMED"),
        (bomb, "MALFORMED"),
        (&*format!("{PNPM_9}---\nlockfileVersion: '9.0'\n---\nlockfileVersion: '9.0'\n"), "MALFORMED"),
        (&*nine("\n  r@18.0.0:\n", "\n  r@17.0.0:\n"), "MALFORMED"),
        (&*nine("\n  r@18.0.0: {}\n", "\n"), "MALFORMED"),
        (&*nine("version: b@2.0.0", "version: b@2.0.1"), "MALFORMED"),
        (&*nine("      b: 2.0.0", "      b: [2.0.0]"), "MALFORMED"),
        (&*nine("  b@2.0.0:\n    resolution: {integrity: INTEGRITY}\n", "  b@2.0.0:\n"), "MALFORMED"),
        (&*nine("  b@2.0.0:\n    resolution: {integrity: INTEGRITY}\n", "  b@2.0.0:\n    resolution: {integrity: sha512-short}\n"), "MALFORMED"),
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
fn lock_files_of_yarn_that_cannot_be_trusted_whole_are_refused() {
    let one = |from: &str, to: &str| {
        assert!(YARN_1.contains(from), "{from}");
        YARN_1.replacen(from, to, 1)
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
        (&*one("git+ssh://git@github.com/s/g.git#0123abcd", "git+ssh://git@github.com/s/g.git"), "MALFORMED"),
        (&*one("a@^1, \"a@>=1 <3\"", "a@^1, \"x@>=1 <3\""), "MALFORMED"),
        (&*format!("{YARN_1}>>>>>>> theirs\n"), "MALFORMED"),
        ("__metadata:\n", "UNSUPPORTED"),
        ("__metadata:\n  version: 8\n", "MALFORMED"),
        (&*eight("version: 8", "version: 3"), "UNSUPPORTED"),
        (&*eight("version: 8", "version: 10"), "UNSUPPORTED"),
        (&*eight("version: 8", "version: eight"), "UNSUPPORTED"),
        (&*eight("app@workspace:.\":", "app@workspace:x\":"), "MALFORMED"),
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

#[test]
fn no_manifest_outside_of_the_tree_is_read() {
    let outer = tree(&[("package.json", r#"{"name":"outside","version":"6.6.6"}"#), ("in/package.json", ROOT)]);
    let lock = "lockfileVersion: 5.4\nimporters:\n  .:\n    dependencies:\n      x: link:../\n  ..:\n    dependencies: {}\n";
    std::fs::write(outer.path().join("in/pnpm-lock.yaml"), lock).unwrap();
    let json = generate(&outer.path().join("in"), None).to_json().unwrap();
    assert!(!String::from_utf8(json).unwrap().contains("6.6.6"));
    // from further above, that folder is part of the tree
    let json = generate(outer.path(), Some("app")).to_json().unwrap();
    assert!(String::from_utf8(json).unwrap().contains("6.6.6"));
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_or_lacks_no_package() {
    for (name, lock) in [("pnpm-lock.yaml", PNPM_9), ("pnpm-lock.yaml", PNPM_6), ("yarn.lock", YARN_1), ("yarn.lock", YARN_8)] {
        let dir = workspace(name, lock);
        std::fs::write(dir.path().join(".yarnrc.yml"), "catalog:\n  ts: ^5\n").unwrap();
        if lock == YARN_1 {
            std::fs::write(dir.path().join("packages/lib/package.json"), LIB.replace("\"other\":\"^1.0.0\",", "")).unwrap();
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
                    let purls = |bom: &Sbom| bom.components.iter().map(|c| c.purl.clone()).collect::<Vec<_>>();
                    assert_eq!(purls(&bom), purls(&whole), "cut at {cut}:\n{}", &lock[..cut]);
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
        let lines = Regex::new(r"(?m)^  (packages/\S+|playground):$").unwrap();
        let members: BTreeSet<_> = lines.captures_iter(&text).map(|c| c[1].rsplit('/').next().unwrap().to_owned()).collect();
        let found: BTreeMap<_, _> = bom.components.iter().map(|c| (c.purl.clone().unwrap(), c)).collect();
        let own: BTreeSet<_> = found.values().filter(|c| c.version.is_none()).map(|c| c.name.clone()).collect();
        assert_eq!(own, members, "{}", file.display());
        let fetched: BTreeSet<_> = found.iter().filter(|(_, c)| c.version.is_some()).map(|(purl, _)| purl.clone()).collect();
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
        let keys: Vec<_> = lines.next().unwrap().trim_end_matches(':').split(", ").map(|k| k.replace('"', "")).collect();
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
            let mut changed: Vec<char> = lock.replace("INTEGRITY", INTEGRITY).chars().collect();
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

/// A workspace of `app`, `lib` and `local` with that lock file.
fn workspace(name: &str, lock: &str) -> tempfile::TempDir {
    tree(&[
        (name, lock),
        ("package.json", ROOT),
        ("packages/lib/package.json", r#"{"name":"lib","version":"2.0.0","license":"Zlib"}"#),
        ("packages/local/package.json", r#"{"name":"local","version":"0.1.0"}"#),
    ])
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("INTEGRITY", INTEGRITY)).unwrap();
    }
    dir
}

fn generate(root: &Path, name: Option<&str>) -> Sbom {
    let mut options = GenerateOptions::default();
    options.name = name.map(str::to_owned);
    sbom::generate(root, &options).unwrap_or_else(|e| panic!("{}: {e:?}", root.display()))
}

fn refusal(root: &Path) -> &'static str {
    sbom::generate(root, &GenerateOptions::default()).map_or_else(|e| e.code(), |_| "accepted")
}

/// Valid by schema and beyond, and every component in the graph.
fn assert_sound(bom: &Sbom, what: &str) {
    assert_eq!(sbom::validate(&bom.to_json().unwrap()).unwrap(), [], "{what}");
    assert_eq!(bom.dependencies.len(), bom.components.len() + 1, "{what}");
}

fn edges(bom: &Sbom) -> BTreeMap<String, Vec<String>> {
    bom.dependencies.iter().map(|row| (row.component.clone(), row.depends_on.iter().cloned().collect())).collect()
}

fn scopes(bom: &Sbom) -> BTreeMap<String, String> {
    let scope = |c: &sbom::Component| serde_json::to_value(c.scope).unwrap().as_str().unwrap().to_owned();
    bom.components.iter().map(|c| (c.purl.clone().unwrap(), scope(c))).collect()
}

fn hashes_of(bom: &Sbom, purl: &str) -> Vec<String> {
    let component = bom.components.iter().find(|c| c.purl.as_deref() == Some(purl)).unwrap();
    component.hashes.iter().map(|hash| format!("{} {}", hash.alg, hash.content)).collect()
}

fn npm_purl(name: &str, version: &str) -> String {
    format!("pkg:npm/{}@{}", name.replacen('@', "%40", 1), version.replace('+', "%2B"))
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
            } else if path.file_name().is_some_and(|n| n == "yarn.lock" || n.to_string_lossy().ends_with("pnpm-lock.yaml")) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
