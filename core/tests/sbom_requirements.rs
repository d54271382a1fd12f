//! SBOMs of requirements files of pip.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod corpora;
mod locked;

use std::collections::BTreeSet;

use proptest::prelude::*;
use sealwright::sbom::{self, GenerateOptions};

use self::corpora::corpora;
use self::locked::{bom, bom_of_manifest, component, edges, hashes, property, purls, refusal, scopes, tree};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

#[test]
fn pins_give_components_with_all_their_hashes() {
    let text = format!(
        "# made by hand\n--require-hashes\nFlask[async]==2.0.0 ; python_version >= '3.8' \\\n    --hash=sha256:{A} \\\n    \
         --hash sha256:{B}\nzope.interface === 5.0 # exact\nPy_YAML (==6.0)\nidna>=3,==3.4\n"
    );
    let made = bom(&[("requirements.txt", &text)]);
    assert_eq!(
        purls(&made),
        ["pkg:pypi/flask@2.0.0", "pkg:pypi/idna@3.4", "pkg:pypi/py-yaml@6.0", "pkg:pypi/zope-interface@5.0"]
    );
    let flask = component(&made, "pkg:pypi/flask@2.0.0");
    assert_eq!(hashes(flask), [format!("SHA-256:{A}"), format!("SHA-256:{B}")]);
    assert_eq!(property(flask, "sealwright:relationship"), Some("direct"));
    assert_eq!(edges(&made)["product"].len(), 4);
    assert!(scopes(&made).iter().all(|(_, scope)| *scope == "required"));
}

#[test]
fn a_requirement_that_is_not_pinned_is_refused_with_what_to_do() {
    for line in ["flask", "flask>=2", "flask==2.*", "flask~=2.0", "flask!=2.0", "flask<3,>2", "flask[async]"] {
        let (code, message) = refusal(&[("requirements.txt", &format!("click==8.0\n{line}\n"))]);
        assert_eq!(code, "MALFORMED", "{line}");
        let parts = ["`requirements.txt`", line, "line 2", "pip-compile", "uv pip compile"];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    // a revision is to a repository what a version is to a package
    assert_eq!(refusal(&[("requirements.txt", "git+https://git.corp.example/a.git#egg=a\n")]).0, "MALFORMED");
}

#[test]
fn a_constraint_file_pins_what_is_wanted_and_adds_nothing() {
    let files = [
        ("requirements.txt", "-c constraints.txt\nflask>=2\n"),
        ("constraints.txt", "flask==2.1.0\nunused==1.0\nloose>=1\n"),
    ];
    assert_eq!(purls(&bom(&files)), ["pkg:pypi/flask@2.1.0"]);
    let files = [("requirements.txt", "-c c.txt\nflask\n"), ("c.txt", "flask==1 ; x\nflask==2 ; y\n")];
    assert_eq!(refusal(&files).0, "MALFORMED", "which of the two is not told");
}

#[test]
fn included_files_of_the_tree_are_read_once() {
    let files = [
        ("requirements-dev.txt", "-r requirements/base.in\n--requirement=requirements/more.in\npytest==8.0\n"),
        ("requirements/base.in", "click==8.0\n"),
        ("requirements/more.in", "-r base.in\n-r ../other/deep.in\n"),
        ("other/deep.in", "-rleaf.in"),
        ("other/leaf.in", "idna==3.4"),
    ];
    let made = bom(&files);
    assert_eq!(purls(&made), ["pkg:pypi/click@8.0", "pkg:pypi/idna@3.4", "pkg:pypi/pytest@8.0"]);
    let idna = component(&made, "pkg:pypi/idna@3.4");
    assert_eq!(property(idna, "sealwright:lockfile"), Some("requirements-dev.txt"));
}

#[test]
fn an_include_leads_neither_out_of_the_tree_nor_round() {
    for (line, part) in [
        ("-r ../secret.txt", "not in the tree"),
        ("-r /etc/passwd", "not in the tree"),
        ("-r https://x.example/r.txt", "not in the tree"),
        ("-r a/../../x.txt", "not in the tree"),
        ("-r gone.txt", "not there"),
        ("-r requirements.txt", "includes it"),
        ("-r sub/back.txt", "includes it"),
    ] {
        let files = [("requirements.txt", line), ("sub/back.txt", "-r ../requirements.txt")];
        let (code, message) = refusal(&files);
        assert_eq!(code, "MALFORMED", "{line}");
        assert!(message.contains(part), "{message}");
    }
    let mut many: Vec<(String, String)> =
        (0..100).map(|n| (format!("sub/{n}.in"), format!("-r {}.in\n", n + 1))).collect();
    many.push(("requirements.txt".into(), "-r sub/0.in".into()));
    many.push(("sub/100.in".into(), "a==1".into()));
    let many: Vec<_> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(refusal(&many).0, "LIMIT_EXCEEDED");
}

#[cfg(unix)]
#[test]
fn an_include_through_a_link_is_refused() {
    let elsewhere = tree(&[("secret.txt", "a==1\n")]);
    let dir = tree(&[("requirements.txt", "-r link/secret.txt\n")]);
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("link")).unwrap();
    let mut options = GenerateOptions::default();
    options.name = Some("product".into());
    let refused = sbom::generate(dir.path(), &options).unwrap_err();
    assert_eq!(refused.code(), "MALFORMED");
    assert!(refused.message().contains("is a link"), "{refused}");
}

