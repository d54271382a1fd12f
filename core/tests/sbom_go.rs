//! SBOMs of Go modules.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod corpora;
mod locked;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use sealwright::sbom::{self, GenerateOptions};

use self::corpora::corpora;
use self::locked::{bom, bom_of_manifest, component, edges, generate, hashes, property, purls, refusal, scopes, tree};

const SUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const OTHER_SUM: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

const MOD: &str = "module github.com/Corp/app

go 1.21

require (
	github.com/BurntSushi/toml v1.3.2
	example.org/old v1.0.0
	example.org/near v0.1.0
)

require gopkg.in/yaml.v3 v3.0.1 // indirect

require github.com/x/y/v2 v2.0.0+incompatible // indirect

replace example.org/old v1.0.0 => example.org/new v1.1.0

replace example.org/near => ./near

exclude example.org/new v0.9.0
";

fn go_sum() -> String {
    format!(
        "github.com/BurntSushi/toml v1.3.2 h1:{SUM}\ngithub.com/BurntSushi/toml v1.3.2/go.mod h1:{OTHER_SUM}\n\
         github.com/BurntSushi/toml v1.2.0 h1:{OTHER_SUM}\nexample.org/new v1.1.0 h1:{OTHER_SUM}\n\
         example.org/unused v1.0.0/go.mod h1:{SUM}\n"
    )
}

#[test]
fn a_go_mod_gives_the_modules_that_it_lists_with_what_replaces_them() {
    let bom = bom_of_manifest(&[("go.mod", MOD), ("go.sum", &go_sum())]);
    assert_eq!(bom.metadata.component.purl.as_deref(), Some("pkg:golang/github.com/corp/app"));
    assert_eq!(bom.metadata.component.name, "github.com/Corp/app");
    assert_eq!(
        purls(&bom),
        [
            "pkg:golang/example.org/near",
            "pkg:golang/example.org/new@v1.1.0",
            "pkg:golang/github.com/burntsushi/toml@v1.3.2",
            "pkg:golang/github.com/x/y/v2@v2.0.0%2Bincompatible",
            "pkg:golang/gopkg.in/yaml.v3@v3.0.1",
        ]
    );
    let direct = [
        "pkg:golang/example.org/near",
        "pkg:golang/example.org/new@v1.1.0",
        "pkg:golang/github.com/burntsushi/toml@v1.3.2",
    ];
    assert_eq!(edges(&bom), BTreeMap::from([("pkg:golang/github.com/corp/app", direct.to_vec())]));
    assert!(scopes(&bom).iter().all(|(_, scope)| *scope == "required"));
}

#[test]
fn the_hash_of_a_go_sum_is_carried_as_what_it_is() {
    let bom = bom_of_manifest(&[("go.mod", MOD), ("go.sum", &go_sum())]);
    let toml = component(&bom, "pkg:golang/github.com/burntsushi/toml@v1.3.2");
    assert_eq!(hashes(toml), [""; 0], "an `h1` is the hash of no archive");
    assert_eq!(property(toml, "sealwright:go-sum"), Some(&*format!("h1:{SUM}")));
    assert_eq!(property(toml, "sealwright:lockfile"), Some("go.mod"));
    let replaced = component(&bom, "pkg:golang/example.org/new@v1.1.0");
    assert_eq!(property(replaced, "sealwright:go-sum"), Some(&*format!("h1:{OTHER_SUM}")));
    let unlisted = component(&bom, "pkg:golang/gopkg.in/yaml.v3@v3.0.1");
    assert_eq!(property(unlisted, "sealwright:go-sum"), None);
}

