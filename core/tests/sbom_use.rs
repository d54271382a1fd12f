//! What SBOMs are asked: what changed, what is missing, which licences, what is affected (systems rows 22, 26, 45).

#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;

use sealwright::limits;
use sealwright::sbom::{
    Change, Document, Element, LicensePolicy, MergeOptions, Query, Rule, Target, VersionRange, Vex, VexStatus, convert,
    diff, merge, read, score, validate,
};
use serde_json::{Value, json};

use self::corpora::corpora;

fn bom(components: Value) -> Vec<u8> {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components }).to_string().into_bytes()
}

fn library(name: &str, version: &str, license: &str) -> Value {
    let purl = format!("pkg:npm/{name}@{version}");
    json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
        "licenses": [{ "expression": license }] })
}

fn document(bytes: &[u8]) -> Document {
    Document::parse(bytes).unwrap()
}

#[test]
fn s045_a_forbidden_licence_is_found_and_an_allowed_alternative_passes() {
    let mut policy = LicensePolicy::default();
    policy.deny = vec!["GPL-2.0-only".to_owned(), "Business Licence".to_owned()];
    let faults = |policy: &LicensePolicy, license: Value| {
        let bytes = bom(json!([{ "type": "library", "name": "a", "licenses": license }]));
        policy.check(&read(&bytes).unwrap()).unwrap().len()
    };
    let expression = |text: &str| json!([{ "expression": text }]);
    for (text, refused) in [
        ("MIT", 0),
        ("GPL-2.0-only", 1),
        ("MIT OR GPL-2.0-only", 0),
        ("MIT AND GPL-2.0-only", 1),
        ("(MIT OR Zlib) AND (GPL-2.0-only OR Apache-2.0)", 0),
        ("GPL-2.0-only WITH Classpath-exception-2.0", 1),
        ("LicenseRef-own", 0),
        ("no expression at all (", 1),
    ] {
        assert_eq!(faults(&policy, expression(text)), refused, "{text}");
    }
    assert_eq!(faults(&policy, json!([{ "license": { "name": "Business Licence" } }])), 1);
    assert_eq!(faults(&policy, json!([{ "license": { "id": "MIT" } }, { "license": { "id": "GPL-2.0-only" } }])), 1);
    assert_eq!(faults(&policy, json!([])), 1, "nobody knows what a component without a licence is under");
    policy.allow_unlicensed = true;
    assert_eq!(faults(&policy, json!([])), 0);
    // where a list allows, only what is on it passes
    policy.allow = vec!["MIT".to_owned(), "GPL-2.0-only WITH Classpath-exception-2.0".to_owned()];
    assert_eq!(faults(&policy, expression("GPL-2.0-only WITH Classpath-exception-2.0")), 0);
    assert_eq!(faults(&policy, expression("Apache-2.0")), 1);
    assert_eq!(faults(&policy, expression("Apache-2.0 OR MIT")), 0);
    let nothing = LicensePolicy::default().check(&read(&bom(json!([]))).unwrap());
    assert_eq!(nothing.unwrap_err().code(), "API_MISUSE", "nothing demanded is no pass");
}

#[test]
fn s026_another_digest_of_a_dataset_is_told_and_the_same_one_is_not() {
    let model = |digest: &str| {
        bom(json!([
            { "type": "machine-learning-model", "bom-ref": "model", "name": "triage", "version": "3",
              "modelCard": { "modelParameters": { "datasets": [{ "ref": "scans" }] } } },
            { "type": "data", "bom-ref": "scans", "name": "scans", "version": "2026-10",
              "data": [{ "type": "dataset" }], "hashes": [{ "alg": "SHA-256", "content": digest.repeat(64) }] },
        ]))
    };
    let (before, same, after) = (model("a"), model("a"), model("b"));
    assert_eq!(validate(&before).unwrap(), []);
    let summary = read(&before).unwrap();
    assert_eq!(summary.components[0].datasets[0].name.as_deref(), Some("scans"));
    assert!(diff(&summary, &read(&same).unwrap()).is_empty());
    let difference = diff(&summary, &read(&after).unwrap());
    assert_eq!(difference.datasets[0].component, "machine-learning-model triage");
    assert_eq!(difference.replaced[0].component, "data scans");
}

