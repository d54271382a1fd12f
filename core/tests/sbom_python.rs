//! SBOMs of the lock files of Python.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod locked;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sealwright::sbom::{self, GenerateOptions};

use self::locked::{bom, bom_of_manifest, component, edges, hashes, property, purls, refusal, scopes, tree};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A project with an extra, a group, a member of its workspace, two versions of a package and a private index.
fn uv_lock() -> String {
    format!(
        r#"version = 1
revision = 3
requires-python = ">=3.8"
resolution-markers = ["python_full_version >= '3.9'", "python_full_version < '3.9'"]

[manifest]
members = ["app", "member"]

[[package]]
name = "app"
version = "1.0.0"
source = {{ editable = "." }}
dependencies = [
    {{ name = "member" }},
    {{ name = "numpy", version = "1.24.4", source = {{ registry = "https://pypi.org/simple" }}, marker = "python_full_version < '3.9'" }},
    {{ name = "numpy", version = "2.0.0", source = {{ registry = "https://pypi.org/simple" }}, marker = "python_full_version >= '3.9'" }},
]

[package.optional-dependencies]
web = [{{ name = "httpx", extra = ["http2"] }}]

[package.dev-dependencies]
dev = [{{ name = "pytest" }}, {{ name = "httpx" }}]

[package.metadata]
requires-dist = [{{ name = "numpy" }}]

[[package]]
name = "h2"
version = "4.1.0"
source = {{ registry = "https://pypi.corp.example/simple/" }}
wheels = [{{ url = "https://pypi.corp.example/h2-4.1.0-py3-none-any.whl", hash = "sha256:{A}", size = 1 }}]

[[package]]
name = "httpx"
version = "0.27.0"
source = {{ registry = "https://pypi.org/simple" }}
sdist = {{ url = "https://files.example/httpx-0.27.0.tar.gz", hash = "sha256:{A}", size = 1, upload-time = "2024-01-01T00:00:00Z" }}
wheels = [{{ url = "https://files.example/httpx-0.27.0-py3-none-any.whl", hash = "sha256:{B}" }}]

[package.optional-dependencies]
http2 = [{{ name = "h2" }}]

[[package]]
name = "member"
source = {{ directory = "member" }}
dependencies = [{{ name = "tool" }}]

[package.dev-dependencies]
test = [{{ name = "archive" }}]

[[package]]
name = "numpy"
version = "1.24.4"
source = {{ registry = "https://pypi.org/simple" }}

[[package]]
name = "numpy"
version = "2.0.0"
source = {{ registry = "https://pypi.org/simple" }}

[[package]]
name = "pytest"
version = "8.0.0"
source = {{ registry = "https://pypi.org/simple" }}

[[package]]
name = "archive"
version = "2.0"
source = {{ url = "https://files.corp.example/archive-2.0.zip" }}
sdist = {{ hash = "sha256:{B}" }}

[[package]]
name = "tool"
version = "0.1"
source = {{ git = "https://user:s3cret@git.corp.example/tool.git?tag=v0.1#0123abcd", subdirectory = "lib" }}
"#
    )
}

const UV_PROJECT: &str = "[project]\nname = \"App\"\nversion = \"1.0.0\"\nlicense = \"MIT OR Apache-2.0\"\n";

#[test]
fn a_uv_lock_gives_exact_edges_scopes_hashes_and_origins() {
    let made = bom_of_manifest(&[("uv.lock", &uv_lock()), ("pyproject.toml", UV_PROJECT)]);
    let tool = "pkg:pypi/tool@0.1?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Ftool.git%400123abcd%23lib";
    let h2 = "pkg:pypi/h2@4.1.0?repository_url=https:%2F%2Fpypi.corp.example%2Fsimple";
    let archive = "pkg:pypi/archive@2.0?download_url=https:%2F%2Ffiles.corp.example%2Farchive-2.0.zip";
    let numpy = ["pkg:pypi/numpy@1.24.4", "pkg:pypi/numpy@2.0.0"];
    let (httpx, member, pytest) = ("pkg:pypi/httpx@0.27.0", "pkg:pypi/member", "pkg:pypi/pytest@8.0.0");
    assert_eq!(purls(&made), [archive, h2, httpx, member, numpy[0], numpy[1], pytest, tool]);
    let edges = edges(&made);
    assert_eq!(edges["pkg:pypi/app@1.0.0"], [httpx, member, numpy[0], numpy[1], pytest]);
    assert_eq!(edges[httpx], [h2]);
    assert_eq!(edges[member], [archive, tool]);
    let expected = [
        ("archive", "excluded"),
        ("h2", "optional"),
        ("httpx", "optional"),
        ("member", "required"),
        ("numpy", "required"),
        ("numpy", "required"),
        ("pytest", "excluded"),
        ("tool", "required"),
    ];
    assert_eq!(scopes(&made), expected);
    assert_eq!(hashes(component(&made, httpx)), [format!("SHA-256:{A}"), format!("SHA-256:{B}")]);
    assert_eq!(hashes(component(&made, archive)), [format!("SHA-256:{B}")]);
    assert_eq!(property(component(&made, httpx), "sealwright:relationship"), Some("direct"));
    assert_eq!(property(component(&made, h2), "sealwright:relationship"), Some("transitive"));
    assert_eq!(made.metadata.component.licenses.len(), 1);
    assert!(!String::from_utf8(made.to_json().unwrap()).unwrap().contains("s3cret"));
}