#[test]
fn two_modules_of_a_tree_are_one_graph_and_their_hashes_agree() {
    let near = "module example.org/near\n\ngo 1.21\n\nrequire gopkg.in/yaml.v3 v3.0.1\n";
    let files = [("go.mod", MOD), ("near/go.mod", near)];
    let bom = bom_of_manifest(&files);
    assert_eq!(edges(&bom)["pkg:golang/example.org/near"], ["pkg:golang/gopkg.in/yaml.v3@v3.0.1"]);
    let one = format!("gopkg.in/yaml.v3 v3.0.1 h1:{SUM}\n");
    let other = format!("gopkg.in/yaml.v3 v3.0.1 h1:{OTHER_SUM}\n");
    let files = [("go.mod", MOD), ("near/go.mod", near), ("go.sum", &one), ("near/go.sum", &other)];
    assert_eq!(refusal(&files).0, "DIGEST_MISMATCH");
}

#[test]
fn before_go_1_17_modules_that_are_not_direct_come_from_the_go_sum() {
    let manifest = "module example.org/a\n\ngo 1.16\n\nrequire example.org/b v1.0.0\n";
    let sums = format!(
        "example.org/b v1.0.0 h1:{SUM}\nexample.org/c v1.9.0 h1:{SUM}\nexample.org/c v1.10.0 h1:{SUM}\n\
         example.org/c v1.10.0/go.mod h1:{SUM}\nexample.org/d v1.0.0/go.mod h1:{SUM}\n\
         example.org/e v1.0.0 h1:{SUM}\nexample.org/e v1.1.0/go.mod h1:{SUM}\nexample.org/a v0.1.0 h1:{SUM}\n"
    );
    let made = bom_of_manifest(&[("go.mod", manifest), ("go.sum", &sums)]);
    // of `d` and of the selected version of `e` nothing is built
    assert_eq!(purls(&made), ["pkg:golang/example.org/b@v1.0.0", "pkg:golang/example.org/c@v1.10.0"]);
    assert_eq!(edges(&made)["pkg:golang/example.org/a"], ["pkg:golang/example.org/b@v1.0.0"]);
    let (code, message) = refusal(&[("go.mod", manifest)]);
    assert_eq!(code, "MALFORMED");
    assert!(message.contains("go mod tidy -go=1.17"), "{message}");
    // the same file for a later Go lists all
    let later = manifest.replace("1.16", "1.17");
    assert_eq!(purls(&bom_of_manifest(&[("go.mod", &later), ("go.sum", &sums)])), ["pkg:golang/example.org/b@v1.0.0"]);
    assert_eq!(bom(&[("go.mod", "module example.org/a\n")]).components.len(), 1, "nothing is needed");
}

#[test]
fn a_go_mod_that_cannot_be_trusted_whole_is_refused() {
    let both = format!("example.org/b v1.0.0 h1:{SUM}\nexample.org/b v1.0.0 h1:{OTHER_SUM}\n");
    let cases: &[(&str, &str)] = &[
        ("", ""),
        ("go 1.21\n", ""),
        ("module a\nrequire (\n\tb v1.0.0\n", ""),
        ("module a\nrequire b v1.0.0\nrequire b v1.1.0\ngo 1.21\n", ""),
        ("module a\nrequire b v1.0.0\nexclude b v1.0.0\ngo 1.21\n", ""),
        ("module a\nrequire b latest\ngo 1.21\n", ""),
        ("module a\nrequire ../b v1.0.0\ngo 1.21\n", ""),
        ("module a\nfetch b v1.0.0\ngo 1.21\n", ""),
        ("module a\ngo 1.21\n<<<<<<< HEAD\nrequire b v1.0.0\n>>>>>>> x\n", ""),
        ("module a\ngo 1.21\n", &both),
        ("module a\ngo 1.21\n", "example.org/b v1.0.0"),
        ("module a\ngo 1.21\n", "example.org/b v1.0.0 h1:AAAA"),
    ];
    for (manifest, sums) in cases {
        let (code, message) = refusal(&[("go.mod", manifest), ("go.sum", sums)]);
        assert_eq!(code, "MALFORMED", "{manifest}: {message}");
        assert!(message.contains("go.mod") || message.contains("go.sum"), "{message}");
    }
}