#[test]
fn s025_a_requirement_from_elsewhere_says_where_it_comes_from_and_no_credential() {
    let text = format!(
        "--index-url https://user:s3cret@pypi.corp.example/simple\nplain==1.0\n\
         a @ git+https://s3cret@git.corp.example/a.git@0123abcd\n\
         -e git+ssh://git@git.corp.example/team/b.git@v1.0#egg=B&subdirectory=lib\n\
         c @ https://files.corp.example/c-2.0-py3-none-any.whl#sha256={A}\n\
         https://files.corp.example/d-3.0.tar.gz?token=s3cret --hash=sha256:{B}\n"
    );
    let made = bom(&[("requirements.txt", &text)]);
    assert_eq!(
        purls(&made),
        [
            "pkg:pypi/a?vcs_url=git%2Bhttps:%2F%2Fgit.corp.example%2Fa.git%400123abcd",
            "pkg:pypi/b?vcs_url=git%2Bssh:%2F%2Fgit%40git.corp.example%2Fteam%2Fb.git%40v1.0%23lib",
            "pkg:pypi/c@2.0?download_url=https:%2F%2Ffiles.corp.example%2Fc-2.0-py3-none-any.whl",
            "pkg:pypi/d@3.0?download_url=https:%2F%2Ffiles.corp.example%2Fd-3.0.tar.gz",
            "pkg:pypi/plain@1.0?repository_url=https:%2F%2Fpypi.corp.example%2Fsimple",
        ]
    );
    assert_eq!(hashes(&made.components[2]), [format!("SHA-256:{A}")]);
    assert!(!String::from_utf8(made.to_json().unwrap()).unwrap().contains("s3cret"));
    // from which of two indexes it comes is not told
    let two = "--extra-index-url https://pypi.corp.example/simple\n-i https://pypi.org/simple/\nplain==1.0\n";
    assert_eq!(purls(&bom(&[("requirements.txt", two)])), ["pkg:pypi/plain@1.0"]);
}

#[test]
fn folders_are_local_packages_and_the_own_one_is_the_product() {
    let files = [
        ("requirements.txt", "-e .[dev]\n-e ./lib\n./plain\nclick==8.0\n"),
        ("pyproject.toml", "[project]\nname = \"App\"\nversion = \"1.0\"\nlicense = \"MIT\"\n"),
        ("lib/pyproject.toml", "[project]\nname = \"corp.lib\"\nversion = \"0.1\"\n"),
        ("plain/setup.py", ""),
    ];
    let made = bom_of_manifest(&files);
    assert_eq!(made.metadata.component.purl.as_deref(), Some("pkg:pypi/app@1.0"));
    assert_eq!(made.metadata.component.licenses.len(), 1);
    assert_eq!(purls(&made), ["pkg:pypi/click@8.0", "pkg:pypi/corp-lib@0.1", "pkg:pypi/plain"]);
}

#[test]
fn the_notes_of_pip_compile_give_the_edges() {
    let text = "#\n# This file is autogenerated by pip-compile with Python 3.12\n#\nclick==8.0\n    # via flask\nflask==2.0\n    \
                # via -r requirements.in\nidna==3.4\n    # via\n    #   flask\n    #   httpx\nhttpx==0.27  # via app (pyproject.toml)\n";
    let made = bom(&[("requirements.txt", text)]);
    let edges = edges(&made);
    assert_eq!(edges["product"], ["pkg:pypi/flask@2.0", "pkg:pypi/httpx@0.27"]);
    assert_eq!(edges["pkg:pypi/flask@2.0"], ["pkg:pypi/click@8.0", "pkg:pypi/idna@3.4"]);
    assert_eq!(edges["pkg:pypi/httpx@0.27"], ["pkg:pypi/idna@3.4"]);
    let idna = component(&made, "pkg:pypi/idna@3.4");
    assert_eq!(property(idna, "sealwright:relationship"), Some("transitive"));
}