#[test]
fn other_forms_of_a_uv_lock_are_read() {
    assert_eq!(bom(&[("uv.lock", "version = 1\nrequires-python = \">=3.12\"\n")]).components.len(), 0);
    // of a root without a project, and of a script
    let root = "version = 1\n[manifest]\nrequirements = [{ name = \"a\", specifier = \">=1\" }]\n\
                [manifest.dependency-groups]\ndev = [{ name = \"b\" }]\n\
                [[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n\
                [[package]]\nname = \"b\"\nversion = \"2\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
    let made = bom(&[("uv.lock", root)]);
    assert_eq!(edges(&made)["product"], ["pkg:pypi/a@1", "pkg:pypi/b@2"]);
    assert_eq!(scopes(&made), [("a", "required"), ("b", "excluded")]);
    // before version 1 was settled
    let old = "version = 1\n[[distribution]]\nname = \"a\"\nversion = \"1\"\nsource = { virtual = \".\" }\n";
    assert_eq!(purls(&bom(&[("uv.lock", old)])), ["pkg:pypi/a@1"]);
}

#[test]
fn a_plugin_for_tests_that_needs_the_project_does_not_make_it_excluded() {
    let lock = "version = 1\n[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
        dependencies = [{ name = \"a\" }]\n[package.dev-dependencies]\ndev = [{ name = \"plugin\" }]\n\
        [[package]]\nname = \"plugin\"\nversion = \"1\"\nsource = { editable = \"plugin\" }\ndependencies = [{ name = \"app\" }]\n\
        [[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
    assert_eq!(scopes(&bom_of_manifest(&[("uv.lock", lock)])), [("a", "required"), ("plugin", "excluded")]);
}

#[test]
fn a_uv_lock_that_cannot_be_trusted_whole_is_refused() {
    let lock = uv_lock();
    let project = ("pyproject.toml", UV_PROJECT);
    for (text, code, part) in [
        (String::new(), "MALFORMED", "no `version`"),
        (lock.replace("version = 1\nrev", "version = 2\nrev"), "UNSUPPORTED", "version 1 is read"),
        (lock.replace("version = 1\nrev", "version = \"1\"\nrev"), "UNSUPPORTED", "version 1 is read"),
        (lock[..lock.len() - 40].to_owned(), "MALFORMED", "line"),
        (lock[..lock.find("[[package]]\nname = \"pytest\"").unwrap()].to_owned(), "MALFORMED", "does not hold"),
        (lock.replace("name = \"app\"\nversion", "name = \"other\"\nversion"), "MALFORMED", "does not hold"),
        (lock.replace("{ name = \"tool\" }", "{ name = \"numpy\" }"), "MALFORMED", "more than one"),
        (lock.replace("{ name = \"tool\" }", "{ name = \"tool\", version = \"0.2\" }"), "MALFORMED", "does not hold"),
        (lock.replace("name = \"pytest\"\nversion", "name = \"httpx\"\nversion"), "MALFORMED", "more than one"),
        (lock.replace("version = \"2.0.0\"", "version = \"1.24.4\""), "MALFORMED", "twice"),
        (lock.replace("sha256:aaaa", "sha256:aaa"), "MALFORMED", "hash"),
        (lock.replace("sha256:aaaa", "sha999:aaaa"), "MALFORMED", "hash"),
        (lock.replace("name = \"h2\"\nversion", "name = \"../h2\"\nversion"), "MALFORMED", "no name"),
        (lock.replace("\"8.0.0\"", "\"8.0.0\\n\""), "MALFORMED", "which is none"),
        (lock.replace("\"8.0.0\"", "8"), "MALFORMED", "line"),
        (lock.replace("{ directory = \"member\" }", "{ }"), "MALFORMED", "from where"),
        (format!("<<<<<<< HEAD\n{lock}=======\n>>>>>>> other\n"), "MALFORMED", "conflict"),
    ] {
        let (found, message) = refusal(&[("uv.lock", &text), project]);
        assert_eq!(found, code, "{part}: {message}");
        assert!(message.contains(part) && message.contains("uv.lock"), "{part}: {message}");
    }
    let other = ("pyproject.toml", "[project]\nname = \"other\"\n");
    assert!(refusal(&[("uv.lock", &lock), other]).1.contains("lacks the project `other`"));
    let file = "{ url = \"https://files.example/httpx-0.27.0-py3-none-any.whl\", hash = \"sha256:";
    let twice = lock.replace(file, &format!("{file}{A}\" }}, {file}"));
    assert_eq!(refusal(&[("uv.lock", &twice), project]).0, "DIGEST_MISMATCH");
}

const POETRY_PROJECT: &str = "[tool.poetry]\nname = \"app\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n\
    [tool.poetry.dependencies]\npython = \"^3.9\"\nflask = \"^2.0\"\nPy_mysql = { version = \"*\", optional = true }\n\
    [tool.poetry.group.dev.dependencies]\npytest = \"*\"\n[tool.poetry.extras]\nmysql = [\"pymysql\"]\n";

/// The lock file of [`POETRY_PROJECT`] in one of its versions.
fn poetry_lock(version: &str) -> String {
    let flags = |group: &str, optional: bool| match version {
        "1.0" | "1.1" => format!("category = \"{group}\"\noptional = {optional}\n"),
        "2.0" => format!("optional = {optional}\n"),
        _ => format!("optional = {optional}\ngroups = [\"{group}\"]\n"),
    };
    let files = |name: &str, hash: &str| match version {
        "1.0" | "1.1" => String::new(),
        _ => format!("files = [{{ file = \"{name}\", hash = \"sha256:{hash}\" }}]\n"),
    };
    let (metadata, lock_version) = match version {
        "1.0" => (
            format!("[metadata.files]\nflask = [{{ file = \"Flask-2.0.0.tar.gz\", hash = \"{A}\" }}]\n"),
            String::new(),
        ),
        "1.1" => (
            format!("[metadata.files]\nflask = [{{ file = \"Flask-2.0.0.tar.gz\", hash = \"sha256:{A}\" }}]\n"),
            "lock-version = \"1.1\"\n".to_owned(),
        ),
        _ => (String::new(), format!("lock-version = \"{version}\"\n")),
    };
    format!(
        "[[package]]\nname = \"Flask\"\nversion = \"2.0.0\"\n{}{}[package.dependencies]\nclick = \">=7\"\n\
         colorama = {{ version = \"*\", markers = \"sys_platform == 'win32'\" }}\nsetuptools = \"*\"\n\
         [package.extras]\nasync = [\"asgiref (>=3.2)\"]\n\
         [[package]]\nname = \"click\"\nversion = \"8.0\"\n{}\
         [[package]]\nname = \"py-mysql\"\nversion = \"1.0\"\n{}\
         [[package]]\nname = \"pytest\"\nversion = \"7.0\"\n{}[package.dependencies]\nclick = {{ version = \"^8\" }}\n\
         [metadata]\n{lock_version}content-hash = \"00\"\n{metadata}",
        flags("main", false),
        files("Flask-2.0.0.tar.gz", A),
        flags("main", false),
        flags("main", true),
        flags("dev", false),
    )
}

#[test]
fn all_versions_of_a_poetry_lock_give_the_same() {
    for version in ["1.0", "1.1", "2.0", "2.1"] {
        let made = bom_of_manifest(&[("poetry.lock", &poetry_lock(version)), ("pyproject.toml", POETRY_PROJECT)]);
        let (click, flask) = ("pkg:pypi/click@8.0", "pkg:pypi/flask@2.0.0");
        let (mysql, pytest) = ("pkg:pypi/py-mysql@1.0", "pkg:pypi/pytest@7.0");
        assert_eq!(purls(&made), [click, flask, mysql, pytest], "{version}");
        let edges = edges(&made);
        assert_eq!(edges["pkg:pypi/app@1.0.0"], [flask, mysql, pytest], "{version}");
        assert_eq!((&edges[flask], &edges[pytest]), (&vec![click], &vec![click]), "{version}");
        let expected = [("click", "required"), ("flask", "required"), ("py-mysql", "optional"), ("pytest", "excluded")];
        assert_eq!(scopes(&made), expected, "{version}");
        assert_eq!(hashes(component(&made, flask)), [format!("SHA-256:{A}")], "{version}");
        assert_eq!(made.metadata.component.licenses.len(), 1);
    }
}

#[test]
fn sources_and_several_versions_of_a_poetry_lock_are_told_apart() {
    let source = |kind: &str, url: &str| format!("[package.source]\ntype = \"{kind}\"\nurl = \"{url}\"\n");
    let git = source("git", "https://git.corp.example/g.git");
    let text = format!(
        "[[package]]\nname = \"g\"\nversion = \"1\"\noptional = false\n{git}reference = \"main\"\nresolved_reference = \"0123abcd\"\n\
         [[package]]\nname = \"i\"\nversion = \"1\"\noptional = false\n{}reference = \"corp\"\n\
         [[package]]\nname = \"u\"\nversion = \"1\"\noptional = false\n{}\
         [[package]]\nname = \"l\"\nversion = \"1\"\noptional = false\ndevelop = true\n[package.dependencies]\n\
         n = [\n {{ version = \"<2\", markers = \"python_version < '3.9'\" }},\n {{ version = \">=3\", markers = \"python_version >= '3.9'\" }}]\n{}\
         [[package]]\nname = \"n\"\nversion = \"1.9\"\noptional = false\n\
         [[package]]\nname = \"n\"\nversion = \"2.5\"\noptional = false\n\
         [[package]]\nname = \"n\"\nversion = \"3.1\"\noptional = false\n\
         [metadata]\nlock-version = \"1.1\"\n[metadata.files]\nn = [\n {{ file = \"n-1.9.tar.gz\", hash = \"sha256:{A}\" }},\n \
         {{ file = \"n-3.1-py3-none-any.whl\", hash = \"sha256:{B}\" }}]\ng = []\n",
        source("legacy", "https://pypi.corp.example/simple"),
        source("url", "https://files.corp.example/u-1.zip"),
        source("directory", "lib"),
    );
    let made = bom(&[("poetry.lock", &text)]);
    assert_eq!(
        purls(&made),
        [
            "pkg:pypi/g@1?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fg.git%400123abcd",
            "pkg:pypi/i@1?repository_url=https:%2F%2Fpypi.corp.example%2Fsimple",
            "pkg:pypi/l@1",
            "pkg:pypi/n@1.9",
            "pkg:pypi/n@2.5",
            "pkg:pypi/n@3.1",
            "pkg:pypi/u@1?download_url=https:%2F%2Ffiles.corp.example%2Fu-1.zip",
        ]
    );
    assert_eq!(edges(&made)["pkg:pypi/l@1"], ["pkg:pypi/n@1.9", "pkg:pypi/n@3.1"]);
    assert_eq!(hashes(component(&made, "pkg:pypi/n@1.9")), [format!("SHA-256:{A}")]);
    assert_eq!(hashes(component(&made, "pkg:pypi/n@2.5")), [""; 0]);
    assert_eq!(hashes(component(&made, "pkg:pypi/n@3.1")), [format!("SHA-256:{B}")]);
}

#[test]
fn a_poetry_lock_that_cannot_be_trusted_whole_is_refused() {
    let lock = poetry_lock("2.1");
    for (text, code, part) in [
        (String::new(), "MALFORMED", "no `metadata`"),
        (lock[..lock.find("[metadata]").unwrap()].to_owned(), "MALFORMED", "no `metadata`"),
        (lock.replace("lock-version = \"2.1\"", "lock-version = \"3.0\""), "UNSUPPORTED", "1.0 to 2.1"),
        (format!("{lock}[metadata.hashes]\nflask = [\"{A}\"]\n"), "UNSUPPORTED", "1.0 to 2.1"),
        (lock.replace("name = \"click\"", "name = \"klick\""), "MALFORMED", "does not hold"),
        (lock.replace("name = \"pytest\"", "name = \"pitest\""), "MALFORMED", "lacks `pytest`"),
        (
            lock.replace("name = \"py-mysql\"\nversion = \"1.0\"", "name = \"Click\"\nversion = \"8.0\""),
            "MALFORMED",
            "twice",
        ),
        (lock.replace("sha256:aaaa", "sha256:zzzz"), "MALFORMED", "hash"),
        (format!("{lock}[metadata.files]\ngone = []\n"), "MALFORMED", "does not hold"),
        (lock.replace("optional = true", "optional = 1"), "MALFORMED", "line"),
        ("{}".to_owned(), "MALFORMED", "line"),
    ] {
        let (found, message) = refusal(&[("poetry.lock", &text), ("pyproject.toml", POETRY_PROJECT)]);
        assert_eq!(found, code, "{part}: {message}");
        assert!(message.contains(part) && message.contains("poetry.lock"), "{part}: {message}");
    }
}

const PDM_PROJECT: &str = "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"requests[socks]>=2\"]\n\
    [project.optional-dependencies]\nweb = [\"httpx\"]\n[dependency-groups]\ntest = [\"pytest\", { include-group = \"x\" }]\nx = []\n";

fn pdm_lock(version: &str, groups: bool) -> String {
    let of = |group: &str| if groups { format!("groups = [\"{group}\"]\n") } else { String::new() };
    let (files, listed) = match version {
        "4.5.0" => (format!("files = [{{ file = \"requests-2.0.tar.gz\", hash = \"sha256:{A}\" }}]\n"), String::new()),
        _ => (
            String::new(),
            format!(
                "[metadata.files]\n\"requests 2.0\" = [{{ url = \"https://f.example/requests-2.0.tar.gz\", hash = \"sha256:{A}\" }}]\n"
            ),
        ),
    };
    format!(
        "[metadata]\ngroups = [\"default\", \"test\", \"web\"]\nlock_version = \"{version}\"\n{listed}\
         [[package]]\nname = \"httpx\"\nversion = \"0.27\"\n{}dependencies = [\"idna\", \"gone; python_version < '3'\"]\n\
         [[package]]\nname = \"idna\"\nversion = \"3.4\"\n{}\
         [[package]]\nname = \"pysocks\"\nversion = \"1.7\"\n{}\
         [[package]]\nname = \"pytest\"\nversion = \"8.0\"\n{}\
         [[package]]\nname = \"requests\"\nversion = \"2.0\"\n{}dependencies = [\"idna<4,>=2.5\"]\n{files}\
         [[package]]\nname = \"requests\"\nversion = \"2.0\"\nextras = [\"socks\"]\n{}\
         dependencies = [\"PySocks!=1.5.7,>=1.5.6\", \"requests==2.0\"]\n{files}",
        of("web"),
        of("default"),
        of("default"),
        of("test"),
        of("default"),
        of("default")
    )
}

#[test]
fn a_pdm_lock_is_read_with_and_without_groups_and_in_its_older_form() {
    for (version, groups) in [("4.5.0", true), ("4.5.0", false), ("4.0", false), ("3.1", false), ("2", false)] {
        let made = bom_of_manifest(&[("pdm.lock", &pdm_lock(version, groups)), ("pyproject.toml", PDM_PROJECT)]);
        let (httpx, idna, socks) = ("pkg:pypi/httpx@0.27", "pkg:pypi/idna@3.4", "pkg:pypi/pysocks@1.7");
        let (pytest, requests) = ("pkg:pypi/pytest@8.0", "pkg:pypi/requests@2.0");
        assert_eq!(purls(&made), [httpx, idna, socks, pytest, requests], "{version}");
        assert_eq!(edges(&made)["pkg:pypi/app@1.0"], [httpx, pytest, requests], "{version}");
        assert_eq!(edges(&made)[requests], [idna, socks], "{version}");
        let expected = [
            ("httpx", "optional"),
            ("idna", "required"),
            ("pysocks", "required"),
            ("pytest", "excluded"),
            ("requests", "required"),
        ];
        assert_eq!(scopes(&made), expected, "{version} {groups}");
        assert_eq!(hashes(component(&made, requests)), [format!("SHA-256:{A}")], "{version}");
    }
}

#[test]
fn sources_of_a_pdm_lock_are_told() {
    let text = "[metadata]\nlock_version = \"4.5.0\"\n\
        [[package]]\nname = \"g\"\nversion = \"1\"\ngit = \"https://git.corp.example/g.git\"\nref = \"main\"\nrevision = \"0123abcd\"\n\
        [[package]]\nname = \"l\"\nversion = \"1\"\npath = \"./lib\"\neditable = true\n\
        [[package]]\nname = \"u\"\nversion = \"1\"\nurl = \"https://files.corp.example/u-1.zip\"\n";
    let expected = [
        "pkg:pypi/g@1?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fg.git%400123abcd",
        "pkg:pypi/l@1",
        "pkg:pypi/u@1?download_url=https:%2F%2Ffiles.corp.example%2Fu-1.zip",
    ];
    assert_eq!(purls(&bom(&[("pdm.lock", text)])), expected);
}

#[test]
fn a_pdm_lock_that_cannot_be_trusted_whole_is_refused() {
    let lock = pdm_lock("4.5.0", true);
    for (text, code, part) in [
        (String::new(), "MALFORMED", "no `metadata`"),
        (lock.replace("4.5.0", "5.0"), "UNSUPPORTED", "2 to 4"),
        (lock.replace("name = \"idna\"", "name = \"idma\""), "MALFORMED", "does not hold"),
        (lock.replace("\"idna<4,>=2.5\"", "\"idna <4 >2\""), "MALFORMED", "no requirement"),
        (lock.replace("extras = [\"socks\"]\n", ""), "MALFORMED", "twice"),
        (lock.replace("version = \"3.4\"\n", ""), "MALFORMED", "without a version"),
        (lock.replace("sha256:", "sha256-"), "MALFORMED", "hash"),
    ] {
        let (found, message) = refusal(&[("pdm.lock", &text), ("pyproject.toml", PDM_PROJECT)]);
        assert_eq!(found, code, "{part}: {message}");
        assert!(message.contains(part) && message.contains("pdm.lock"), "{part}: {message}");
    }
}

#[test]
fn a_pdm_lock_without_what_the_manifest_needs_is_stale() {
    let project = "[project]\nname = \"app\"\ndependencies = [\"gone\"]\n";
    let (code, message) = refusal(&[("pdm.lock", &pdm_lock("4.5.0", true)), ("pyproject.toml", project)]);
    assert_eq!(code, "MALFORMED");
    assert!(message.contains("lacks `gone`"), "{message}");
}

fn pipfile_lock() -> String {
    format!(
        r#"{{"_meta": {{"hash": {{"sha256": "{A}"}}, "pipfile-spec": 6, "requires": {{}}, "sources": [
            {{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}},
            {{"name": "corp", "url": "https://$USER:${{TOKEN}}@pypi.corp.example/simple", "verify_ssl": true}}]}},
        "default": {{
            "flask": {{"hashes": ["sha256:{A}", "sha256:{B}"], "index": "pypi", "markers": "python_version >= '3.6'", "version": "==2.0.0"}},
            "Click": {{"hashes": ["sha256:{B}"], "version": "==8.0"}},
            "own": {{"index": "corp", "version": "==1.0"}},
            "g": {{"git": "https://git.corp.example/g.git", "ref": "0123abcd"}},
            "lib": {{"editable": true, "path": "./lib"}},
            "u": {{"file": "https://files.corp.example/u-1.zip"}}}},
        "develop": {{"click": {{"version": "==8.0"}}, "pytest": {{"extras": ["testing"], "version": "==8.0"}}}}}}"#
    )
}