#[test]
fn what_was_added_removed_raised_and_lowered_is_told() {
    let before = bom(json!([
        library("a", "1.9.0", "MIT"),
        library("b", "2.0.0", "MIT"),
        library("c", "1.0.0", "MIT"),
        library("d", "1.0.0", "MIT"),
        library("e", "1.0.0", "MIT"),
        library("e", "2.0.0", "MIT"),
    ]));
    let after = bom(json!([
        library("a", "1.10.0", "MIT"),
        library("b", "1.0.0", "MIT"),
        library("d", "1.0.0", "Apache-2.0"),
        library("e", "2.0.0", "MIT"),
        library("f", "1.0.0", "MIT"),
    ]));
    let difference = diff(&read(&before).unwrap(), &read(&after).unwrap());
    let told = |changes: &[Change]| -> Vec<String> {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        changes.iter().map(|c| format!("{} {} {}", c.component, part(&c.before), part(&c.after))).collect()
    };
    assert_eq!(told(&difference.added), ["pkg:npm/f  1.0.0"]);
    assert_eq!(told(&difference.removed), ["pkg:npm/c 1.0.0 ", "pkg:npm/e 1.0.0 "]);
    assert_eq!(told(&difference.upgraded), ["pkg:npm/a 1.9.0 1.10.0"]);
    assert_eq!(told(&difference.downgraded), ["pkg:npm/b 2.0.0 1.0.0"]);
    assert_eq!(told(&difference.licenses), ["pkg:npm/d MIT Apache-2.0"]);
    assert!(diff(&read(&after).unwrap(), &read(&after).unwrap()).is_empty());
}

#[test]
fn an_sbom_converted_and_back_has_no_difference() {
    let own = |name: &str| {
        let license = json!({ "name": "Own", "text": { "content": "do as you like" }, "url": "https://own.example" });
        json!({ "type": "library", "bom-ref": name, "name": name, "version": "1", "licenses": [{ "license": license }] })
    };
    let bytes = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": { "timestamp": "2026-11-21T09:30:00Z", "component": { "type": "application", "bom-ref": "app", "name": "app" } },
        "components": [library("a", "1.0.0", "MIT OR Zlib"), own("b"), own("b2"),
            { "type": "framework", "bom-ref": "c", "group": "@corp", "name": "c", "purl": "pkg:npm/%40corp/c@1", "version": "1",
              "scope": "optional", "hashes": [{ "alg": "SHA-256", "content": "ab".repeat(32) }],
              "supplier": { "name": "Corp" }, "licenses": [{ "license": { "name": "Own", "text": { "content": "do as you like" } } }] }],
        "dependencies": [{ "ref": "app", "dependsOn": ["pkg:npm/a@1.0.0", "c"] }, { "ref": "c", "dependsOn": [] }] });
    let there = convert(&document(bytes.to_string().as_bytes()), Target::Spdx, None).unwrap();
    assert_eq!(there.lost, []);
    assert_eq!(there.document.validate().unwrap(), []);
    let back = convert(&there.document, Target::CycloneDx, None).unwrap();
    assert_eq!(back.lost, []);
    assert_eq!(back.document.validate().unwrap(), []);
    let (first, last) = (read(bytes.to_string().as_bytes()).unwrap(), back.document.summary().unwrap());
    assert!(diff(&first, &last).is_empty(), "{:?}", diff(&first, &last));
    assert_eq!(first.identifier, last.identifier);
    assert_eq!(first.components[3].scope, last.components[3].scope);
    assert_eq!(first.components[3].group, last.components[3].group);
    assert_eq!(first.components[3].supplier, last.components[3].supplier);
    assert_eq!(first.components[3].hashes, last.components[3].hashes);
    assert_eq!(first.edges.len(), last.edges.len());
    // each of several components has the text of a licence that is none of SPDX
    for n in [1, 2] {
        let license = &back.document.json()["components"][n]["licenses"][0]["license"];
        assert_eq!(
            (&license["text"]["content"], &license["url"]),
            (&json!("do as you like"), &json!("https://own.example"))
        );
    }
}

