//! BOMs of the lock files of Gradle, Bundler, Composer and NuGet.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "helpers of tests")]

mod bom;
mod corpora;

use std::collections::BTreeSet;

use proptest::prelude::*;
use sealwright::json::Value;
use sealwright::sbom::{self, GenerateOptions};
use serde_json::json;

use self::bom::{bom, bom_of, boundary, component, list, needs, purls, refused, relationship, scopes, tree};
use self::corpora::corpora;

const GRADLE: &str = "# This is a Gradle generated file for dependency locking.\n\
    com.a:lib:1.0=compileClasspath,runtimeClasspath\n\
    com.a:lib:1.1=testCompileClasspath,testRuntimeClasspath\n\
    com.b:api:2.0=compileClasspath\n\
    com.c:processor:3.0=annotationProcessor, testAnnotationProcessor\n\
    com.d:own:4.0=shadow\n\
    empty=testFixtures\n";

#[test]
fn gradle_tells_by_configuration_what_a_package_is_for_and_not_what_it_needs() {
    let script = "com.e:plugin:5.0=classpath\nempty=\n";
    let bom = bom_of(&[("gradle.lockfile", GRADLE), ("buildscript-gradle.lockfile", script)]);
    assert_eq!(
        scopes(&bom),
        [
            "pkg:maven/com.a/lib@1.0 required",
            "pkg:maven/com.a/lib@1.1 excluded",
            "pkg:maven/com.b/api@2.0 optional",
            "pkg:maven/com.c/processor@3.0 excluded",
            "pkg:maven/com.d/own@4.0 required",
            "pkg:maven/com.e/plugin@5.0 excluded",
        ]
    );
    assert_eq!(component(&bom, "pkg:maven/com.a/lib@1.0")["group"], "com.a");
    // no edge is made up, and that there may be some is said
    assert_eq!(needs(&bom, "product"), [""; 0]);
    assert_eq!(relationship(&bom, "pkg:maven/com.a/lib@1.0"), None);
    let mut all: Vec<_> = purls(&bom).into_iter().collect();
    all.push("product".to_owned());
    assert_eq!(bom["compositions"], json!([{ "aggregate": "unknown", "dependencies": all }]));
    let told = |file: &str| json!({ "name": "sealwright:incomplete", "value": format!("{file} does not tell what needs what") });
    assert_eq!(bom["metadata"]["properties"], json!([told("buildscript-gradle.lockfile"), told("gradle.lockfile")]));
    let nothing = bom_of(&[("gradle.lockfile", "# nothing\nempty=compileClasspath,runtimeClasspath\n")]);
    assert_eq!(scopes(&nothing), [""; 0]);
}

#[test]
fn gradle_lock_files_that_are_broken_are_refused() {
    for text in [
        "",
        "com.a:lib:1.0=runtimeClasspath\n",
        "com.a:lib:1.0\nempty=\n",
        "com.a:lib=runtimeClasspath\nempty=\n",
        "com.a:lib:1.0:x=runtimeClasspath\nempty=\n",
        "com.a::1.0=runtimeClasspath\nempty=\n",
        "com.a:lib:1.0=\nempty=\n",
        "com.a:lib:1.0=a,,b\nempty=\n",
        "com.a:lib:1.0=a\ncom.a:lib:1.0=b\nempty=\n",
        "empty=\ncom.a:lib:1.0=a\n",
        "com.a:lib:1.0 x=a\nempty=\n",
        "<<<<<<< HEAD\nempty=\n",
    ] {
        let (code, message) = refused(&[("gradle.lockfile", text)]);
        assert_eq!(code, "MALFORMED", "{text}: {message}");
        assert!(message.contains("gradle.lockfile"), "{message}");
    }
}