#[test]
fn a_pipfile_lock_gives_its_packages_and_the_pipfile_what_is_direct() {
    let lock = pipfile_lock();
    let made = bom(&[("Pipfile.lock", &lock)]);
    let expected = [
        "pkg:pypi/click@8.0",
        "pkg:pypi/flask@2.0.0",
        "pkg:pypi/g?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fg.git%400123abcd",
        "pkg:pypi/lib",
        "pkg:pypi/own@1.0?repository_url=https:%2F%2Fpypi.corp.example%2Fsimple",
        "pkg:pypi/pytest@8.0",
        "pkg:pypi/u?download_url=https:%2F%2Ffiles.corp.example%2Fu-1.zip",
    ];
    assert_eq!(purls(&made), expected);
    assert_eq!(edges(&made)["product"], expected);
    assert_eq!(scopes(&made).iter().find(|(_, scope)| *scope == "excluded"), Some(&("pytest", "excluded")));
    assert_eq!(scopes(&made)[0], ("click", "required"), "it is needed at run time too");
    assert_eq!(hashes(&made.components[1]).len(), 2);
    let pipfile = "[packages]\nFlask = \"*\"\n[dev-packages]\npytest = {version = \"*\", extras = [\"testing\"]}\n[requires]\npython_version = \"3\"\n";
    let made = bom(&[("Pipfile.lock", &lock), ("Pipfile", pipfile)]);
    // a local package that nothing needs belongs to the product all the same
    assert_eq!(edges(&made)["product"], ["pkg:pypi/flask@2.0.0", "pkg:pypi/lib", "pkg:pypi/pytest@8.0"]);
    assert_eq!(property(component(&made, "pkg:pypi/click@8.0"), "sealwright:relationship"), Some("transitive"));
}