#[test]
fn a_licence_is_the_same_in_other_letters_and_under_its_older_id() {
    let policy = |allow: &[&str], deny: &[&str]| {
        let mut policy = LicensePolicy::default();
        policy.allow = allow.iter().map(|id| (*id).to_owned()).collect();
        policy.deny = deny.iter().map(|id| (*id).to_owned()).collect();
        policy
    };
    let refused = |policy: &LicensePolicy, license: &str| {
        let found = policy.check(&read(&bom(json!([library("a", "1", license)]))).unwrap()).unwrap();
        !found.is_empty()
    };
    for (listed, license, same) in [
        ("gpl-2.0-only", "GPL-2.0-only", true),
        ("GPL-2.0-only", "gpl-2.0-ONLY", true),
        ("GPL-3.0", "GPL-3.0-only", true),
        ("GPL-3.0-only", "GPL-3.0", true),
        ("GPL-3.0-only", "gpl-3.0 OR GPL-3.0-only", true),
        ("GPL-3.0+", "GPL-3.0-or-later", true),
        ("GPL-3.0-or-later", "GPL-3.0+", true),
        ("agpl-3.0", "AGPL-3.0-only", true),
        ("AGPL-3.0-or-later", "AGPL-3.0+", true),
        ("GPL-2.0-only", "GPL-2.0-with-classpath-exception", true),
        ("GPL-2.0-with-classpath-exception", "gpl-2.0-only WITH classpath-exception-2.0", true),
        ("apache-2.0", "Apache-2.0 WITH LLVM-exception", true),
        ("GPL-3.0", "GPL-3.0-or-later", false),
        ("GPL-3.0+", "GPL-3.0-only", false),
        ("GPL-2.0-only", "LGPL-2.0-only", false),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", false),
    ] {
        assert_eq!(refused(&policy(&[], &[listed]), license), same, "deny {listed}: {license}");
        assert_eq!(refused(&policy(&[listed], &[]), license), !same, "allow {listed}: {license}");
    }
    let bytes = bom(json!([library("a", "1", "MIT OR gpl-3.0+")]));
    for license in ["GPL-3.0-or-later", "gpl-3.0+", "mit"] {
        let query = Query::from_json(json!({ "license": license }).to_string().as_bytes()).unwrap();
        assert_eq!(query.find(&read(&bytes).unwrap()).unwrap().found.len(), 1, "{license}");
    }
    // a name of its own is compared as it stands
    assert!(refused(&policy(&["business licence"], &[]), "Business Licence"));
}

#[test]
fn a_vers_range_is_a_union_of_intervals() {
    for (range, inside, outside) in [
        ("vers:npm/1.0.0|2.0.0", &["1.0.0", "2.0.0"][..], &["1.5.0", "0.9.0", "3"][..]),
        ("vers:npm/>=1|<=1.2|>=2|<=2.1", &["1.0", "1.2", "1.1", "2.0", "2.1"], &["0.9", "1.3", "1.9", "2.2"]),
        ("vers:npm/<=2.1|>=2|>=1|<=1.2", &["1.1", "2.1"], &["1.3"]),
        ("vers:pypi/0.1|>=1.0|!=1.5|<2|3", &["0.1", "1.0", "1.6", "3"], &["1.5", "2", "0.2", "4"]),
        ("vers:npm/<1|>=2", &["0.5", "2", "9"], &["1", "1.5"]),
        ("vers:npm/>1.2", &["1.3"], &["1.2", "1"]),
        ("vers:npm/*", &["0", "99"], &[]),
        ("vers:npm/!=1", &["0", "2"], &["1.0"]),
        ("vers:deb/1%3A2.0", &["1:2.0"], &["2.0"]),
        ("vers:npm/ >=1.2.0 | <2.0.0 ", &["1.5.0"], &["2.0.0"]),
        (">=1.2.0, <2, !=1.5", &["1.2", "1.9"], &["1.5", "2.0", "1.0"]),
    ] {
        let read: VersionRange = range.parse().unwrap();
        for version in inside {
            assert!(read.contains(version), "{version} is in {range}");
        }
        for version in outside {
            assert!(!read.contains(version), "{version} is not in {range}");
        }
    }
    for text in [
        ">=1|<2",
        "1.0.0|2.0.0",
        "vers:npm",
        "vers:/1",
        "vers:npm/",
        "vers:npm/1||2",
        "vers:npm/|1",
        "vers:npm/>=1,<2",
        "vers:npm/==1",
        "vers:npm/*|1",
        "vers:npm/>*",
        "vers:none/*",
        "vers:npm/>=1|>=2",
        "vers:npm/<1|<=2",
        "vers:npm/>=1|=2|<3",
        "vers:npm/1|!=1.0",
        "vers:npm/>=1|<1",
        "vers:npm/1%2",
        "vers:npm/1%zz",
        "vers:npm/1%00",
    ] {
        assert_eq!(text.parse::<VersionRange>().unwrap_err().code(), "MALFORMED", "{text}");
    }
}

#[test]
fn what_a_conversion_can_not_carry_is_told_by_its_path() {
    let bytes = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "timestamp": "2026-11-21T09:30:00Z" },
        "components": [{ "type": "data", "name": "a", "pedigree": {}, "scope": "excluded",
            "hashes": [{ "alg": "SHA-512", "content": "ab".repeat(64) }], "supplier": { "name": "x", "url": ["https://x.example"] } }],
        "services": [] });
    let made = convert(&document(bytes.to_string().as_bytes()), Target::Spdx, None).unwrap();
    let paths: Vec<_> = made.lost.iter().map(|loss| &*loss.path).collect();
    for path in [
        "/components/0/type",
        "/components/0/pedigree",
        "/components/0/scope",
        "/components/0/supplier/url",
        "/services",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
    assert_eq!(paths.len(), 5);
    let timeless = bom(json!([]));
    assert_eq!(convert(&document(&timeless), Target::Spdx, None).unwrap_err().code(), "API_MISUSE");
    assert_eq!(convert(&document(&timeless), Target::CycloneDx, None).unwrap_err().code(), "UNSUPPORTED");
}