/// What Bundler writes, with a source of each kind.
fn gemfile_lock() -> String {
    let sha = "a".repeat(64);
    format!(
        "GIT\n  remote: https://user:s3cret@git.corp.example/forks.git\n  revision: 0123abcd\n  branch: main\n  specs:\n    \
         fork (1.0)\n      rack\n    second (1.0)\n\n\
         GIT\n  remote: git@git.corp.example:team/own.git\n  revision: 4567\n  specs:\n    own (0.1)\n\n\
         PATH\n  remote: .\n  specs:\n    app (2.0)\n      nokogiri (>= 1.15, < 2)\n\n\
         PATH\n  remote: engines/billing\n  specs:\n    billing (0.0.1)\n      rack (~> 3.0)\n\n\
         PLUGIN SOURCE\n  remote: https://plugins.corp.example/\n  type: corp\n  specs:\n    plugged (1.0)\n\n\
         GEM\n  remote: https://gems.corp.example/private/\n  specs:\n    hidden (1.2.3)\n\n\
         GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.0)\n      racc (~> 1.4)\n    \
         nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.0)\n      bundler (>= 2)\n    rack (3.0.8)\n\n\
         PLATFORMS\n  ruby\n  x86_64-linux\n\n\
         DEPENDENCIES\n  app!\n  billing!\n  fork!\n  hidden!\n  own!\n  plugged!\n  rack (~> 3.0)\n  second!\n  tzinfo-data\n\n\
         CHECKSUMS\n  app (2.0)\n  nokogiri (1.15.0) sha256={sha}\n  nokogiri (1.15.0-x86_64-linux) sha256={}\n  \
         rack (3.0.8) sha256={sha},sha512={}\n  bundler (2.6.0) sha256={sha}\n\n\
         RUBY VERSION\n   ruby 3.3.0p0\n\nBUNDLED WITH\n   2.6.0\n",
        "b".repeat(64),
        "C".repeat(128)
    )
}

#[test]
fn bundler_tells_of_sources_platforms_checksums_and_edges() {
    let bom = bom_of(&[("Gemfile.lock", &gemfile_lock())]);
    let app = "pkg:gem/app@2.0";
    let fork = "pkg:gem/fork@1.0?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fforks.git%400123abcd";
    let own = "pkg:gem/own@0.1?vcs_url=git%2Bssh:%2F%2Fgit%40git.corp.example%2Fteam%2Fown.git%404567";
    let hidden = "pkg:gem/hidden@1.2.3?repository_url=https:%2F%2Fgems.corp.example%2Fprivate%2F";
    let plugged = "pkg:gem/plugged@1.0?repository_url=https:%2F%2Fplugins.corp.example%2F";
    let second = fork.replace("fork@", "second@");
    let (plain, linux) = ("pkg:gem/nokogiri@1.15.0", "pkg:gem/nokogiri@1.15.0?platform=x86_64-linux");
    let expected = [
        "pkg:gem/billing@0.0.1",
        fork,
        hidden,
        own,
        plugged,
        plain,
        linux,
        "pkg:gem/racc@1.7.0",
        "pkg:gem/rack@3.0.8",
        &second,
    ];
    assert_eq!(purls(&bom), expected.iter().map(|p| (*p).to_owned()).collect::<BTreeSet<_>>());
    assert_eq!(bom["metadata"]["component"]["purl"], app);
    // what the gem needs itself, and what the `Gemfile` names; `tzinfo-data` is of a platform that was not locked
    assert_eq!(needs(&bom, app).len(), 9);
    assert_eq!(needs(&bom, fork), ["pkg:gem/rack@3.0.8"]);
    assert_eq!(needs(&bom, linux), ["pkg:gem/racc@1.7.0"]);
    assert_eq!(relationship(&bom, linux), Some("direct"));
    assert_eq!(relationship(&bom, "pkg:gem/racc@1.7.0"), Some("transitive"));
    assert_eq!(component(&bom, linux)["hashes"], json!([{ "alg": "SHA-256", "content": "b".repeat(64) }]));
    assert_eq!(
        component(&bom, "pkg:gem/rack@3.0.8")["hashes"][1],
        json!({ "alg": "SHA-512", "content": "c".repeat(128) })
    );
    assert!(bom.get("compositions").is_none() && !bom.to_string().contains("s3cret"));
}

#[test]
fn a_gem_that_may_come_from_a_foreign_source_says_so() {
    let text = "GEM\n  remote: https://rubygems.org/\n  remote: https://gems.corp.example/\n  specs:\n    a (1.0)\n\n\
        PLATFORMS\n  ruby\n\nDEPENDENCIES\n  a\n";
    let bom = bom_of(&[("gems.locked", text)]);
    assert_eq!(scopes(&bom), ["pkg:gem/a@1.0?repository_url=https:%2F%2Fgems.corp.example%2F required"]);
    assert_eq!(needs(&bom, "product").len(), 1);
    assert_eq!(
        scopes(&bom_of(&[(
            "Gemfile.lock",
            "GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n\nBUNDLED WITH\n   2.4.0\n"
        )])),
        [""; 0]
    );
}