#[test]
fn a_pipfile_lock_that_cannot_be_trusted_whole_is_refused() {
    let lock = pipfile_lock();
    for (text, code, part) in [
        (String::new(), "MALFORMED", ""),
        (lock[..lock.len() - 2].to_owned(), "MALFORMED", ""),
        ("{}".to_owned(), "MALFORMED", "no `_meta`"),
        (lock.replace("\"develop\"", "\"development\""), "MALFORMED", "no `develop`"),
        (lock.replace("\"pipfile-spec\": 6", "\"pipfile-spec\": 7"), "UNSUPPORTED", "specification 6"),
        (lock.replace("\"==2.0.0\"", "\">=2.0.0\""), "MALFORMED", "no one version"),
        (lock.replace("\"==2.0.0\"", "\"*\""), "MALFORMED", "without a version"),
        (lock.replace("\"index\": \"corp\"", "\"index\": \"gone\""), "MALFORMED", "no source"),
        (lock.replace("\"Click\"", "\"Flask\""), "MALFORMED", "twice"),
        (lock.replace("\"Click\"", "\"flask\""), "MALFORMED", ""),
        (lock.replace("\"Click\"", "\"a b\""), "MALFORMED", "no name"),
        (lock.replace("sha256:b", "sha256:"), "MALFORMED", "hash"),
    ] {
        let (found, message) = refusal(&[("Pipfile.lock", &text)]);
        assert_eq!(found, code, "{part}: {message}");
        assert!(message.contains(part) && message.contains("Pipfile.lock"), "{part}: {message}");
    }
    let (code, message) = refusal(&[("Pipfile.lock", &lock), ("Pipfile", "[packages]\ngone = \"*\"\n")]);
    assert_eq!(code, "MALFORMED");
    assert!(message.contains("lacks `gone`"), "{message}");
}