#[test]
fn no_package_of_spdx_gets_lost_whatever_it_is_said_to_be_a_part_of() {
    let package =
        |id: &str| json!({ "SPDXID": id, "name": id, "downloadLocation": "NOASSERTION", "filesAnalyzed": false });
    let relation = |from: &str, kind: &str, to: &str| json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to });
    let ids: Vec<String> = (0..40).map(|n| format!("SPDXRef-{n}")).collect();
    let mut relations: Vec<Value> = ids.windows(2).map(|pair| relation(&pair[0], "CONTAINS", &pair[1])).collect();
    relations.push(relation("DocumentRef-x:SPDXRef-a", "CONTAINS", "SPDXRef-lone"));
    relations.push(relation("SPDXRef-lone", "DEPENDS_ON", "DocumentRef-x:SPDXRef-a"));
    relations.push(relation("SPDXRef-39", "CONTAINS", "SPDXRef-0"));
    let packages: Vec<Value> = ids.iter().map(|id| package(id)).chain([package("SPDXRef-lone")]).collect();
    let spdx = json!({ "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "x",
        "documentNamespace": "https://x.example/1", "creationInfo": { "created": "2026-11-21T09:30:00Z", "creators": ["Tool: x"] },
        "packages": packages, "relationships": relations });
    let made = convert(&document(spdx.to_string().as_bytes()), Target::CycloneDx, None).unwrap();
    assert_eq!(made.document.summary().unwrap().component_count, 41);
    assert_eq!(made.document.validate().unwrap(), []);
    let lost: Vec<_> = made.lost.iter().map(|loss| &*loss.path).collect();
    // what is nested too deep, and what leads to or comes from another document
    for path in ["/relationships/30", "/relationships/39", "/relationships/40"] {
        assert!(lost.contains(&path), "{path} is not among {lost:?}");
    }
}

#[test]
fn the_minimum_elements_that_are_missing_are_those_the_official_cases_name() {
    let Some(dir) = corpora("spdx/ntia-conformance") else { return };
    let mut seen = 0;
    for (case, element) in [
        ("no_elements_missing", None),
        ("missing_author_name", Some(Element::Author)),
        ("missing_component_version", Some(Element::Version)),
        ("missing_dependency_relationships", Some(Element::Relationships)),
        ("missing_supplier_name", Some(Element::Supplier)),
        ("missing_timestamp", Some(Element::Timestamp)),
    ] {
        for file in ["SPDXJSONExample-v2.3.spdx.json", "SPDXTagExample-v2.3.spdx"] {
            let score = score(&document(&std::fs::read(dir.join(case).join(file)).unwrap())).unwrap();
            let missing: Vec<_> =
                score.missing.iter().chain(score.components.iter().flat_map(|c| &c.missing)).collect();
            let told = element.is_none_or(|element| missing.contains(&&element));
            assert!(told && score.ntia == element.is_none(), "{case}/{file}: {score:?}");
            seen += 1;
        }
    }
    // `missing_unique_identifiers` lacks an SPDXID, which is of the document alone; validation tells that
    assert_eq!(seen, 12);
}

#[test]
fn a_whole_sbom_scores_in_full_and_each_gap_lowers_it() {
    let whole = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": { "timestamp": "2026-11-21T09:30:00Z", "authors": [{ "name": "Ada" }], "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "x" }] } },
        "components": [{ "type": "library", "bom-ref": "a", "name": "a", "version": "1", "purl": "pkg:npm/a@1",
            "supplier": { "name": "A" }, "licenses": [{ "license": { "id": "MIT" } }],
            "hashes": [{ "alg": "SHA-1", "content": "ab".repeat(20) }] }],
        "dependencies": [{ "ref": "a", "dependsOn": ["a"] }] });
    let of = |value: &Value| score(&document(value.to_string().as_bytes())).unwrap();
    assert_eq!((of(&whole).percent, of(&whole).ntia, of(&whole).cisa), (100, true, true));
    for (pointer, key, ntia) in [
        ("/metadata", "timestamp", false),
        ("/metadata", "authors", false),
        ("/metadata", "tools", true),
        ("/metadata", "lifecycles", true),
        ("/components/0", "supplier", false),
        ("/components/0", "version", false),
        ("/components/0", "purl", false),
        ("/components/0", "licenses", true),
        ("/components/0", "hashes", true),
        ("", "dependencies", false),
    ] {
        let mut less = whole.clone();
        less.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
        let score = of(&less);
        assert!(score.percent < 100 && !score.cisa && score.ntia == ntia, "{key}: {score:?}");
    }
    assert!(!of(&json!({ "bomFormat": "CycloneDX", "specVersion": "1.6" })).ntia);
}