#[test]
fn two_versions_need_markers_and_the_same_twice_is_one() {
    let made =
        bom(&[("requirements.txt", "a==1 ; python_version < '3.9'\na==2 ; python_version >= '3.9'\nb==1\nB==1\n")]);
    assert_eq!(purls(&made), ["pkg:pypi/a@1", "pkg:pypi/a@2", "pkg:pypi/b@1"]);
    let (code, message) = refusal(&[("requirements.txt", "a==1\na==2\n")]);
    assert_eq!(code, "MALFORMED");
    assert!(message.contains("two versions"), "{message}");
}

#[test]
fn usual_names_are_found_and_lists_of_different_files_are_united() {
    let one = format!("a==1 --hash=sha256:{A} --hash=sha256:{B}\n");
    let other = format!("a==1 --hash=sha256:{A} --hash=sha512:{A}{A}\n");
    let files =
        [("requirements.txt", one.as_str()), ("requirements-dev.txt", &other), ("dev-requirements.txt", "b==1\n")];
    let made = bom(&files);
    assert_eq!(purls(&made), ["pkg:pypi/a@1", "pkg:pypi/b@1"]);
    assert_eq!(hashes(&made.components[0]).len(), 3);
    // no file is in both lists: one of them is of something else
    let wrong = format!("a==1 --hash=sha256:{B}\n");
    let right = format!("a==1 --hash=sha256:{A}\n");
    assert_eq!(refusal(&[("requirements.txt", &wrong), ("x/requirements.txt", &right)]).0, "DIGEST_MISMATCH");
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "--no-such-option\n",
        "a==1 --no-such-option\n",
        "a==1 --hash=sha256:00\n",
        "a==1 --hash=crc32:00000000\n",
        "a==1 --hash\n",
        "a b==1\n",
        "a==\u{202e}1\n",
        "==1\n",
        "-e\n",
        "https://x.example/archive/main.zip\n",
        "<<<<<<< HEAD\na==1\n>>>>>>> x\n",
        "{\"not\": \"requirements\"}\n",
    ] {
        assert_eq!(refusal(&[("requirements.txt", text)]).0, "MALFORMED", "{text}");
    }
    assert_eq!(bom(&[("requirements.txt", "# nothing\n\n")]).components.len(), 0);
}

#[test]
fn fixtures_of_others_are_read_or_refused_for_a_reason() {
    let Some(dir) = corpora("lockfiles/trivy-fixtures/pip") else { return };
    let text = std::fs::read_to_string(dir.join("requirements.txt")).unwrap();
    // one of its lines is a range: `MarkupSafe>2.0.0`
    let (code, message) = refusal(&[("requirements.txt", &text)]);
    assert_eq!(code, "MALFORMED");
    assert!(message.contains("MarkupSafe>2.0.0"), "{message}");
    let pinned: String = text.lines().filter(|line| line.contains("==")).map(|line| format!("{line}\n")).collect();
    let made = bom(&[("requirements.txt", &pinned)]);
    let expected: BTreeSet<String> = pinned
        .lines()
        .map(|line| line.split_once("==").unwrap())
        .map(|(name, version)| format!("pkg:pypi/{}@{version}", name.to_lowercase()))
        .collect();
    assert_eq!(purls(&made).into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_files_never_panic(place in any::<prop::sample::Index>(), with in r"(\PC|[\n\\#@;=-]){0,6}", cut in 0_usize..8) {
        let text = format!("-c c.txt\nFlask[async]==2.0.0 ; python_version >= '3.8' \\\n    --hash=sha256:{A}\n    # via x\n\
            a @ git+https://git.corp.example/a.git@0123abcd#egg=a\n-e ./lib\nhttps://x.example/d-3.0.tar.gz\n");
        let mut text = text;
        let at = place.index(text.len());
        text.replace_range(at..(at + cut).min(text.len()), &with);
        let dir = tree(&[("requirements.txt", &text), ("c.txt", &with)]);
        let _ = sbom::generate(dir.path(), &GenerateOptions::default());
    }
}