fn pylock() -> String {
    format!(
        "lock-version = \"1.0\"\nenvironments = [\"sys_platform == 'linux'\"]\nrequires-python = \">=3.12\"\nextras = [\"web\"]\n\
         dependency-groups = [\"dev\", \"main\"]\ndefault-groups = [\"main\"]\ncreated-by = \"hand\"\n\
         [[packages]]\nname = \"attrs\"\nversion = \"25.1.0\"\nindex = \"https://pypi.org/simple\"\nmarker = \"'main' in dependency_groups\"\n\
         dependencies = [{{ name = \"numpy\", version = \"2.2.3\" }}, {{ name = \"g\", vcs = {{ commit-id = \"0123abcd\" }} }}]\n\
         [packages.sdist]\nname = \"attrs-25.1.0.tar.gz\"\nurl = \"https://f.example/attrs-25.1.0.tar.gz\"\nhashes = {{ sha256 = \"{A}\", md5 = \"{}\" }}\n\
         [[packages.wheels]]\nurl = \"https://f.example/attrs-25.1.0-py3-none-any.whl\"\nhashes = {{ sha256 = \"{B}\", sha224 = \"00\" }}\n\
         [[packages]]\nname = \"numpy\"\nversion = \"2.2.3\"\nmarker = \"'web' in extras and sys_platform == 'linux'\"\n\
         wheels = [{{ name = \"numpy-2.2.3-cp312-cp312-linux_x86_64.whl\", path = \"w/numpy.whl\", hashes = {{}} }}]\n\
         [[packages]]\nname = \"numpy\"\nversion = \"2.0.0\"\nmarker = \"'dev' in dependency_groups\"\nindex = \"https://pypi.corp.example/simple\"\n\
         sdist = {{ url = \"https://pypi.corp.example/numpy-2.0.0.tar.gz\", hashes = {{ sha256 = \"{B}\" }} }}\n\
         [[packages]]\nname = \"g\"\nvcs = {{ type = \"git\", url = \"https://git.corp.example/g.git\", requested-revision = \"main\", commit-id = \"0123abcd\" }}\n\
         [[packages]]\nname = \"lib\"\ndirectory = {{ path = \"lib\", editable = true }}\n\
         [[packages]]\nname = \"u\"\nversion = \"1\"\narchive = {{ url = \"https://files.corp.example/u-1.zip\", hashes = {{ sha256 = \"{A}\" }} }}\n",
        &A[..32]
    )
}