#[test]
fn components_are_found_by_purl_name_range_and_licence() {
    let bytes = bom(json!([
        library("a", "1.4.0", "MIT OR Zlib"), library("a", "2.0.0", "MIT"), library("b", "1.4.0", "Apache-2.0"),
        { "type": "library", "name": "a" },
    ]));
    let summary = read(&bytes).unwrap();
    let ask = |query: Value| {
        let result = Query::from_json(query.to_string().as_bytes()).unwrap().find(&summary).unwrap();
        (result.found.len(), result.undecided.len())
    };
    assert_eq!(ask(json!({ "purl": "pkg:npm/a" })), (2, 1), "what has no purl may be it");
    assert_eq!(ask(json!({ "purl": "pkg:npm/a@2.0.0" })), (1, 1));
    assert_eq!(ask(json!({ "purl": "pkg:cargo/a" })), (0, 1));
    assert_eq!(ask(json!({ "name": "a", "range": ">=1, <2" })), (1, 1));
    assert_eq!(ask(json!({ "license": "Zlib" })), (1, 0));
    assert_eq!(ask(json!({ "license": "MIT", "range": "<2" })), (1, 0));
    let refused = |query: Value| {
        Query::from_json(query.to_string().as_bytes()).and_then(|q| q.find(&summary)).unwrap_err().code()
    };
    assert_eq!(refused(json!({})), "API_MISUSE");
    assert_eq!(refused(json!({ "purl": "a" })), "MALFORMED");
    assert_eq!(refused(json!({ "range": "about 1" })), "MALFORMED");
    assert_eq!(refused(json!({ "colour": "red" })), "MALFORMED");
}

#[test]
fn a_merged_sbom_is_valid_has_each_component_once_and_every_edge() {
    let one = |app: &str, second: Value| {
        let value = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6",
            "metadata": { "component": { "type": "application", "bom-ref": "app", "name": app } },
            "components": [library("a", "1.0.0", "MIT"), second],
            "dependencies": [{ "ref": "app", "dependsOn": ["pkg:npm/a@1.0.0", "b"] }, { "ref": "b", "dependsOn": ["pkg:npm/a@1.0.0"] }],
            "properties": [{ "name": "x", "value": "y" }] });
        document(value.to_string().as_bytes())
    };
    let part = |version: &str| json!({ "type": "library", "bom-ref": "b", "name": "b", "version": version });
    let mut options = MergeOptions::default();
    options.name = "suite".to_owned();
    let made = merge(&[one("shop", part("1")), one("bank", part("2"))], &options).unwrap();
    assert_eq!(made.document.validate().unwrap(), []);
    let summary = made.document.summary().unwrap();
    let names: Vec<_> = summary.components.iter().map(|c| format!("{} {:?}", c.name, c.version)).collect();
    assert_eq!(names.len(), 5, "two products, two of b, one of a: {names:?}");
    assert_eq!(summary.edges.len(), 2 + 4 + 2);
    let lost: Vec<_> = made.lost.iter().map(|loss| (loss.source, &*loss.path)).collect();
    assert!(lost.contains(&(0, "/properties")) && lost.contains(&(1, "/properties")), "{lost:?}");
    let again = merge(&[one("shop", part("1")), one("bank", part("2"))], &options).unwrap();
    assert_eq!(again.document.bytes(), made.document.bytes());
    assert_eq!(merge(&[one("shop", part("1"))], &options).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn vex_of_three_formats_says_the_same() {
    let openvex = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-11-20T00:00:00Z", "statements": [
        { "vulnerability": { "name": "CVE-1", "aliases": ["GHSA-1"] }, "status": "not_affected",
          "justification": "vulnerable_code_not_in_execute_path",
          "products": [{ "@id": "pkg:oci/shop", "subcomponents": [{ "@id": "pkg:npm/a@1.0.0" }] }] },
        { "vulnerability": { "name": "CVE-2" }, "status": "affected", "products": [{ "@id": "pkg:oci/shop" }] }] });
    let vex = Vex::parse(openvex.to_string().as_bytes()).unwrap();
    let part = Some("pkg:npm/a@1.0.0");
    assert!(vex.dismisses("CVE-1", "pkg:oci/shop@sha256%3Aabc", part).unwrap());
    assert!(vex.dismisses("GHSA-1", "pkg:oci/shop", part).unwrap());
    for (vulnerability, product, part) in [
        ("CVE-2", "pkg:oci/shop", part),
        ("CVE-1", "pkg:oci/other", part),
        ("CVE-1", "pkg:oci/shop", Some("pkg:npm/a@2.0.0")),
        ("CVE-1", "pkg:oci/shop", None),
        ("CVE-3", "pkg:oci/shop", part),
    ] {
        assert!(!vex.dismisses(vulnerability, product, part).unwrap(), "{vulnerability} {product} {part:?}");
    }
    let cyclonedx = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [library("a", "1.0.0", "MIT")],
        "vulnerabilities": [{ "id": "CVE-1", "analysis": { "state": "not_affected", "justification": "code_not_reachable" },
            "affects": [{ "ref": "pkg:npm/a@1.0.0" }] }] });
    let vex = Vex::parse(cyclonedx.to_string().as_bytes()).unwrap();
    assert!(vex.dismisses("CVE-1", "pkg:oci/shop", part).unwrap());
    let csaf = json!({ "document": { "csaf_version": "2.0", "category": "csaf_vex",
            "tracking": { "current_release_date": "2026-11-20T00:00:00Z" } },
        "product_tree": { "full_product_names": [{ "product_id": "P1", "name": "a",
            "product_identification_helper": { "purl": "pkg:npm/a@1.0.0" } }] },
        "vulnerabilities": [{ "cve": "CVE-1", "product_status": { "known_not_affected": ["P1"] },
            "flags": [{ "label": "vulnerable_code_not_present", "product_ids": ["P1"] }] }] });
    let vex = Vex::parse(csaf.to_string().as_bytes()).unwrap();
    assert_eq!(vex.statements[0].justification.as_deref(), Some("vulnerable_code_not_present"));
    assert!(vex.dismisses("CVE-1", "pkg:npm/a@1.0.0", None).unwrap());
}