/// Path, version and whether it is indirect, of each requirement, read by lines.
fn requirements(go_mod: &Path) -> BTreeSet<(String, String, bool)> {
    let text = std::fs::read_to_string(go_mod).unwrap();
    let line = regex::Regex::new(r"(?m)^(?:require)?\s+([^\s()]+) (v\S+)( // indirect)?$").unwrap();
    line.captures_iter(&text).map(|c| (c[1].to_owned(), c[2].to_owned(), c.get(3).is_some())).collect()
}

#[test]
fn real_go_modules_give_every_module_and_no_other() {
    let Some(dir) = corpora("lockfiles") else { return };
    for (folder, least) in [("real/syft", 250), ("trivy-fixtures/gomod", 18)] {
        // the one module, without those in folders of its tree
        let read = |name| std::fs::read_to_string(dir.join(folder).join(name)).unwrap();
        let made = bom_of_manifest(&[("go.mod", &read("go.mod")), ("go.sum", &read("go.sum"))]);
        let wanted = requirements(&dir.join(folder).join("go.mod"));
        assert!(wanted.len() >= least, "{}", wanted.len());
        let found: BTreeSet<_> = (made.components.iter())
            .map(|c| {
                let indirect = property(c, "sealwright:relationship") == Some("transitive");
                (c.name.clone(), c.version.clone().unwrap(), indirect)
            })
            .collect();
        let missing: Vec<_> = wanted.difference(&found).collect();
        let more: Vec<_> = found.difference(&wanted).collect();
        assert!(missing.is_empty() && more.is_empty(), "{folder}: {missing:?} {more:?}");
        for component in made.components.iter().filter(|c| c.version.is_some()) {
            let version = component.version.as_ref().unwrap().replace('+', "%2B");
            let purl = format!("pkg:golang/{}@{version}", component.name.to_lowercase());
            assert_eq!(component.purl.as_deref(), Some(&*purl));
        }
        let sums = read("go.sum");
        for component in &made.components {
            if let (Some(version), Some(sum)) = (&component.version, property(component, "sealwright:go-sum")) {
                let line = format!("{} {version} {sum}", component.name);
                assert!(sums.contains(&line), "{line}");
            }
        }
        let with_sum = made.components.iter().filter(|c| property(c, "sealwright:go-sum").is_some()).count();
        assert!(with_sum * 10 > made.components.len() * 8, "{with_sum} of {}", made.components.len());
    }
}

#[test]
fn fixtures_of_go_before_1_17_take_what_is_built_from_the_go_sum() {
    let Some(dir) = corpora("lockfiles/trivy-fixtures/gomod") else { return };
    let made = generate(&dir.join("submod"), None);
    assert_eq!(
        purls(&made),
        [
            "pkg:golang/github.com/docker/distribution@v2.7.1%2Bincompatible",
            "pkg:golang/github.com/pmezard/go-difflib@v1.0.0",
            "pkg:golang/github.com/stretchr/testify@v1.7.0",
            "pkg:golang/gopkg.in/check.v1@v0.0.0-20161208181325-20d25e280405",
            "pkg:golang/gopkg.in/yaml.v3@v3.0.0-20200313102051-9f266ea9e77c",
        ]
    );
    let made = generate(&dir.join("submod2"), None);
    let purls = purls(&made);
    assert!(purls.contains(&"pkg:golang/github.com/davecgh/go-spew@v1.1.0"), "{purls:?}");
    assert!(purls.contains(&"pkg:golang/github.com/docker/distribution@v2.7.1%2Bincompatible"), "{purls:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_files_never_panic(place in any::<prop::sample::Index>(), with in r"(\PC|\n){0,4}", cut in 0_usize..8) {
        let mut text = MOD.to_owned();
        let at = place.index(text.len());
        text.replace_range(at..(at + cut).min(text.len()), &with);
        let sums = go_sum();
        let sum_at = place.index(sums.len());
        let dir = tree(&[("go.mod", &text), ("go.sum", &format!("{}{with}{}", &sums[..sum_at], &sums[sum_at..]))]);
        let _ = sbom::generate(dir.path(), &GenerateOptions::default());
    }
}