#[test]
fn a_pylock_gives_its_packages_by_any_of_its_names() {
    for name in ["pylock.toml", "pylock.prod.toml"] {
        let made = bom(&[(name, &pylock())]);
        let g = "pkg:pypi/g?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fg.git%400123abcd";
        let expected = [
            "pkg:pypi/attrs@25.1.0",
            g,
            "pkg:pypi/lib",
            "pkg:pypi/numpy@2.0.0?repository_url=https:%2F%2Fpypi.corp.example%2Fsimple",
            "pkg:pypi/numpy@2.2.3",
            "pkg:pypi/u@1?download_url=https:%2F%2Ffiles.corp.example%2Fu-1.zip",
        ];
        assert_eq!(purls(&made), expected);
        assert_eq!(edges(&made)["pkg:pypi/attrs@25.1.0"], [g, "pkg:pypi/numpy@2.2.3"]);
        // what no other package needs
        assert_eq!(edges(&made)["product"], [expected[0], expected[2], expected[3], expected[5]]);
        let scopes: Vec<_> = scopes(&made).into_iter().map(|(_, scope)| scope).collect();
        assert_eq!(scopes, ["required", "required", "required", "excluded", "optional", "required"]);
        let expected = [format!("MD5:{}", &A[..32]), format!("SHA-256:{A}"), format!("SHA-256:{B}")];
        assert_eq!(hashes(&made.components[0]), expected);
    }
}