#[test]
fn a_part_without_a_name_in_csaf_does_not_stand_for_its_whole_product() {
    let csaf = |helper: Value, status: Value| {
        json!({ "document": { "csaf_version": "2.0", "category": "csaf_vex" },
        "product_tree": {
            "full_product_names": [
                { "product_id": "OS", "name": "os", "product_identification_helper": { "purl": "pkg:oci/os" } },
                { "product_id": "PART", "name": "part", "product_identification_helper": helper }],
            "relationships": [
                { "category": "default_component_of", "product_reference": "PART", "relates_to_product_reference": "OS",
                  "full_product_name": { "product_id": "OS:PART", "name": "part of os" } },
                { "category": "default_component_of", "product_reference": "OS:PART", "relates_to_product_reference": "OS",
                  "full_product_name": { "product_id": "OS:OS:PART", "name": "part of os in os" } }] },
        "vulnerabilities": [{ "cve": "CVE-1", "product_status": status }] })
        .to_string()
    };
    let not_affected = |id: &str| json!({ "known_not_affected": [id] });
    for helper in [Value::Null, json!({}), json!({ "hashes": [] })] {
        let vex = Vex::parse(csaf(helper, not_affected("OS:PART")).as_bytes()).unwrap();
        assert_eq!(vex.statements[0].subcomponents, ["PART"]);
        assert!(!vex.dismisses("CVE-1", "pkg:oci/os", None).unwrap());
        assert!(!vex.dismisses("CVE-1", "pkg:oci/os", Some("pkg:npm/other@1")).unwrap());
    }
    let named = json!({ "purl": "pkg:npm/a@1" });
    let vex = Vex::parse(csaf(named.clone(), not_affected("OS:PART")).as_bytes()).unwrap();
    assert!(vex.dismisses("CVE-1", "pkg:oci/os", Some("pkg:npm/a@1")).unwrap());
    // a part of a part is neither of the two
    let vex = Vex::parse(csaf(named.clone(), not_affected("OS:OS:PART")).as_bytes()).unwrap();
    assert!(!vex.dismisses("CVE-1", "pkg:oci/os", None).unwrap());
    assert!(!vex.dismisses("CVE-1", "pkg:oci/os", Some("pkg:oci/os")).unwrap());
    for status in [
        json!({ "known_affected": ["OS"], "known_not_affected": ["OS"] }),
        json!({ "first_affected": ["OS"], "fixed": ["OS"] }),
    ] {
        assert_eq!(Vex::parse(csaf(named.clone(), status).as_bytes()).unwrap_err().code(), "MALFORMED");
    }
    let agreeing = json!({ "first_affected": ["OS"], "known_affected": ["OS"], "recommended": ["OS"] });
    assert_eq!(Vex::parse(csaf(named, agreeing).as_bytes()).unwrap().statements.len(), 2);
}