#[test]
fn a_gemfile_lock_that_is_cut_or_broken_is_refused() {
    let whole = gemfile_lock();
    let dependencies = whole.find("DEPENDENCIES").unwrap();
    for cut in (0..dependencies).step_by(37) {
        assert_eq!(refused(&[("Gemfile.lock", &whole[..cut])]).0, "MALFORMED", "cut at {cut}");
    }
    // within the dependencies: what nothing needs any more tells it
    let until = whole.find("  rack (~> 3.0)\n  second").unwrap();
    assert_eq!(refused(&[("Gemfile.lock", &whole[..until])]).0, "MALFORMED");
    for (from, to) in [
        ("racc (1.7.0)", "rack (1.7.0)"),
        ("    rack (3.0.8)\n", ""),
        ("    rack (3.0.8)\n", "    rack (3.0.8)\n    rack (3.0.8)\n"),
        ("    rack (3.0.8)\n", "    rack\n"),
        ("    rack (3.0.8)\n", "   rack (3.0.8)\n"),
        ("  revision: 0123abcd\n", ""),
        ("  remote: .\n", ""),
        ("GEM\n", "GEMS\n"),
        ("sha256=aaaa", "sha256=aaaz"),
        ("sha256=aaaa", "sha256=aaa"),
        ("sha256=aaaa", "md9=aaaa"),
        ("  app (2.0)\n  nokogiri", "  gone (2.0)\n  nokogiri"),
        ("  rack (~> 3.0)\n", "  rack ~> 3.0\n"),
        ("  rack (~> 3.0)\n", "    rack (~> 3.0)\n"),
        ("GIT\n", "<<<<<<< HEAD\nGIT\n"),
    ] {
        assert!(whole.contains(from), "{from}");
        let (code, message) = refused(&[("Gemfile.lock", &whole.replacen(from, to, 1))]);
        assert_eq!(code, "MALFORMED", "{from} became {to}");
        assert!(message.contains("Gemfile.lock"), "{message}");
    }
    for text in ["", "malformed", "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n"] {
        assert_eq!(refused(&[("Gemfile.lock", text)]).0, "MALFORMED", "{text}");
    }
}

fn composer_lock() -> Value {
    let packagist = "https://packagist.org/downloads/";
    json!({
        "content-hash": "00", "plugin-api-version": "2.6.0", "platform": {"php": ">=8"}, "platform-dev": [], "aliases": [],
        "packages": [
            { "name": "Acme/HTTP", "version": "v1.2.3", "notification-url": packagist, "license": ["MIT", "Apache-2.0"],
              "source": { "type": "git", "url": "https://github.com/acme/http.git", "reference": "abc" },
              "dist": { "type": "zip", "url": "https://api.github.com/acme/http", "reference": "abc", "shasum": "ab".repeat(20) },
              "require": { "php": "^8.0", "ext-json": "*", "composer-runtime-api": "^2", "acme/log": "^1", "psr/log-implementation": "1.0" } },
            { "name": "acme/log", "version": "1.0.0", "notification-url": packagist, "license": ["proprietary", "MIT"], "require": [],
              "provide": { "psr/log-implementation": "1.0" }, "dist": { "type": "zip", "url": "https://x.example", "shasum": "" } },
            { "name": "acme/suite", "version": "3.0", "notification-url": packagist, "license": "LGPL-2.1-only",
              "require": { "acme/part": "3.0" }, "replace": { "acme/part": "self.version", "psr/log-implementation": "1.0" } },
            { "name": "corp/vcs", "version": "dev-main", "source": { "type": "git", "url": "git@git.corp.example:corp/vcs.git", "reference": "0123" } },
            { "name": "corp/svn", "version": "4.1", "source": { "type": "svn", "url": "https://u:s3cret@svn.corp.example/p/", "reference": "tags/4.1" } },
            { "name": "corp/zip", "version": "1.0", "dist": { "type": "zip", "url": "https://zip.corp.example/a.zip?token=s3cret" } },
            { "name": "corp/here", "version": "1.0", "dist": { "type": "path", "url": "packages/here" } }
        ],
        "packages-dev": [
            { "name": "acme/unit", "version": "9.0", "notification-url": packagist, "require": { "acme/http": "*" }, "license": [] }
        ]
    })
}