#[test]
fn a_pylock_that_cannot_be_trusted_whole_is_refused() {
    let lock = pylock();
    for (text, code, part) in [
        (String::new(), "MALFORMED", "no `lock-version`"),
        ("lock-version = \"1.0\"\n".to_owned(), "MALFORMED", "packages"),
        (lock.replace("lock-version = \"1.0\"", "lock-version = \"2.0\""), "UNSUPPORTED", "version 1 is read"),
        (
            lock.replace("{ name = \"numpy\", version = \"2.2.3\" }", "{ name = \"numpy\" }"),
            "MALFORMED",
            "more than one",
        ),
        (
            lock.replace("{ name = \"numpy\", version = \"2.2.3\" }", "{ name = \"gone\" }"),
            "MALFORMED",
            "does not hold",
        ),
        (lock.replace("{ commit-id = \"0123abcd\" }", "{ commit-id = \"ffff\" }"), "MALFORMED", "does not hold"),
        (lock.replace("directory = { path = \"lib\", editable = true }\n", ""), "MALFORMED", "from where"),
        (
            lock.replace("name = \"numpy\"\nversion = \"2.2.3\"\n", "name = \"numpy\"\n"),
            "MALFORMED",
            "without a version",
        ),
        (lock.replace("sha256 = \"a", "sha256 = \""), "MALFORMED", "hash"),
    ] {
        let (found, message) = refusal(&[("pylock.toml", &text)]);
        assert_eq!(found, code, "{part}: {message}");
        assert!(message.contains(part) && message.contains("pylock.toml"), "{part}: {message}");
    }
    let project = "[project]\nname = \"app\"\ndependencies = [\"gone\"]\n";
    assert_eq!(refusal(&[("pylock.toml", &lock), ("pyproject.toml", project)]).0, "MALFORMED");
    assert_eq!(refusal(&[("pylock.dev.toml", &lock), ("pyproject.toml", project)]).0, "accepted");
}