#[test]
fn the_latest_statement_holds_and_what_is_not_understood_is_refused() {
    let said = |first: &str, second: &str| {
        json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [
            { "vulnerability": "CVE-1", "status": "fixed", "timestamp": first, "products": ["pkg:npm/a@1"] },
            { "vulnerability": "CVE-1", "status": "affected", "timestamp": second, "products": ["pkg:npm/a@1"] }] })
    };
    let status = |value: Value| {
        let vex = Vex::parse(value.to_string().as_bytes()).unwrap();
        vex.status("CVE-1", "pkg:npm/a@1", None).unwrap().map(|s| s.status)
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    assert_eq!(status(said(early, late)), Some(VexStatus::Affected));
    assert_eq!(status(said(late, early)), Some(VexStatus::Fixed));
    let statement =
        |statement: Value| json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [statement] });
    for (value, code) in [
        (statement(json!({ "vulnerability": "CVE-1", "status": "harmless", "products": ["x"] })), "MALFORMED"),
        (statement(json!({ "vulnerability": "CVE-1", "status": "not_affected", "products": ["x"] })), "MALFORMED"),
        (statement(json!({ "status": "fixed", "products": ["x"] })), "MALFORMED"),
        (
            statement(json!({ "vulnerability": "CVE-1", "status": "not_affected", "products": ["x"],
                "justification": "trust_me" })),
            "MALFORMED",
        ),
        (
            statement(json!({ "vulnerability": "CVE-1", "status": "not_affected", "products": ["x"],
                "impact_statement": "" })),
            "MALFORMED",
        ),
        (
            statement(json!({ "vulnerability": "CVE-1", "status": "fixed", "products": ["x"], "justification": "" })),
            "MALFORMED",
        ),
        (json!({ "@context": "https://openvex.dev/ns/v9.9.9", "statements": [] }), "UNSUPPORTED"),
        (json!({ "@context": "https://openvex.dev/ns-of-mine", "statements": [] }), "UNSUPPORTED"),
        (json!({ "document": { "csaf_version": "1.0", "category": "csaf_vex" } }), "UNSUPPORTED"),
        (json!({ "document": { "csaf_version": "2.0", "category": "csaf_base" } }), "UNSUPPORTED"),
        (json!({}), "MALFORMED"),
    ] {
        assert_eq!(Vex::parse(value.to_string().as_bytes()).unwrap_err().code(), code, "{value}");
    }
}

#[test]
fn hostile_documents_are_refused_in_bounded_time() {
    let entities = "<!DOCTYPE bom [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><bom xmlns='http://cyclonedx.org/schema/bom/1.6'>&b;</bom>";
    let deep_xml =
        format!("<bom xmlns='http://cyclonedx.org/schema/bom/1.6'>{}", "<components><component>".repeat(100_000));
    let deep_json = format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"a\":{}", "[".repeat(1_000_000));
    let many = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"a\":[{}",
        "0,".repeat(limits::SBOM_VALUES + 1)
    );
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("<bom/>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?><bom xmlns='http://cyclonedx.org/schema/bom/1.6'/>";
    let huge = vec![b' '; usize::try_from(limits::SBOM_BYTES).unwrap() + 1];
    for (bytes, code) in [
        (entities.as_bytes(), "MALFORMED"),
        (deep_xml.as_bytes(), "LIMIT_EXCEEDED"),
        (deep_json.as_bytes(), "LIMIT_EXCEEDED"),
        (&[b'['; 100_000], "LIMIT_EXCEEDED"),
        (many.as_bytes(), "LIMIT_EXCEEDED"),
        (&utf16, "UNSUPPORTED"),
        (latin.as_bytes(), "UNSUPPORTED"),
        (&huge, "LIMIT_EXCEEDED"),
        (b"SPDXVersion: SPDX-2.3\nPackageComment: <text>never ends\n", "MALFORMED"),
        (b"SPDXVersion: SPDX-2.3\nno tag at all\n", "MALFORMED"),
        (b"<bom xmlns='http://cyclonedx.org/schema/bom/1.3'/>", "UNSUPPORTED"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "MALFORMED"),
    ] {
        assert_eq!(Document::parse(bytes).unwrap_err().code(), code, "{:?}", String::from_utf8_lossy(&bytes[..60]));
    }
}