#[test]
fn composer_tells_of_licences_scopes_origins_and_edges() {
    let manifest = json!({ "name": "corp/Shop", "version": "1.0.0", "license": "MIT",
        "require": { "php": "^8", "acme/http": "^1", "acme/suite": "^3", "corp/vcs": "*", "corp/svn": "*", "corp/zip": "*", "corp/here": "*" },
        "require-dev": { "acme/unit": "^9" } });
    let bom = bom_of(&[("composer.lock", &composer_lock().to_string()), ("composer.json", &manifest.to_string())]);
    assert_eq!(
        scopes(&bom),
        [
            "pkg:composer/acme/http@v1.2.3 required",
            "pkg:composer/acme/log@1.0.0 required",
            "pkg:composer/acme/suite@3.0 required",
            "pkg:composer/acme/unit@9.0 excluded",
            "pkg:composer/corp/here@1.0 required",
            "pkg:composer/corp/svn@4.1?vcs_url=svn%2Bhttps:%2F%2Fsvn.corp.example%2Fp%2F%40tags%2F4.1 required",
            "pkg:composer/corp/vcs@dev-main?vcs_url=git%2Bssh:%2F%2Fgit%40git.corp.example%2Fcorp%2Fvcs.git%400123 required",
            "pkg:composer/corp/zip@1.0?download_url=https:%2F%2Fzip.corp.example%2Fa.zip required",
        ]
    );
    let product = "pkg:composer/corp/shop@1.0.0";
    assert_eq!(bom["metadata"]["component"]["purl"], product);
    assert_eq!(needs(&bom, product).len(), 7);
    let http = component(&bom, "pkg:composer/acme/http@v1.2.3");
    assert_eq!((&http["group"], &http["name"]), (&json!("acme"), &json!("http")));
    assert_eq!(http["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
    assert_eq!(http["hashes"], json!([{ "alg": "SHA-1", "content": "ab".repeat(20) }]));
    // a name that is no package stands for all that provide or replace it
    assert_eq!(
        needs(&bom, "pkg:composer/acme/http@v1.2.3"),
        ["pkg:composer/acme/log@1.0.0", "pkg:composer/acme/suite@3.0"]
    );
    let log = component(&bom, "pkg:composer/acme/log@1.0.0");
    assert_eq!(log["licenses"], json!([{ "license": { "name": "proprietary" } }, { "license": { "id": "MIT" } }]));
    assert!(log.get("hashes").is_none());
    assert_eq!(
        component(&bom, "pkg:composer/acme/suite@3.0")["licenses"],
        json!([{ "license": { "id": "LGPL-2.1-only" } }])
    );
    assert!(!bom.to_string().contains("s3cret"));
}

#[test]
fn without_its_manifest_what_nothing_else_needs_is_direct() {
    let bom = bom_of(&[("composer.lock", &composer_lock().to_string())]);
    assert!(!needs(&bom, "product").contains(&"pkg:composer/acme/log@1.0.0"));
    assert!(needs(&bom, "product").contains(&"pkg:composer/acme/unit@9.0"));
    let none = bom_of(&[
        ("composer.lock", r#"{"packages":[],"packages-dev":null}"#),
        ("composer.json", r#"{"require":{"php":"^8"}}"#),
    ]);
    assert_eq!(scopes(&none), [""; 0]);
}

#[test]
fn a_composer_lock_that_is_broken_is_refused() {
    let change = |pointer: &str, value: Value| {
        let mut lock = composer_lock();
        *lock.pointer_mut(pointer).unwrap() = value;
        lock.to_string()
    };
    let whole = composer_lock().to_string();
    for text in [
        "",
        "{}",
        r#"{"packages":{}}"#,
        &whole[..whole.len() / 2],
        &change("/packages/0/name", json!("http")),
        &change("/packages/0/name", json!("a/b/c")),
        &change("/packages/0/name", json!("acme/LOG")),
        &change("/packages/0/version", json!(1)),
        &change("/packages/0/dist/shasum", json!("abc")),
        &change("/packages/0/require", json!({ "gone/gone": "*" })),
        &change("/packages/0/require", json!(["x"])),
        &whole.replace("\"packages\"", "\"packages\":[],\"packages\""),
    ] {
        let (code, message) = refused(&[("composer.lock", text)]);
        assert_eq!(code, "MALFORMED", "{text}");
        assert!(message.contains("composer.lock"), "{message}");
    }
    let stale = (("composer.json", r#"{"require":{"new/new":"*"}}"#), ("composer.lock", &*whole));
    assert_eq!(refused(&[stale.0, stale.1]).0, "MALFORMED");
    assert_eq!(refused(&[("composer.lock", &whole), ("composer.json", "{")]).0, "MALFORMED");
}

const SHA512: &str = "6mgjfnRB4jKMlzHSl+VD+oUc1IebOZabkbyWj2RiTgWwYPPuaK1H97G1sHqGwPlS5npiF5Q0OrxN1wni2n5QWg==";

fn nuget_targets() -> Value {
    json!({
        "net8.0": {
            "App.Direct": { "type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": SHA512,
                "dependencies": { "app.transitive": "2.0.0", "Central": "3.0.0" } },
            "App.Transitive": { "type": "Transitive", "resolved": "2.0.0", "contentHash": SHA512 },
            "Central": { "type": "CentralTransitive", "requested": "[3.0.0, )", "resolved": "3.0.0" },
            "mylib": { "type": "Project", "dependencies": { "App.Transitive": "[2.0.0, )", "inner": "[1.0.0, )" } },
            "inner": { "type": "Project" }
        },
        "net8.0/linux-x64": { "App.Native": { "type": "Transitive", "resolved": "1.0.0", "dependencies": { "App.Transitive": "2.0.0" } } },
        "net472": { "App.Direct": { "type": "Direct", "requested": "[1.0.0, )", "resolved": "0.9.0" } }
    })
}

fn nuget_lock(version: u64) -> String {
    let targets = nuget_targets();
    if version < 3 {
        return json!({ "version": version, "dependencies": targets }).to_string();
    }
    let mut lock = json!({ "version": version });
    for (name, dependencies) in targets.as_object().unwrap() {
        lock[name] = json!({ "framework": name.split('/').next(), "dependencies": dependencies });
    }
    lock.to_string()
}

#[test]
fn nuget_gives_the_same_of_each_version_of_its_lock_file() {
    let project = "\u{feff}<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><AssemblyName Condition=\"x\">Other</AssemblyName>
        <AssemblyName>Shop</AssemblyName><Version>1.4.0</Version><PackageLicenseExpression>MIT</PackageLicenseExpression></PropertyGroup></Project>";
    let of = |version| bom_of(&[("packages.lock.json", &nuget_lock(version)), ("src.csproj", project)]);
    let bom = of(1);
    assert_eq!(bom, of(2));
    assert_eq!(bom, of(3));
    assert_eq!(
        scopes(&bom),
        [
            "pkg:nuget/App.Direct@0.9.0 required",
            "pkg:nuget/App.Direct@1.0.0 required",
            "pkg:nuget/App.Native@1.0.0 required",
            "pkg:nuget/App.Transitive@2.0.0 required",
            "pkg:nuget/Central@3.0.0 required",
            "pkg:nuget/inner required",
            "pkg:nuget/mylib required",
        ]
    );
    let product = "pkg:nuget/Shop@1.4.0";
    assert_eq!(bom["metadata"]["component"]["purl"], product);
    assert_eq!(bom["metadata"]["component"]["licenses"], json!([{ "license": { "id": "MIT" } }]));
    assert_eq!(needs(&bom, product), ["pkg:nuget/App.Direct@0.9.0", "pkg:nuget/App.Direct@1.0.0", "pkg:nuget/mylib"]);
    assert_eq!(
        needs(&bom, "pkg:nuget/App.Direct@1.0.0"),
        ["pkg:nuget/App.Transitive@2.0.0", "pkg:nuget/Central@3.0.0"]
    );
    assert_eq!(needs(&bom, "pkg:nuget/App.Direct@0.9.0"), [""; 0]);
    // a target of one runtime stands on that of its framework
    assert_eq!(needs(&bom, "pkg:nuget/App.Native@1.0.0"), ["pkg:nuget/App.Transitive@2.0.0"]);
    assert_eq!(needs(&bom, "pkg:nuget/mylib"), ["pkg:nuget/App.Transitive@2.0.0", "pkg:nuget/inner"]);
    let hash = &component(&bom, "pkg:nuget/App.Direct@1.0.0")["hashes"][0];
    assert_eq!(hash["alg"], "SHA-512");
    assert!(hash["content"].as_str().unwrap().starts_with("ea68237e7441e2328c97"), "{hash}");
}

#[test]
fn a_nuget_lock_file_that_is_broken_is_refused() {
    let change = |from: &str, to: &str| {
        let whole = nuget_lock(1);
        assert!(whole.contains(from), "{from}");
        whole.replacen(from, to, 1)
    };
    let mut other_hash = nuget_targets();
    other_hash["net472"]["App.Transitive"] =
        json!({ "type": "Transitive", "resolved": "2.0.0", "contentHash": SHA512.replace("6mgj", "7mgj") });
    for (text, expected) in [
        (String::new(), "MALFORMED"),
        (nuget_lock(1)[..300].to_owned(), "MALFORMED"),
        (nuget_lock(1).replace("\"version\":1", "\"version\":4"), "UNSUPPORTED"),
        (nuget_lock(1).replace("\"version\":1", "\"version\":\"1\""), "UNSUPPORTED"),
        ("{}".to_owned(), "UNSUPPORTED"),
        (r#"{"version":1}"#.to_owned(), "MALFORMED"),
        (r#"{"version":3,"net8.0":{}}"#.to_owned(), "MALFORMED"),
        (r#"{"version":3,"net8.0":{"framework":"","dependencies":{}}}"#.to_owned(), "MALFORMED"),
        (change("\"Direct\"", "\"Indirect\""), "MALFORMED"),
        (change("\"resolved\":\"2.0.0\"", "\"resolved\":null"), "MALFORMED"),
        (change("app.transitive", "gone"), "MALFORMED"),
        (change("6mgj", "6mg"), "MALFORMED"),
        (change("\"Central\":{", "\"app.direct\":{"), "MALFORMED"),
        (json!({ "version": 1, "dependencies": other_hash }).to_string(), "DIGEST_MISMATCH"),
    ] {
        let (code, message) = refused(&[("packages.lock.json", &text)]);
        assert_eq!(code, expected, "{text}: {message}");
        assert!(message.contains("packages.lock.json"), "{message}");
    }
}

#[test]
fn swift_gives_the_same_of_each_version_of_its_lock_file() {
    let first = json!({ "version": 1, "object": { "pins": [
        { "package": "NIO", "repositoryURL": "https://u:s3cret@github.com/apple/swift-nio.git", "state": { "branch": null, "revision": "ece5", "version": "2.41.0" } },
        { "package": "Own", "repositoryURL": "git@git.corp.example:team/own.git", "state": { "branch": "main", "revision": "0123", "version": null } }] } });
    let later = |version: u64| {
        json!({ "version": version, "originHash": "00", "pins": [
            { "identity": "swift-nio", "kind": "remoteSourceControl", "location": "https://github.com/apple/swift-nio", "state": { "revision": "ece5", "version": "2.41.0" } },
            { "identity": "own", "kind": "remoteSourceControl", "location": "ssh://git@git.corp.example/team/own.git", "state": { "branch": "main", "revision": "0123" } }] })
    };
    let expected =
        ["pkg:swift/git.corp.example/team/own@0123 required", "pkg:swift/github.com/apple/swift-nio@2.41.0 required"];
    for lock in [first, later(2), later(3)] {
        let bom = bom_of(&[("Package.resolved", &lock.to_string())]);
        assert_eq!(scopes(&bom), expected);
        assert_eq!(bom["compositions"][0]["aggregate"], "unknown");
        assert!(!bom.to_string().contains("s3cret"));
    }
    let whole = later(2);
    let change = |pointer: &str, value: Value| {
        let mut lock = whole.clone();
        *lock.pointer_mut(pointer).unwrap() = value;
        lock.to_string()
    };
    for (text, expected) in [
        (String::new(), "MALFORMED"),
        (change("/version", json!(4)), "UNSUPPORTED"),
        (change("/version", json!(1)), "MALFORMED"),
        (change("/pins/0/identity", json!("OWN")), "MALFORMED"),
        (change("/pins/0/location", json!("nio")), "MALFORMED"),
        (change("/pins/0/kind", json!("other")), "MALFORMED"),
        (change("/pins/0/state", json!({})), "MALFORMED"),
    ] {
        assert_eq!(refused(&[("Package.resolved", &text)]).0, expected, "{text}");
    }
}

#[test]
fn mix_tells_of_checksums_organisations_and_edges() {
    let sums = ["a".repeat(64), "b".repeat(64)];
    let hex = |app: &str, needs: &str, repository: &str| {
        format!(
            "  \"{app}\": {{:hex, :{app}, \"1.0.0\", \"{}\", [:mix], [{needs}], \"{repository}\", \"{}\"}},\n",
            sums[0], sums[1]
        )
    };
    let need = |app: &str, optional: bool| {
        format!("{{:{app}, \"~> 1.0\", [hex: :{app}, repo: \"hexpm\", optional: {optional}]}}")
    };
    let whole = format!(
        "%{{\n{}{}{}  \"fork\": {{:git, \"https://u:s3cret@git.corp.example/fork.git\", \"0123\", [branch: \"main\"]}},\n}}\n",
        hex("phoenix", &format!("{}, {}, {}", need("jason", false), need("gone", true), need("here", false)), "hexpm"),
        hex("jason", "", "hexpm"),
        hex("inner", "", "hexpm:corp"),
    );
    let bom = bom_of(&[("mix.lock", &whole)]);
    assert_eq!(
        scopes(&bom),
        [
            "pkg:hex/corp/inner@1.0.0 required",
            "pkg:hex/fork@0123?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Ffork.git%400123 required",
            "pkg:hex/jason@1.0.0 required",
            "pkg:hex/phoenix@1.0.0 required",
        ]
    );
    assert_eq!(needs(&bom, "pkg:hex/phoenix@1.0.0"), ["pkg:hex/jason@1.0.0"]);
    assert_eq!(needs(&bom, "product").len(), 3);
    assert_eq!(component(&bom, "pkg:hex/jason@1.0.0")["hashes"], json!([{ "alg": "SHA-256", "content": sums[1] }]));
    assert_eq!(scopes(&bom_of(&[("mix.lock", "%{}\n")])), [""; 0]);
    for text in [
        "",
        "[]",
        &whole[..whole.len() / 2],
        &whole.replace("\"jason\": {", "\"phoenix\": {"),
        &whole.replace(&sums[1], "b"),
        &whole.replace(":git", ":svn"),
        "%{\"a\": System.halt()}",
    ] {
        assert_eq!(refused(&[("mix.lock", text)]).0, "MALFORMED", "{text}");
    }
}

#[test]
fn lock_files_of_others_give_what_is_in_them() {
    let Some(dir) = corpora("lockfiles/trivy-fixtures") else { return };
    // line by line, apart from the code under test
    let gradle = bom(&dir.join("gradle"));
    let text = std::fs::read_to_string(dir.join("gradle/gradle.lockfile")).unwrap();
    let rows = text.lines().filter(|line| line.matches(':').count() == 2).map(|line| line.split('=').next().unwrap());
    let expected = rows.map(|row| {
        let (name, version) = row.rsplit_once(':').unwrap();
        format!("pkg:maven/{}@{version}", name.replace(':', "/"))
    });
    assert_eq!(purls(&gradle), expected.collect::<BTreeSet<_>>());

    let composer = bom(&dir.join("composer"));
    let text = std::fs::read_to_string(dir.join("composer/composer.lock")).unwrap();
    let value = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    // each package begins with its name and version, at this indentation
    let rows: Vec<_> = text
        .lines()
        .filter(|l| l.starts_with("            \"name\"") || l.starts_with("            \"version\""))
        .collect();
    let expected: BTreeSet<_> =
        rows.chunks(2).map(|pair| format!("pkg:composer/{}@{}", value(pair[0]), value(pair[1]))).collect();
    assert_eq!(purls(&composer), expected);
    // as Trivy's golden has it: one direct, one edge, both under MIT
    assert_eq!(needs(&composer, "product"), ["pkg:composer/guzzlehttp/guzzle@7.4.4"]);
    assert_eq!(needs(&composer, "pkg:composer/guzzlehttp/guzzle@7.4.4"), ["pkg:composer/guzzlehttp/psr7@1.8.3"]);
    assert!(list(&composer["components"]).all(|c| c["licenses"] == json!([{ "license": { "id": "MIT" } }])));

    let nuget = bom(&dir.join("nuget"));
    let expected = ["pkg:nuget/Newtonsoft.Json@12.0.3", "pkg:nuget/NuGet.Frameworks@5.7.0"];
    assert_eq!(purls(&nuget), expected.map(str::to_owned).into());
    assert_eq!(needs(&nuget, "product"), expected);
    assert_eq!(needs(&nuget, expected[1]), [expected[0]]);
    assert!(list(&nuget["components"]).all(|c| c["hashes"][0]["alg"] == "SHA-512"));

    let swift = bom(&dir.join("swift"));
    let expected = ["pkg:swift/github.com/apple/swift-atomics@1.1.0", "pkg:swift/github.com/apple/swift-nio@2.41.0"];
    assert_eq!(purls(&swift), expected.map(str::to_owned).into());

    let mix = bom(&dir.join("mixlock"));
    let text = std::fs::read_to_string(dir.join("mixlock/mix.lock")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().filter(|l| l.contains("{:hex, ")).map(|l| l.split('"').collect()).collect();
    // the name, and then the version, are the first two of what stands in quotes
    let expected: BTreeSet<_> = rows.iter().map(|row| format!("pkg:hex/{}@{}", row[1], row[3])).collect();
    assert_eq!(purls(&mix), expected);
    // the last of them is the checksum of the archive
    let sums: BTreeSet<_> = rows.iter().map(|row| row[row.len() - 2]).collect();
    let found = list(&mix["components"]).map(|c| c["hashes"][0]["content"].as_str().unwrap()).collect();
    assert_eq!(sums, found);
}

#[test]
fn fifty_thousand_packages_are_no_burden() {
    use std::fmt::Write as _;
    let (mut gems, mut dependencies, mut rows) = (String::new(), String::new(), String::new());
    for n in 0..50_000 {
        writeln!(gems, "    gem{n} (1.0)\n      gem{} (>= 1)", (n + 1) % 50_000).unwrap();
        writeln!(dependencies, "  gem{n}").unwrap();
        writeln!(rows, "g:a{n}:1.0=runtimeClasspath").unwrap();
    }
    let gems = format!("GEM\n  remote: https://rubygems.org/\n  specs:\n{gems}\nDEPENDENCIES\n{dependencies}");
    let dir = tree(&[("Gemfile.lock", &gems), ("gradle.lockfile", &format!("{rows}empty=\n"))]);
    let mut options = GenerateOptions::default();
    options.name = Some("product".to_owned());
    let made = sbom::generate(dir.path(), &options).unwrap();
    assert_eq!(made.components.len(), 100_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_change_of_a_lock_file_makes_a_reader_panic(
        which in 0usize..8, at in 0.0..1.0f64, cut in 0usize..40,
        text in r#"( |\n|"|:|=|\(|\)|!|-|,|\{|\}|\[|\]|/|empty|1|\PC){0,8}"#,
    ) {
        let (name, whole) = match which {
            0 => ("gradle.lockfile", GRADLE.to_owned()),
            1 => ("Gemfile.lock", gemfile_lock()),
            2 => ("composer.lock", composer_lock().to_string()),
            3 => ("mix.lock", "%{\n  \"a\": {:hex, :a, \"1.0\", \"00\", [:mix], [{:b, \"~> 1\", [optional: true]}], \"hexpm\", \"00\"},\n}".to_owned()),
            4 => ("Package.resolved", r#"{"version":2,"pins":[{"identity":"a","location":"https://x.example/a/a.git","state":{"version":"1"}}]}"#.to_owned()),
            n => ("packages.lock.json", nuget_lock(n as u64 - 4)),
        };
        let start = boundary(&whole, (whole.len() as f64 * at) as usize);
        let end = boundary(&whole, start + cut);
        let changed = format!("{}{text}{}", &whole[..start], &whole[end..]);
        for text in [&changed, &text] {
            let dir = tree(&[(name, text)]);
            let mut options = GenerateOptions::default();
            options.name = Some("product".to_owned());
            if let Ok(made) = sbom::generate(dir.path(), &options) {
                made.to_json().unwrap();
            }
        }
    }
}

#[test]
fn a_lock_file_that_does_not_count_is_left_out_by_name_and_told() {
    let files = [
        ("go.mod", "module example.org/a\n\ngo 1.22\n\nrequire example.org/b v1.0.0\n"),
        ("go.sum", ""),
        ("docs/requirements.txt", "unpinned\n"),
        ("docs/more/requirements.txt", "unpinned\n"),
        ("docs-2/requirements.txt", "a==1\n"),
    ];
    assert_eq!(refused(&files).0, "MALFORMED");
    let dir = tree(&files);
    let mut options = GenerateOptions::default();
    options.exclude = vec!["docs/".to_owned()];
    let made = sbom::generate(dir.path(), &options).unwrap().to_json().unwrap();
    let bom: Value = serde_json::from_slice(&made).unwrap();
    assert_eq!(purls(&bom).into_iter().collect::<Vec<_>>(), ["pkg:golang/example.org/b@v1.0.0", "pkg:pypi/a@1"]);
    let told = |name: &str| -> Vec<&str> {
        let all = list(&bom["metadata"]["properties"]).filter(|p| p["name"] == name);
        all.map(|p| p["value"].as_str().unwrap()).collect()
    };
    assert_eq!(told("sealwright:excluded"), ["docs/more/requirements.txt", "docs/requirements.txt"]);
    assert_eq!(told("sealwright:incomplete").len(), 2);
    assert_eq!(sbom::validate(&made).unwrap(), []);
    for mistyped in ["doc", "docs/requirements", "other/requirements.txt", ".."] {
        options.exclude = vec![mistyped.to_owned()];
        assert_eq!(sbom::generate(dir.path(), &options).unwrap_err().code(), "API_MISUSE", "{mistyped}");
    }
    options.exclude = ["docs", "./docs-2", "go.mod"].map(str::to_owned).to_vec();
    assert_eq!(sbom::generate(dir.path(), &options).unwrap_err().code(), "NOT_FOUND");
}