#[test]
fn lock_files_that_list_different_files_of_a_release_agree() {
    let lock = |file: &str, hash: &str| {
        format!(
            "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\n\
             wheels = [{{ url = \"https://f.example/{file}\", hashes = {{ sha256 = \"{hash}\" }} }}]\n"
        )
    };
    let (linux, mac) = (lock("a-1-cp312-cp312-linux_x86_64.whl", A), lock("a-1-cp312-cp312-macosx_11_0_arm64.whl", B));
    let made = bom(&[("pylock.linux.toml", &linux), ("pylock.mac.toml", &mac)]);
    assert_eq!(hashes(&made.components[0]).len(), 2);
    let forged = lock("a-1-cp312-cp312-linux_x86_64.whl", B);
    assert_eq!(refusal(&[("pylock.linux.toml", &linux), ("pylock.other.toml", &forged)]).0, "DIGEST_MISMATCH");
}

#[test]
fn large_lock_files_are_read_in_time_and_too_many_versions_are_refused() {
    let begun = Instant::now();
    let head = "version = 1\n".to_owned();
    let package = |name: &str, version: usize, need: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\n\
             dependencies = [{{ name = \"{need}\", version = \"0\" }}]\n"
        )
    };
    let chain: String = (0..20_000).map(|n| package(&format!("p{n}"), 0, &format!("p{}", (n + 1) % 20_000))).collect();
    let options = {
        let mut options = GenerateOptions::default();
        options.name = Some("product".into());
        options
    };
    let dir = tree(&[("uv.lock", &(head.clone() + &chain))]);
    assert_eq!(sbom::generate(dir.path(), &options).unwrap().components.len(), 20_000);
    let versions: String = (0..200).map(|n| package("p", n, "p")).collect();
    assert_eq!(refusal(&[("uv.lock", &(head + &versions))]).0, "LIMIT_EXCEEDED");
    let deep = format!("version = 1\nx = {}", "[".repeat(100_000));
    assert_eq!(refusal(&[("uv.lock", &deep)]).0, "MALFORMED");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn damaged_files_never_panic(which in 0_usize..6, place in any::<prop::sample::Index>(), with in r"(\PC|[\n\[\]{}=,]){0,4}", cut in 0_usize..12) {
        let (name, mut text) = match which {
            0 => ("uv.lock", uv_lock()),
            1 => ("poetry.lock", poetry_lock("2.1")),
            2 => ("pdm.lock", pdm_lock("4.5.0", true)),
            3 => ("Pipfile.lock", pipfile_lock()),
            4 => ("pylock.toml", pylock()),
            _ => ("poetry.lock", poetry_lock("1.0")),
        };
        let at = place.index(text.len());
        text.replace_range(at..(at + cut).min(text.len()), &with);
        let dir = tree(&[(name, &text), ("pyproject.toml", &PDM_PROJECT.replace("app", &with))]);
        let _ = sbom::generate(dir.path(), &GenerateOptions::default());
    }
}