#[test]
fn documents_made_to_take_long_do_not() {
    let many = 15_000;
    let begun = std::time::Instant::now();
    // one name, one licence text each, and a chain of parts
    let same = vec![r#"{"type":"library","name":"a"}"#; many].join(",");
    let licensed =
        (0..many).map(|n| format!(r#"{{"type":"library","name":"a","licenses":[{{"license":{{"name":"{n}"}}}}]}}"#));
    let licensed = licensed.collect::<Vec<_>>().join(",");
    for components in [same, licensed] {
        let bom = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{components}]}}"#);
        let made =
            convert(&document(bom.as_bytes()), Target::Spdx, Some("2026-11-21T09:30:00Z".parse().unwrap())).unwrap();
        assert_eq!(made.document.summary().unwrap().component_count, many);
    }
    let mut tags = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentNamespace: https://x.example/1\nCreated: 2026-11-21T09:30:00Z\n".to_owned();
    for n in 0..many {
        tags.push_str(&format!("PackageName: a\nSPDXID: SPDXRef-{n}\nAnnotator: Tool: x\nSPDXREF: SPDXRef-{n}\n"));
        tags.push_str(&format!(
            "Relationship: SPDXRef-{n} CONTAINS SPDXRef-{}\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-{n}\n",
            n + 1
        ));
    }
    tags.push_str(&format!("PackageComment: <text>{}</text>\n", "x\n".repeat(200_000)));
    let spdx = document(tags.as_bytes());
    assert_eq!(convert(&spdx, Target::CycloneDx, None).unwrap().document.summary().unwrap().component_count, many);
    let _ = (spdx.validate().unwrap(), score(&spdx).unwrap());
    assert!(begun.elapsed() < std::time::Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn what_no_schema_of_spdx_can_say_is_found() {
    let spdx = json!({ "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "x",
        "documentNamespace": "https://x.example/1", "creationInfo": { "created": "2026-11-21T09:30:00Z", "creators": ["Tool: x"] },
        "packages": [
            { "SPDXID": "SPDXRef-a", "name": "a", "downloadLocation": "NOASSERTION", "licenseDeclared": "MIT OR",
              "licenseConcluded": "LicenseRef-gone", "checksums": [{ "algorithm": "SHA256", "checksumValue": "abcd" }],
              "externalRefs": [{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "npm/a" }] },
            { "SPDXID": "SPDXRef-a", "name": "b", "downloadLocation": "NOASSERTION", "supplier": "somebody" }],
        "relationships": [
            { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-gone" },
            { "spdxElementId": "SPDXRef-a", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-a" }] });
    let found = validate(spdx.to_string().as_bytes()).unwrap();
    let told: Vec<_> = found.iter().map(|f| (f.rule, &*f.path)).collect();
    for expected in [
        (Rule::UniqueRef, "/packages/1"),
        (Rule::HashLength, "/packages/0/checksums/0/checksumValue"),
        (Rule::License, "/packages/0/licenseDeclared"),
        (Rule::KnownRef, "/packages/0/licenseConcluded"),
        (Rule::Purl, "/packages/0/externalRefs/0/referenceLocator"),
        (Rule::Form, "/packages/1/supplier"),
        (Rule::KnownRef, "/relationships/0/relatedSpdxElement"),
        (Rule::Cycle, "/relationships"),
    ] {
        assert!(told.contains(&expected), "{expected:?} is not among {told:?}");
    }
    assert_eq!(told.len(), 8, "{told:?}");
}

#[test]
fn a_finding_in_xml_or_tag_value_says_its_line() {
    let xml = "<?xml version='1.0'?>\n<bom xmlns='http://cyclonedx.org/schema/bom/1.6' version='1'>\n <components>\n  <component type='library'/>\n </components>\n</bom>\n";
    let found = validate(xml.as_bytes()).unwrap();
    assert_eq!(found[0].place.as_deref(), Some("line 4, element `component`"));
    let tags = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nPackageName: a\nSPDXID: SPDXRef-a\nPackageColour: red\nPackageChecksum: MD5: 00\n";
    let found = validate(tags.as_bytes()).unwrap();
    assert!(found.iter().any(|f| f.rule == Rule::Notation && f.message.starts_with("line 5:")), "{found:?}");
    let hash = found.iter().find(|f| f.rule == Rule::HashLength).unwrap();
    assert_eq!(hash.place.as_deref(), Some("line 6"));
}

#[test]
fn vex_documents_of_others_are_read() {
    let Some(dir) = corpora("scanner-outputs") else { return };
    let (mut read, mut refused) = (0, Vec::new());
    let mut open = vec![dir, corpora("cyclonedx/bom-examples/VEX").unwrap()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let is_vex =
            ["openvex.dev/ns", "\"csaf_version\"", "\"vulnerabilities\""].iter().any(|mark| text.contains(mark));
        let name = path.display().to_string();
        if !is_vex
            || !(name.contains("vex") || name.contains("VEX") || name.contains("csaf"))
            || !name.ends_with("json")
        {
            continue;
        }
        match Vex::parse(&bytes) {
            Ok(vex) => read += usize::from(!vex.statements.is_empty()),
            Err(e) => refused.push(format!("{name}: {}", e.message())),
        }
    }
    // the JSON-LD context of OpenVEX, which names its terms and says nothing
    assert!(refused.iter().all(|name| name.contains("/ns/v0.2.0/context.json")), "{refused:#?}");
    assert!(read >= 40, "only {read}");
}
